/** What the practice page asks the server for. It sends a seed and a place in an order, and nothing about the visitor. */

export interface Scale {
  name: string;
  low: number;
  high: number;
  low_label: string;
  high_label: string;
  /** Mean rating of all clips. */
  average: number;
}

export interface Rating {
  mean: number;
  /** Standard deviation over raters, where it is known. */
  spread: number | null;
}

export interface PracticeClip {
  url: string;
  captions: string[];
  ratings: Record<string, Rating>;
}

export interface Triplet {
  clips: PracticeClip[];
  /** Proportion that chose each clip as the odd one. */
  shares: number[];
  /** How many people chose; 0 where the proportions are a model's probabilities. */
  people: number;
}

export interface About {
  title: string;
  /** Names the set of clips. */
  key: string;
  simulated: boolean;
  triplets: number;
  rated: number;
  scales: Scale[];
}

/** Milliseconds after which a request without an answer is given up. */
const TIMEOUT = 15_000;

/** The server is away, or has no practice mode. */
export class NoAnswer extends Error {}

/** @throws NoAnswer */
export async function ask<T>(what: string): Promise<T> {
  try {
    const signal = AbortSignal.timeout(TIMEOUT);
    const response = await fetch(`api/practice/${what}`, { signal, cache: "no-store" });
    if (response.ok) return (await response.json()) as T;
    throw new NoAnswer(`HTTP ${response.status}`);
  } catch (error) {
    throw error instanceof NoAnswer ? error : new NoAnswer(String(error));
  }
}
