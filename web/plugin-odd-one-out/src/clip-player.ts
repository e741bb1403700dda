/** One clip on screen: a muted video element that plays again and again, and is let go of completely. */

export interface ClipPlayerEvents {
  /** The clip reached its end (each time). */
  onPlayed: () => void;
  /** The browser wants a tap before it plays (iOS in low-power mode). */
  onRefused: () => void;
  /** `decode`, `unsupported`, `network`, `aborted`, `stalled`, or the name of the browser's exception. */
  onError: (error: string) => void;
}

const MEDIA_ERRORS: Record<number, string> = { 1: "aborted", 2: "network", 3: "decode", 4: "unsupported" };

/**
 * Plays on `ended` rather than by the `loop` attribute: only so is every whole play known in every browser.
 */
export class ClipPlayer {
  readonly element: HTMLVideoElement;
  /** Whole plays so far. */
  plays = 0;
  readonly #events: ClipPlayerEvents;
  readonly #stalledAfter: number;
  readonly #listening = new AbortController();
  #url: string | null = null;
  #wanted = false;
  #watch: ReturnType<typeof setTimeout> | undefined;
  #position = -1;

  /** @param stalledAfter milliseconds without progress, while it should play, that count as an error */
  constructor(events: ClipPlayerEvents, stalledAfter = 8000) {
    this.#events = events;
    this.#stalledAfter = stalledAfter;
    this.element = mutedVideo();
    const { signal } = this.#listening;
    this.element.addEventListener("ended", () => this.#ended(), { signal });
    this.element.addEventListener("pause", () => this.#paused(), { signal });
    this.element.addEventListener("timeupdate", () => this.#progressed(), { signal });
    this.element.addEventListener("error", () => this.#failed(), { signal });
  }

  /** Shows a clip from its start, under an object URL of its own: two players may show the same blob. */
  load(blob: Blob): void {
    this.#revoke();
    this.#position = -1;
    this.#url = URL.createObjectURL(blob);
    this.element.src = this.#url;
    if (this.#wanted) this.play();
  }

  /** Plays until told to pause. Call it inside the handler of a tap where the browser wants one. */
  play(): void {
    if (this.#listening.signal.aborted) return;
    this.#wanted = true;
    this.#watchProgress();
    this.element.play().catch((error: Error) => this.#playRejected(error));
  }

  pause(): void {
    this.#wanted = false;
    clearTimeout(this.#watch);
    this.element.pause();
  }

  /** Gives back decoder, memory and object URL; the player is of no use afterwards. */
  release(): void {
    this.#listening.abort();
    this.pause();
    this.element.removeAttribute("src");
    this.element.load();
    this.element.remove();
    this.#revoke();
  }

  #ended(): void {
    this.plays++;
    if (this.#wanted) this.play();
    this.#events.onPlayed();
  }

  /** Browsers pause by themselves, too: when they save power, say. */
  #paused(): void {
    if (this.#wanted && !this.element.ended && !document.hidden) this.play();
  }

  #progressed(): void {
    if (this.element.currentTime === this.#position) return;
    this.#position = this.element.currentTime;
    if (this.#wanted) this.#watchProgress();
  }

  #watchProgress(): void {
    clearTimeout(this.#watch);
    this.#watch = setTimeout(() => this.#events.onError("stalled"), this.#stalledAfter);
  }

  #failed(): void {
    clearTimeout(this.#watch);
    this.#events.onError(MEDIA_ERRORS[this.element.error?.code ?? 0] ?? "unknown");
  }

  #playRejected(error: Error): void {
    if (!this.#wanted || document.hidden) return; // whoever shows the page again plays it again
    if (error.name === "AbortError") return; // a new source or a pause came in between; progress is watched
    if (error.name === "NotSupportedError") return; // the element says so, too, by its error event
    this.pause();
    if (error.name === "NotAllowedError") this.#events.onRefused();
    else this.#events.onError(error.name);
  }

  #revoke(): void {
    if (this.#url !== null) URL.revokeObjectURL(this.#url);
    this.#url = null;
  }
}

function mutedVideo(): HTMLVideoElement {
  const video = document.createElement("video");
  video.muted = true;
  video.defaultMuted = true; // the attribute, which iOS wants, too
  video.playsInline = true;
  video.setAttribute("playsinline", "");
  video.preload = "auto";
  video.disablePictureInPicture = true;
  video.disableRemotePlayback = true;
  video.setAttribute("aria-hidden", "true"); // the button around it has a name
  return video;
}
