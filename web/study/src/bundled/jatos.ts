/** A study on a JATOS server: blocks by the batch session, answers as result data. */

import { type Ending, type Outcome, Refused } from "../messages";
import type { Waiting } from "../server";
import { type Sleep, sleeping } from "../sleep";
import { Bundled } from "./bundled";
import type { Jatos } from "./jatos-api";
import { Final, persisting } from "./persisting";
import { newSeat, type SavedTrial, type Seat } from "./seat";
import type { BundledStudy } from "./study-file";

/** Who has a block: the value of `bgs-block-N` in the batch session. Without it, the block is free. */
interface Holder {
  participant: string;
  /** The study run in which it was taken. */
  run: string;
  outcome: Outcome | "begun";
}

export class JatosStudy extends Bundled {
  #ended = false;

  constructor(
    study: BundledStudy,
    readonly jatos: Jatos,
    readonly waiting: Waiting,
    storage?: Storage | null,
    readonly sleep: Sleep = sleeping,
  ) {
    super(study, storage);
  }

  protected override async take(participant: string, kept: Seat | null): Promise<Seat> {
    const found = this.#seatOfRun(participant);
    // The browser is never behind JATOS, but it may have been emptied.
    if (found) return kept?.id === found.id ? kept : found;
    const [block, { run, outcome }] = await this.#claim(participant);
    if (kept?.block === block) return kept; // an earlier run of the same person in this browser
    if (outcome !== "begun") throw new Refused("done");
    if (run !== String(this.jatos.studyResultId)) throw new Refused("elsewhere");
    return newSeat(participant, block, this.study.blocks[block]?.trials.length ?? 0, "batch");
  }

  protected override async store(trial: SavedTrial, mark: (seat: Seat) => void): Promise<void> {
    // Sent again, it has the same answer_id, by which `bgs data import` knows it.
    await this.#persist(() => this.jatos.appendResultData(`${JSON.stringify(trial)}\n`));
    await this.update(mark);
  }

  protected override async update(change: (seat: Seat) => void): Promise<void> {
    await super.update(change);
    await this.#remember(this.seat);
  }

  protected override async saveAll(outcome: Outcome): Promise<void> {
    const { block, participant } = this.seat;
    await this.#persist(async () => {
      if (this.#holder(block)?.participant !== participant) return; // the researcher gave it to somebody else
      await this.jatos.batchSession.replace(`/${key(block)}/outcome`, outcome);
    });
  }

  protected override async giveBack(): Promise<void> {
    const { block, participant } = this.seat;
    await this.#persist(async () => {
      if (this.#holder(block)?.participant === participant) {
        await this.jatos.batchSession.remove(`/${key(block)}`);
      }
    });
    await this.#remember(null);
  }

  /** JATOS keeps where those go who completed; for everybody else the run ends here. */
  protected override async ending(outcome: Outcome): Promise<Ending> {
    const { saving } = this.study;
    const ending = await super.ending(outcome);
    if (outcome === "completed" && saving.kind === "jatos" && saving.redirects) {
      return { ...ending, finish: () => this.jatos.endStudy(true, outcome) };
    }
    if (!this.#ended) {
      this.#ended = true;
      try {
        await this.jatos.endStudyWithoutRedirect(outcome === "completed", outcome);
      } catch {
        // everything is stored; JATOS lists the run as begun
      }
    }
    return ending;
  }

  /** The block of a participant, or the next free one. Nobody else gets it: JATOS refuses what rests on an old version. */
  #claim(participant: string): Promise<readonly [block: number, Holder]> {
    return this.#persist(async () => {
      const holders = this.study.blocks.map((_, block) => this.#holder(block));
      const mine = holders.findIndex((holder) => holder?.participant === participant);
      const holder = holders[mine];
      if (holder) return [mine, holder] as const;
      const free = holders.indexOf(undefined);
      if (free < 0) throw new Final(new Refused("full"));
      const me: Holder = { participant, run: String(this.jatos.studyResultId), outcome: "begun" };
      await this.jatos.batchSession.add(`/${key(free)}`, me);
      return [free, me] as const;
    });
  }

  #holder(block: number): Holder | undefined {
    return this.jatos.batchSession.get(key(block)) as Holder | undefined;
  }

  /** The seat that this study run has, which JATOS keeps through reloads. */
  #seatOfRun(participant: string): Seat | null {
    const seat = this.jatos.studySessionData?.bgs as Seat | null | undefined;
    return seat?.participant === participant ? seat : null;
  }

  #remember(seat: Seat | null): Promise<unknown> {
    return this.#persist(() => this.jatos.setStudySessionData({ ...this.jatos.studySessionData, bgs: seat }));
  }

  #persist<T>(attempt: () => PromiseLike<T>): Promise<T> {
    return persisting(attempt, this.waiting, this.sleep);
  }
}

function key(block: number): string {
  return `bgs-block-${block}`;
}
