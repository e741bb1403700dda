/** A study on a static host: a block by chance, answers in the browser until a saving service has them. */

import { Bundled } from "./bundled";
import type { Saver } from "./saving";
import { newSeat, type ResultFile, type SavedTrial, type Seat } from "./seat";
import type { BundledStudy } from "./study-file";

/** The number of the next block, from whoever counts; without one, blocks are drawn at random. */
type Condition = (() => Promise<number>) | null;

export class StaticStudy extends Bundled {
  #offering: Promise<void> | null = null;

  constructor(
    study: BundledStudy,
    readonly saver: Saver,
    readonly condition: Condition = null,
    storage?: Storage | null,
  ) {
    super(study, storage);
  }

  protected override async take(participant: string, kept: Seat | null): Promise<Seat> {
    if (kept) return kept;
    const { blocks } = this.study;
    const block = this.condition
      ? (await this.condition()) % blocks.length
      : Math.floor(Math.random() * blocks.length);
    const trials = blocks[block]?.trials.length ?? 0;
    return newSeat(participant, block, trials, this.condition ? "condition" : "random");
  }

  protected override async store(trial: SavedTrial, mark: (seat: Seat) => void): Promise<void> {
    await this.update((seat) => {
      mark(seat);
      seat.unsaved.push(trial);
      if (seat.unsaved.length >= this.saver.every) makeFile(seat);
    });
    this.#offering ??= this.#offer().finally(() => {
      this.#offering = null;
    });
  }

  protected override async saveAll(): Promise<void> {
    await this.#offering;
    await this.update((seat) => {
      if (seat.unsaved.length > 0) makeFile(seat);
    });
    for (let [file, ...behind] = this.seat.files; file; [file, ...behind] = this.seat.files) {
      await this.saver.save(file, behind);
      await this.#forget(file);
    }
  }

  protected override async giveBack(): Promise<void> {
    // Nobody counts who has which block.
  }

  /** Sends what is ready, while the participant goes on; what fails waits for the next time. */
  async #offer(): Promise<void> {
    for (let file = this.seat.files[0]; file; file = this.seat.files[0]) {
      if (!(await this.saver.offer(file))) return;
      await this.#forget(file);
    }
  }

  #forget(saved: ResultFile): Promise<void> {
    return this.update((seat) => {
      seat.files = seat.files.filter((file) => file.name !== saved.name);
    });
  }
}

function makeFile(seat: Seat): void {
  const name = `${seat.participant}-${seat.id.slice(0, 13)}-${seat.made++}.json`;
  seat.files.push({ name, trials: seat.unsaved.splice(0) });
}
