/** What went wrong in a trial, counted by slot and kind: of bounded length however long the trouble lasts. */

import type { PlaybackError } from "./info";

export class PlaybackErrors {
  readonly #errors = new Map<string, PlaybackError>();

  add(slot: number, error: string): void {
    const key = `${slot} ${error}`;
    const count = (this.#errors.get(key)?.count ?? 0) + 1;
    this.#errors.set(key, { slot, error, count });
  }

  list(): PlaybackError[] {
    return [...this.#errors.values()].sort((a, b) => a.slot - b.slot);
  }
}
