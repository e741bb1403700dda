/** Trying again, ever more slowly, until it works. */

import type { Waiting } from "../server";
import { type Sleep, sleeping } from "../sleep";

const FIRST_WAIT = 300;
const LONGEST_WAIT = 8_000;

/** Resolves with what `attempt` gives, once it does not reject. */
export async function persisting<T>(
  attempt: () => PromiseLike<T> | T,
  waiting: Waiting,
  sleep: Sleep = sleeping,
): Promise<T> {
  for (let tries = 0; ; tries++) {
    try {
      const found = await attempt();
      if (tries > 2) waiting.onFound();
      return found;
    } catch (error) {
      if (error instanceof Final) throw error.reason;
      if (tries === 2) waiting.onLost();
      await sleep(Math.min(FIRST_WAIT * 2 ** tries, LONGEST_WAIT) * (0.5 + Math.random()));
    }
  }
}

/** Thrown by an attempt where trying again is of no use. */
export class Final extends Error {
  constructor(readonly reason: Error) {
    super(reason.message);
  }
}
