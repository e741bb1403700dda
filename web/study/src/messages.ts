/** What the server sends and takes; a bundle without a server speaks the same. */

export interface Clip {
  id: string;
  url: string;
}

export interface Joined {
  consented: boolean;
  preview: boolean;
}

export interface SessionTrial {
  trial: number;
  /** In the order on screen. */
  clips: Clip[];
}

export interface Session {
  title: string;
  language: string;
  consent: string;
  instructions: string;
  debrief: string;
  contact: string;
  break_every: number;
  practice: Clip[][];
  /** Names the study in the browser's storage, where several may share an address. */
  study?: string;
  /** Name of the participant's block. */
  block: string;
  preview: boolean;
  /** Whether practice mode is offered after the end. */
  practice_mode?: boolean;
  trials: SessionTrial[];
  /** Trials whose answer is stored. */
  answered: number[];
}

export interface GivenAnswer {
  client_id: string;
  trial: number;
  stimuli: string[];
  odd: number | null;
  rt: number | null;
  enabled_after: number | null;
  plays: number[];
  playback_errors: { slot: number; error: string; count: number }[];
  tapped_to_play: boolean;
  reloaded: boolean | null;
  hidden_for: number;
}

export type Outcome = "completed" | "no_consent" | "failed_attention" | "incompatible";

export interface Ending {
  outcome: Outcome;
  code: string | null;
  url: string | null;
  preview?: boolean;
  /** Called by the last button, in place of going to `url`. */
  finish?: () => void;
}

/** Why the server refuses: see bgs.collection.refusals. */
export class Refused extends Error {
  constructor(
    readonly reason: string,
    readonly details: Partial<Pick<Ending, "code" | "url" | "finish">> & { missing?: number[] } = {},
  ) {
    super(reason);
    this.name = "Refused";
  }
}
