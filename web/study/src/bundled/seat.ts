/** A participant's place in a bundled study: their block, what they answered, and what is not saved yet. */

import type { GivenAnswer, Outcome } from "../messages";
import { browserStorage } from "../outbox";
import { randomId } from "../random-id";
import type { Kind } from "./study-file";

/** The orders in which three clips can be shown. */
export const ORDERS = [
  [0, 1, 2],
  [0, 2, 1],
  [1, 0, 2],
  [1, 2, 0],
  [2, 0, 1],
  [2, 1, 0],
] as const;

/** An answer as it is saved: a trial of jsPsych, which `bgs data import` reads. */
export interface SavedTrial extends Omit<GivenAnswer, "client_id"> {
  trial_type: "odd-one-out";
  /** The same when it is sent again. */
  answer_id: string;
  study: string;
  participant: string;
  block: string;
  kind: Kind;
  assigned: Assigned;
  consent_version: string;
  answered_at: string;
}

/** Answers under a name that no other file has; neither ever changes. */
export interface ResultFile {
  name: string;
  trials: SavedTrial[];
}

/** How somebody came by their block. */
export type Assigned = "random" | "condition" | "batch" | "preview";

export interface Seat {
  /** Of this seat alone: another browser's has another one. */
  id: string;
  participant: string;
  block: number;
  assigned: Assigned;
  /** Of each trial, a place in `ORDERS`. */
  orders: number[];
  /** Version of the consent that was given. */
  consent: string | null;
  answered: number[];
  /** Attention checks failed so far. */
  failed: number;
  /** Trials, and of these attention checks, that could not be played; seats of an earlier version have none. */
  unplayed?: { trials: number; checks: number };
  /** Answers that are in no file yet, and files that the saving service has not acknowledged. */
  unsaved: SavedTrial[];
  files: ResultFile[];
  /** Files made so far. */
  made: number;
  outcome: Outcome | null;
}

export function newSeat(participant: string, block: number, trials: number, assigned: Assigned): Seat {
  return {
    id: randomId(),
    participant,
    block,
    assigned,
    orders: Array.from({ length: trials }, () => Math.floor(Math.random() * ORDERS.length)),
    consent: null,
    answered: [],
    failed: 0,
    unsaved: [],
    files: [],
    made: 0,
    outcome: null,
  };
}

/** A participant's name in results: a hash, so that nobody's recruitment id is saved. */
export async function participantName(study: string, source: string, participant: string): Promise<string> {
  const text = new TextEncoder().encode([study, source, participant].join("\n"));
  const bytes = new Uint8Array(await crypto.subtle.digest("SHA-256", text));
  const hex = Array.from(bytes.slice(0, 8), (byte) => byte.toString(16).padStart(2, "0"));
  return `p-${hex.join("")}`;
}

/** Where the browser keeps a seat. Read before every change: another tab may have changed it. */
export class Shelf {
  #memory: Seat | null = null;
  #refused = false;

  constructor(
    readonly key: string,
    readonly storage: Storage | null = browserStorage(),
  ) {}

  read(): Seat | null {
    if (this.#refused || !this.storage) return this.#memory;
    try {
      return JSON.parse(this.storage.getItem(this.key) ?? "null") as Seat | null;
    } catch {
      return this.#memory;
    }
  }

  write(seat: Seat | null): void {
    this.#memory = seat;
    try {
      if (seat) this.storage?.setItem(this.key, JSON.stringify(seat));
      else this.storage?.removeItem(this.key);
      this.#refused = false;
    } catch {
      this.#refused = true; // full, or refused by the browser: kept in memory only
    }
  }
}
