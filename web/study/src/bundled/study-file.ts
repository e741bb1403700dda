/** `study.json` of a bundle: what the server would know. See bgs.collection.bundling. */

import type { Clip, Outcome, Session, SessionTrial } from "../messages";
import { ORDERS, type Seat } from "./seat";

export type Kind = "judgment" | "repeat" | "check";
/** Places in `clips`, and what kind of trial it is. */
export type PlannedTrial = [first: number, second: number, third: number, kind: Kind];

type Texts = Pick<
  Session,
  "title" | "language" | "consent" | "instructions" | "debrief" | "contact" | "break_every"
>;

/** How answers leave the browser. */
export type Saving =
  | { kind: "download" }
  | {
      kind: "datapipe";
      /** Ends in `/api`. */
      service: string;
      experiment: string;
      /** Answers in a file; null: all of a block. */
      every: number | null;
      /** Blocks in turn, by the service's conditions, rather than at random. */
      conditions: boolean;
    }
  | {
      kind: "jatos";
      /** JATOS itself knows where participants go in the end. */
      redirects: boolean;
    };

export interface BundledStudy extends Texts {
  /** SHA-256 of clips and schedule. */
  hash: string;
  consent_version: string;
  /** Failed attention checks that are forgiven. */
  allowed_failures: number;
  /** Share of trials that need not have been played. */
  allowed_unplayed: number;
  codes: Record<Outcome | "return_url", string | null>;
  clips: Clip[];
  practice: [number, number, number][];
  blocks: { name: string; trials: PlannedTrial[] }[];
  saving: Saving;
}

/** The session of whoever has this seat. */
export function sessionOf(study: BundledStudy, seat: Seat, preview: boolean): Session {
  const { name, trials } = blockOf(study, seat);
  return {
    ...study,
    practice: study.practice.map((places) => places.map((place) => clipAt(study, place))),
    study: study.hash.slice(0, 16),
    block: name,
    preview,
    trials: trials.map((trial, number) => shown(study, trial, number, seat.orders[number] ?? 0)),
    answered: [...seat.answered],
  };
}

export function blockOf(study: BundledStudy, seat: Seat): BundledStudy["blocks"][number] {
  const block = study.blocks[seat.block];
  if (!block) throw new Error(`study.json has no block ${seat.block}`);
  return block;
}

function shown(study: BundledStudy, trial: PlannedTrial, number: number, order: number): SessionTrial {
  const places = ORDERS[order] ?? ORDERS[0];
  return { trial: number, clips: places.map((place) => clipAt(study, trial[place])) };
}

function clipAt(study: BundledStudy, place: number): Clip {
  const clip = study.clips[place];
  if (!clip) throw new Error(`study.json has no clip ${place}`);
  return clip;
}
