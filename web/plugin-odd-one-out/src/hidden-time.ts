/** How long the page has been hidden since this was made. */
export class HiddenTime {
  #since: number | null = document.hidden ? performance.now() : null;
  #total = 0;

  /** @param until aborted when nobody asks any more */
  constructor(until: AbortSignal) {
    document.addEventListener("visibilitychange", () => this.#changed(), { signal: until });
  }

  milliseconds(): number {
    return Math.round(this.#total + (this.#since === null ? 0 : performance.now() - this.#since));
  }

  #changed(): void {
    this.#total = this.milliseconds();
    this.#since = document.hidden ? performance.now() : null;
  }
}
