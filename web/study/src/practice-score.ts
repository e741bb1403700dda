/** The score of a visitor, kept by this browser and sent nowhere. */

import { browserStorage } from "./outbox";
import type { Scale } from "./practice-data";

export interface OddResult {
  /** Share that chose the same clip. */
  mine: number;
  /** Share of the clip that was chosen most. */
  best: number;
  /** 0: the shares are a model's probabilities. */
  people: number;
}

export interface Placed {
  /** Distance from the group's mean, in units of the scale. */
  error: number;
  /** That of somebody who places every clip at the average of all clips. */
  unwatched: number;
}

/** By name of the scale. */
export type RatingResult = Record<string, Placed>;

interface Kept {
  seed: number;
  odd: OddResult[];
  ratings: RatingResult[];
}

export const CHANCE = 1 / 3;
/** Results that are averaged for the line of a chart, and for a row of its table. */
export const WINDOW = 10;

export class Score {
  #kept: Kept;

  /** @param key names the set of clips in the browser's storage */
  constructor(
    readonly key: string,
    readonly storage: Storage | null = browserStorage(),
  ) {
    this.#kept = this.#read() ?? empty();
  }

  /** Of the order in which this visitor sees everything. */
  get seed(): number {
    return this.#kept.seed;
  }

  get odd(): readonly OddResult[] {
    return this.#kept.odd;
  }

  get ratings(): readonly RatingResult[] {
    return this.#kept.ratings;
  }

  addOdd(result: OddResult): void {
    this.#kept.odd.push(result);
    this.#write();
  }

  addRatings(result: RatingResult): void {
    this.#kept.ratings.push(result);
    this.#write();
  }

  clear(): void {
    this.#kept = empty();
    this.#write();
  }

  #read(): Kept | null {
    try {
      const found: unknown = JSON.parse(this.storage?.getItem(this.#name) ?? "null");
      return isKept(found) ? found : null;
    } catch {
      return null;
    }
  }

  #write(): void {
    try {
      this.storage?.setItem(this.#name, JSON.stringify(this.#kept));
    } catch {
      // full or refused by the browser: the score then ends with the page
    }
  }

  get #name(): string {
    return `bgs-practice:${this.key}`;
  }
}

function empty(): Kept {
  return { seed: Math.floor(Math.random() * 2 ** 31), odd: [], ratings: [] };
}

function isKept(found: unknown): found is Kept {
  if (typeof found !== "object" || found === null) return false;
  const { seed, odd, ratings } = found as Partial<Kept>;
  return (
    Number.isInteger(seed) &&
    Array.isArray(odd) &&
    odd.every((one) => [one?.mine, one?.best, one?.people].every(Number.isFinite)) &&
    Array.isArray(ratings) &&
    ratings.every((one) =>
      Object.values((one ?? { "": null }) as Record<string, Placed | null>).every((placed) =>
        [placed?.error, placed?.unwatched].every(Number.isFinite),
      ),
    )
  );
}

export function oddResult(shares: readonly number[], slot: number, people: number): OddResult {
  return { mine: shares[slot] ?? 0, best: Math.max(...shares), people };
}

/** Errors of what was placed, for the scales on which the group has a mean. */
export function ratingResult(
  placed: Readonly<Record<string, number>>,
  means: Readonly<Record<string, number>>,
  scales: readonly Scale[],
): RatingResult {
  const result: RatingResult = {};
  for (const { name, average } of scales) {
    const [mine, mean] = [placed[name], means[name]];
    if (mine === undefined || mean === undefined) continue;
    result[name] = { error: Math.abs(mine - mean), unwatched: Math.abs(average - mean) };
  }
  return result;
}

/** Errors as proportions of their scales, averaged over these. */
export function relative(result: RatingResult, scales: readonly Scale[]): Placed {
  const known = scales.flatMap(({ name, low, high }) => {
    const found = result[name];
    return found ? [[found.error / (high - low), found.unwatched / (high - low)] as const] : [];
  });
  return { error: mean(known.map(([error]) => error)), unwatched: mean(known.map(([, other]) => other)) };
}

/** NaN without values. */
export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Mean of each value and those before it, `WINDOW` at most. */
export function runningMean(values: readonly number[]): number[] {
  return values.map((_, k) => mean(values.slice(Math.max(0, k + 1 - WINDOW), k + 1)));
}

/** Consecutive groups of `WINDOW`. */
export function groups<T>(values: readonly T[]): T[][] {
  const count = Math.ceil(values.length / WINDOW);
  return Array.from({ length: count }, (_, k) => values.slice(k * WINDOW, (k + 1) * WINDOW));
}
