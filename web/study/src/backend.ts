/** Who hands out blocks and keeps answers: our server, JATOS, or the browser with a saving service. */

import type { Arrival } from "./arrival";
import type { Ending, GivenAnswer, Joined, Session } from "./messages";

export type How = "complete" | "decline" | "incompatible";

/** Every call resolves when it is done, however long that takes, or rejects with `Refused`. */
export interface Backend {
  /** Gives the participant a block: the one that they have, or a free one. */
  join(source: Arrival["source"], participant: string): Promise<Joined>;
  session(): Promise<Session>;
  consent(): Promise<unknown>;
  /** Keeps an answer. The same one may come again, after a reload. */
  answer(answer: GivenAnswer): Promise<unknown>;
  /** Ends the session; of those who complete it, once every answer is stored. */
  end(how: How): Promise<Ending>;
}
