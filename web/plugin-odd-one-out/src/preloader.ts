/** Clips as blobs, fetched a few trials ahead and no further. */

import { FailedAttempt, fetchBlob } from "./fetch-blob";

export interface PreloaderOptions {
  /** Trials whose clips are fetched ahead of the present one. */
  ahead?: number;
  /** Clips fetched at once for trials to come; the present trial's never wait for them. */
  concurrency?: number;
  /** Milliseconds without a byte after which an attempt is given up. */
  timeout?: number;
  /** Attempts at a clip before it counts as unavailable. */
  attempts?: number;
  /** Milliseconds before the second attempt; doubled at each further one, with jitter. */
  backoff?: number;
  /** The longest wait between attempts in milliseconds, whatever the server asks for. */
  longestBackoff?: number;
  /** Passed on to fetch: headers, credentials. */
  request?: RequestInit;
}

export interface LoadedClip {
  blob: Blob;
  /** What went wrong on the way since it was last asked for, one entry an attempt: `http-503`, `timeout`, `network`, `empty`. */
  failures: string[];
}

/** Every attempt at a clip failed. */
export class ClipUnavailable extends Error {
  constructor(
    readonly url: string,
    readonly failures: string[],
    /** Whether trying again is useless (HTTP 404, say). */
    readonly permanent: boolean,
  ) {
    super(`${url} could not be loaded: ${failures.join(", ")}`);
    this.name = "ClipUnavailable";
  }
}

interface Download {
  url: string;
  blob: Promise<Blob>;
  failures: string[];
  /** Belongs to the present trial. */
  urgent: boolean;
  state: "underway" | "done" | "failed";
  controller: AbortController;
  /** Set while it waits for its turn. */
  go: (() => void) | null;
}

const DEFAULTS: Required<PreloaderOptions> = {
  ahead: 2,
  concurrency: 3,
  timeout: 15_000,
  attempts: 5,
  backoff: 500,
  longestBackoff: 10_000,
  request: {},
};

/**
 * Fetches the clips of the present trial and of the next few, holds them as blobs, and lets go of all others.
 *
 * `plan` says which trials come; `begin` and `end` mark a trial (the plugin calls them); `load` gives a clip.
 * Its state is private, so jsPsych may copy the trial description that holds it.
 */
export class Preloader {
  readonly #options: Required<PreloaderOptions>;
  readonly #downloads = new Map<string, Download>();
  #plan: readonly (readonly string[])[] = [];
  #next = 0;
  #present: readonly string[] = [];
  #running = 0;

  constructor(options: PreloaderOptions = {}) {
    this.#options = { ...DEFAULTS, ...options };
  }

  /** The URLs of each trial to come, in order; replaces an earlier plan, and starts on the first trials. */
  plan(trials: readonly (readonly string[])[]): void {
    this.#plan = trials.map((urls) => [...urls]);
    this.#next = 0;
    this.#follow();
  }

  /** A trial with these clips starts: its clips come first, and those of trials gone by are dropped. */
  begin(urls: readonly string[]): void {
    const wanted = sorted(urls);
    const found = this.#plan.findIndex((trial, i) => i >= this.#next && sorted(trial) === wanted);
    if (found >= 0) this.#next = found + 1;
    this.#present = [...urls];
    this.#follow();
  }

  /** The trial is over: drops its clips, unless a trial soon to come shows them again. */
  end(): void {
    this.#present = [];
    this.#follow();
  }

  /**
   * A clip, fetched unless it is here already. `fresh` fetches it again, past the browser's cache.
   *
   * @throws ClipUnavailable after the last attempt; the next call tries anew.
   */
  async load(url: string, { fresh = false } = {}): Promise<LoadedClip> {
    let download = this.#downloads.get(url);
    // A clip that is shown twice is asked for twice: the second call joins the first.
    if (!download || download.state === "failed" || (fresh && download.state === "done")) {
      this.#drop(url);
      download = this.#start(url, true, fresh, download?.failures);
    }
    this.#hurry(download);
    const { blob, failures } = download;
    try {
      return { blob: await blob, failures: failures.splice(0) };
    } catch (error) {
      if (error instanceof ClipUnavailable)
        throw new ClipUnavailable(url, failures.splice(0), error.permanent);
      throw error;
    }
  }

  /** Stops every download and lets go of every clip. */
  clear(): void {
    this.#plan = [];
    this.#present = [];
    this.#follow();
  }

  /** Brings the downloads in line with the present trial and the next few. */
  #follow(): void {
    const ahead = this.#plan.slice(this.#next, this.#next + this.#options.ahead).flat();
    const wanted = new Set([...this.#present, ...ahead]);
    for (const url of this.#downloads.keys()) if (!wanted.has(url)) this.#drop(url);
    for (const url of wanted) {
      const urgent = this.#present.includes(url);
      const download = this.#downloads.get(url) ?? this.#start(url, urgent);
      if (urgent) this.#hurry(download);
    }
  }

  #drop(url: string): void {
    this.#downloads.get(url)?.controller.abort();
    this.#downloads.delete(url);
  }

  #start(url: string, urgent: boolean, fresh = false, failures: string[] = []): Download {
    const controller = new AbortController();
    const download = {
      url,
      failures,
      urgent,
      state: "underway",
      controller,
      go: null,
    } as unknown as Download;
    this.#downloads.set(url, download);
    download.blob = this.#attempts(download, fresh);
    // A clip of a trial to come has no listener yet: load() hands the failure to whoever asks for it.
    download.blob.then(
      () => {
        download.state = "done";
      },
      () => {
        download.state = "failed";
      },
    );
    return download;
  }

  async #attempts(download: Download, fresh: boolean): Promise<Blob> {
    const { attempts, backoff, longestBackoff } = this.#options;
    const { signal } = download.controller;
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#attempt(download, fresh);
      } catch (error) {
        if (!(error instanceof FailedAttempt)) throw error;
        download.failures.push(error.failure);
        if (error.permanent || attempt >= attempts) {
          throw new ClipUnavailable(download.url, download.failures, error.permanent);
        }
        const jitter = 0.75 + Math.random() / 2;
        const wait = Math.max(backoff * 2 ** (attempt - 1) * jitter, error.retryAfter);
        await pause(Math.min(wait, longestBackoff), signal);
      }
    }
  }

  async #attempt(download: Download, fresh: boolean): Promise<Blob> {
    const { request, timeout } = this.#options;
    await this.#turn(download);
    try {
      const cache = fresh ? "reload" : request.cache;
      return await fetchBlob(download.url, { ...request, cache }, download.controller.signal, timeout);
    } finally {
      this.#running--;
      this.#pump();
    }
  }

  /** Resolves when the download may use the network. */
  #turn(download: Download): Promise<void> {
    return new Promise((resolve, reject) => {
      const { signal } = download.controller;
      const stop = () => reject(signal.reason);
      if (signal.aborted) return stop();
      signal.addEventListener("abort", stop, { once: true });
      download.go = () => {
        download.go = null;
        this.#running++;
        signal.removeEventListener("abort", stop);
        resolve();
      };
      this.#pump();
    });
  }

  #pump(): void {
    for (const download of this.#downloads.values()) {
      if (download.urgent || this.#running < this.#options.concurrency) download.go?.();
    }
  }

  #hurry(download: Download): void {
    download.urgent = true;
    download.go?.();
  }
}

function sorted(urls: readonly string[]): string {
  return JSON.stringify([...urls].sort());
}

/** Rejects with the signal's reason where it is aborted first. */
function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", stop);
      resolve();
    }, milliseconds);
    if (signal.aborted) stop();
    else signal.addEventListener("abort", stop, { once: true });
  });
}
