/** Answers on their way to the server: kept by the browser until they are acknowledged, through reloads and crashes. */

import { type GivenAnswer, Refused } from "./messages";

type Send = (answer: GivenAnswer) => Promise<unknown>;

export class Outbox {
  #waiting: GivenAnswer[];
  #sending: Promise<void> | null = null;
  #refused: Refused | null = null;

  /**
   * @param key names the session in the browser's storage
   * @param send stores an answer on the server, however long that takes
   */
  constructor(
    readonly key: string,
    readonly send: Send,
    readonly storage: Storage | null = browserStorage(),
  ) {
    this.#waiting = this.#read();
  }

  /** Answers that are not acknowledged yet. */
  get waiting(): readonly GivenAnswer[] {
    return this.#waiting;
  }

  /** Keeps an answer, and starts sending. */
  add(answer: GivenAnswer): void {
    this.#waiting.push(answer);
    this.#write();
    this.start();
  }

  /** Sends what waits, in the background. */
  start(): void {
    this.#sending ??= this.#sendAll().finally(() => {
      this.#sending = null;
      if (this.#waiting.length && !this.#refused) this.start();
    });
  }

  /**
   * Resolves once at most `left` answers are not acknowledged.
   *
   * @throws Refused where the session has ended otherwise
   */
  async untilLeft(left: number): Promise<void> {
    while (this.#waiting.length > left && !this.#refused) {
      this.start();
      await this.#sending;
    }
    if (this.#refused) throw this.#refused;
  }

  async #sendAll(): Promise<void> {
    const answer = this.#waiting[0];
    if (!answer) return;
    try {
      await this.send(answer);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      // Another answer to this trial is stored, from another tab perhaps: that one counts.
      if (error.reason !== "answered") this.#refused = error;
      if (this.#refused) return;
    }
    this.#waiting = this.#waiting.filter((one) => one.client_id !== answer.client_id);
    this.#write();
  }

  #read(): GivenAnswer[] {
    try {
      const found: unknown = JSON.parse(this.storage?.getItem(this.key) ?? "[]");
      return Array.isArray(found) ? (found as GivenAnswer[]) : [];
    } catch {
      return [];
    }
  }

  #write(): void {
    try {
      this.storage?.setItem(this.key, JSON.stringify(this.#waiting));
    } catch {
      // full or refused by the browser: answers are then kept in memory only, and sent as they are
    }
  }
}

export function browserStorage(): Storage | null {
  try {
    return window.localStorage;
  } catch {
    return null;
  }
}
