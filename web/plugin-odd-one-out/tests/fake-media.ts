/**
 * A browser's media elements and object URLs, for jsdom, which has neither.
 *
 * Follows the HTML standard where the plugin depends on it: play() returns a promise, rejected with NotAllowedError
 * where a tap is needed, AbortError where load() or pause() comes first, NotSupportedError (and an `error` event)
 * where the source cannot be played; the end is announced by `pause` and `ended`; playing again starts anew. Time is
 * the test's fake clock. A clip is a blob of JSON: {"duration": milliseconds, "fault"?: "unsupported" | "decode" | "frozen"}.
 */

import { vi } from "vitest";

export interface FakeClip {
  duration: number;
  fault?: "unsupported" | "decode" | "frozen";
}

const TICK = 50;

class Media {
  src = "";
  paused = true;
  ended = false;
  error: { code: number } | null = null;
  position = 0;
  clip: FakeClip | null = null;
  waiting: { resolve: () => void; reject: (error: Error) => void }[] = [];
  timer: ReturnType<typeof setInterval> | undefined;
  session = 0;

  constructor(private readonly element: HTMLMediaElement) {}

  set(src: string): void {
    this.src = src;
    this.load();
  }

  load(): void {
    this.session++;
    clearInterval(this.timer);
    this.interrupt("AbortError");
    Object.assign(this, { paused: true, ended: false, error: null, position: 0, clip: null });
    if (this.src) void this.open(this.session);
  }

  private async open(session: number): Promise<void> {
    const blob = browser.objectUrls.get(this.src);
    const clip = blob ? (JSON.parse(await text(blob)) as FakeClip) : null;
    if (session !== this.session) return;
    if (!clip || clip.fault === "unsupported") {
      this.fail(4, "NotSupportedError");
      return;
    }
    this.clip = clip;
    if (!this.paused) this.begin();
  }

  play(): Promise<void> {
    browser.plays++;
    if (browser.needsTap) return Promise.reject(new DOMException("refused", "NotAllowedError"));
    if (this.error || !this.src) return Promise.reject(new DOMException("no source", "NotSupportedError"));
    if (this.ended) Object.assign(this, { ended: false, position: 0 });
    const started = new Promise<void>((resolve, reject) => this.waiting.push({ resolve, reject }));
    if (this.paused) {
      this.paused = false;
      this.fire("play");
    }
    if (this.clip) this.begin();
    return started;
  }

  pause(): void {
    if (this.paused) return;
    clearInterval(this.timer);
    this.paused = true;
    this.interrupt("AbortError");
    this.fire("pause");
  }

  private begin(): void {
    clearInterval(this.timer);
    for (const { resolve } of this.waiting.splice(0)) resolve();
    if (this.clip?.fault !== "frozen") this.timer = setInterval(() => this.tick(), TICK);
  }

  private tick(): void {
    const duration = this.clip?.duration ?? 0;
    this.position = Math.min(duration, this.position + TICK);
    if (this.clip?.fault === "decode" && this.position >= duration / 2) {
      this.fail(3, "AbortError");
      return;
    }
    this.fire("timeupdate");
    if (this.position < duration) return;
    clearInterval(this.timer);
    this.ended = true;
    this.paused = true;
    this.fire("pause");
    this.fire("ended");
  }

  private fail(code: number, name: string): void {
    clearInterval(this.timer);
    this.error = { code };
    this.interrupt(name);
    this.fire("error");
  }

  private interrupt(name: string): void {
    for (const { reject } of this.waiting.splice(0)) reject(new DOMException("interrupted", name));
  }

  private fire(type: string): void {
    this.element.dispatchEvent(new Event(type));
  }
}

const media = new Map<HTMLMediaElement, Media>();

function of(element: HTMLMediaElement): Media {
  const known = media.get(element) ?? new Media(element);
  media.set(element, known);
  return known;
}

/** What the tests set and look at. */
export const browser = {
  objectUrls: new Map<string, Blob>(),
  needsTap: false,
  hidden: false,
  plays: 0,

  /** Elements that hold a decoder: those with a source. */
  decoders(): number {
    return [...media.values()].filter((one) => one.src !== "").length;
  },

  playing(): number {
    return [...media.values()].filter((one) => !one.paused).length;
  },

  /** The browser pauses an element for reasons of its own. */
  pauseByItself(element: HTMLMediaElement): void {
    of(element).pause();
  },

  hide(hidden: boolean): void {
    browser.hidden = hidden;
    document.dispatchEvent(new Event("visibilitychange"));
  },

  install(): void {
    media.clear();
    Object.assign(browser, { objectUrls: new Map(), needsTap: false, hidden: false, plays: 0 });
    let made = 0;
    URL.createObjectURL = (blob: Blob) => {
      const url = `blob:test/${++made}`;
      browser.objectUrls.set(url, blob);
      return url;
    };
    URL.revokeObjectURL = (url: string) => void browser.objectUrls.delete(url);
    vi.spyOn(document, "hidden", "get").mockImplementation(() => browser.hidden);
    define("src", { get: (m) => m.src, set: (m, value) => m.set(value as string) });
    for (const name of ["paused", "ended", "error"] as const) define(name, { get: (m) => m[name] });
    define("currentTime", {
      get: (m) => m.position / 1000,
      set: (m, value) => {
        m.position = (value as number) * 1000;
      },
    });
    const prototype = HTMLMediaElement.prototype;
    prototype.play = function () {
      return of(this).play();
    };
    prototype.pause = function () {
      of(this).pause();
    };
    prototype.load = function () {
      of(this).load();
    };
    const remove = Element.prototype.removeAttribute;
    prototype.removeAttribute = function (name: string) {
      if (name === "src") of(this).src = "";
      remove.call(this, name);
    };
  },
};

function define(
  name: string,
  access: { get: (media: Media) => unknown; set?: (media: Media, value: unknown) => void },
): void {
  Object.defineProperty(HTMLMediaElement.prototype, name, {
    configurable: true,
    get(this: HTMLMediaElement) {
      return access.get(of(this));
    },
    set(this: HTMLMediaElement, value: unknown) {
      access.set?.(of(this), value);
    },
  });
}

function text(blob: Blob): Promise<string> {
  return new Promise((resolve) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result as string);
    reader.readAsText(blob);
  });
}
