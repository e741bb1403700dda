/** A study without our server: what JATOS and static hosts have in common. */

import type { Arrival } from "../arrival";
import type { Backend, How } from "../backend";
import { type Ending, type GivenAnswer, type Joined, type Outcome, Refused, type Session } from "../messages";
import { newSeat, participantName, type SavedTrial, type Seat, Shelf } from "./seat";
import { type BundledStudy, blockOf, sessionOf } from "./study-file";

const OUTCOMES: Record<Exclude<How, "complete">, Outcome> = {
  decline: "no_consent",
  incompatible: "incompatible",
};

const NONE = { trials: 0, checks: 0 };

export abstract class Bundled implements Backend {
  #preview = false;
  #seat: Seat | null = null;
  #shelf = new Shelf("", null);

  constructor(
    readonly study: BundledStudy,
    readonly storage?: Storage | null,
  ) {}

  /** The seat of a participant: the one that this browser kept, or another. */
  protected abstract take(participant: string, kept: Seat | null): Promise<Seat>;
  /** Stores an answer, and marks it as stored. */
  protected abstract store(trial: SavedTrial, mark: (seat: Seat) => void): Promise<void>;
  /** Resolves once everything is stored. */
  protected abstract saveAll(outcome: Outcome): Promise<void>;
  /** Gives the block back. */
  protected abstract giveBack(): Promise<void>;

  async join(source: Arrival["source"], participant: string): Promise<Joined> {
    this.#preview = source === "preview";
    if (this.#preview) {
      this.#seat = newSeat("preview", 0, this.study.blocks[0]?.trials.length ?? 0, "preview");
      return { consented: false, preview: true };
    }
    const name = await participantName(this.study.hash, source, participant);
    this.#shelf = new Shelf(`bgs-seat:${this.study.hash.slice(0, 16)}:${name}`, this.storage);
    const kept = this.#shelf.read();
    this.#seat = await this.take(name, kept);
    this.#shelf.write(this.#seat);
    await this.update(() => {});
    const { outcome, consent } = this.seat;
    if (outcome) {
      throw new Refused(outcome === "completed" ? "done" : "excluded", await this.ending(outcome));
    }
    return { consented: consent === this.study.consent_version, preview: false };
  }

  async session(): Promise<Session> {
    return sessionOf(this.study, this.seat, this.#preview);
  }

  async consent(): Promise<void> {
    if (this.#preview) return;
    await this.update((seat) => {
      seat.consent = this.study.consent_version;
    });
  }

  async answer(answer: GivenAnswer): Promise<void> {
    if (this.#preview) return;
    if (this.seat.answered.includes(answer.trial)) throw new Refused("answered");
    const { name, trials } = blockOf(this.study, this.seat);
    const kind = trials[answer.trial]?.[3];
    const clips = (await this.session()).trials[answer.trial]?.clips.map((clip) => clip.id);
    // Another window joined at the same moment, and its block is the one that counts.
    if (!kind || String(clips) !== String(answer.stimuli)) throw new Refused("elsewhere");
    const { participant, assigned } = this.seat;
    const { client_id, ...rest } = answer;
    const saved: SavedTrial = {
      trial_type: "odd-one-out",
      study: this.study.hash.slice(0, 16),
      participant,
      block: name,
      kind,
      ...rest,
      answer_id: client_id,
      assigned,
      consent_version: this.study.consent_version,
      answered_at: new Date().toISOString(),
    };
    await this.store(saved, (seat) => {
      seat.answered.push(answer.trial);
      if (kind === "check" && failsCheck(answer)) seat.failed++;
      if (answer.odd === null) {
        const { trials, checks } = seat.unplayed ?? NONE;
        seat.unplayed = { trials: trials + 1, checks: checks + (kind === "check" ? 1 : 0) };
      }
    });
  }

  async end(how: How): Promise<Ending> {
    if (how !== "complete") return this.#leave(OUTCOMES[how]);
    if (this.#preview) return { outcome: "completed", code: null, url: null, preview: true };
    const outcome = outcomeOf(this.seat, this.study);
    await this.saveAll(outcome);
    await this.update((seat) => {
      seat.outcome = outcome;
    });
    return this.ending(outcome);
  }

  /** The seat as it is now. */
  protected get seat(): Seat {
    const seat = (this.#preview ? null : this.#shelf.read()) ?? this.#seat;
    if (!seat) throw new Error("nobody has joined");
    return seat;
  }

  /** Changes the seat, and keeps it. */
  protected async update(change: (seat: Seat) => void): Promise<void> {
    const seat = this.seat;
    change(seat);
    this.#seat = seat;
    this.#shelf.write(seat);
  }

  /** The code of an outcome, and where to go with it. */
  protected async ending(outcome: Outcome): Promise<Ending> {
    const { return_url, [outcome]: code } = this.study.codes;
    return { outcome, code, url: code === null || return_url === null ? null : return_url + code };
  }

  async #leave(outcome: Outcome): Promise<Ending> {
    if (this.#preview) return { outcome, code: null, url: null, preview: true };
    await this.giveBack();
    this.#shelf.write(null);
    return this.ending(outcome);
  }
}

/** As the server has it: a trial that was not played is no answer, nor a check passed. */
function outcomeOf({ failed, unplayed = NONE, answered }: Seat, study: BundledStudy): Outcome {
  if (failed > study.allowed_failures) return "failed_attention";
  const tooMany =
    failed + unplayed.checks > study.allowed_failures ||
    unplayed.trials > study.allowed_unplayed * answered.length;
  return tooMany ? "incompatible" : "completed";
}

/** Whether an attention check is failed: the odd one is the clip that is shown once. */
function failsCheck({ stimuli, odd }: GivenAnswer): boolean {
  return odd !== null && stimuli.filter((stimulus) => stimulus === stimuli[odd]).length !== 1;
}
