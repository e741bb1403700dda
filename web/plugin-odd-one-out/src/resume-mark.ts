/** A mark in the tab's session storage while a trial runs: found at its start, the page was loaded again in mid-trial. */
export class ResumeMark {
  readonly #key: string | null;

  constructor(key: string | null) {
    this.#key = key === null ? null : `odd-one-out:${key}`;
  }

  /** Sets the mark; whether it was there before, null where there is no key or the browser offers no storage. */
  set(): boolean | null {
    return this.#stored((storage, key) => {
      const found = storage.getItem(key) !== null;
      storage.setItem(key, "begun");
      return found;
    });
  }

  remove(): void {
    this.#stored((storage, key) => storage.removeItem(key));
  }

  #stored<T>(use: (storage: Storage, key: string) => T): T | null {
    if (this.#key === null) return null;
    try {
      return use(window.sessionStorage, this.#key);
    } catch {
      return null; // refused by the browser's settings, or full: `reloaded` says null
    }
  }
}
