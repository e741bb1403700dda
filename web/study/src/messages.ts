/** What the server sends and takes. */

export interface Clip {
  id: string;
  url: string;
}

export interface Joined {
  token: string;
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

export interface Ending {
  outcome: "completed" | "no_consent" | "failed_attention" | "incompatible";
  code: string | null;
  url: string | null;
  preview?: boolean;
}

/** Why the server refuses: see bgs.collection.refusals. */
export class Refused extends Error {
  constructor(
    readonly reason: string,
    readonly details: { code?: string | null; url?: string | null; missing?: number[] } = {},
  ) {
    super(reason);
    this.name = "Refused";
  }
}
