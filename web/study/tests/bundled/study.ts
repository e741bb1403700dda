import type { BundledStudy, Saving } from "../../src/bundled/study-file";
import type { GivenAnswer, Session } from "../../src/messages";

/** Three blocks of three trials; the last one of each shows a clip twice. */
export function study(saving: Saving = { kind: "download" }, blocks = 3): BundledStudy {
  return {
    hash: "0123456789abcdef0123456789abcdef",
    title: "A study",
    language: "en",
    consent: "I agree.",
    consent_version: "2",
    instructions: "Choose.",
    debrief: "Thanks.",
    contact: "me@example.org",
    break_every: 30,
    allowed_failures: 0,
    allowed_unplayed: 0.2,
    codes: {
      completed: "DONE",
      no_consent: "NO",
      failed_attention: "FAIL",
      incompatible: null,
      return_url: "https://example.org/?cc=",
    },
    clips: ["a", "b", "c", "d"].map((id) => ({ id, url: `clips/${id}.mp4` })),
    practice: [[0, 1, 2]],
    blocks: Array.from({ length: blocks }, (_, k) => ({
      name: `block-${k}`,
      trials: [
        [0, 1, 2, "judgment"],
        [1, 2, 3, "judgment"],
        [0, 0, 3, "check"],
      ],
    })),
    saving,
  };
}

/** What the page sends for a trial; attentive unless told otherwise. */
export function answerTo(session: Session, trial: number, attentive = true): GivenAnswer {
  const stimuli = session.trials[trial]?.clips.map((clip) => clip.id) ?? [];
  const single = stimuli.findIndex((id) => stimuli.filter((other) => other === id).length === 1);
  return {
    client_id: `${session.block}-${trial}-${Math.random()}`,
    trial,
    stimuli,
    odd: attentive ? single : (single + 1) % 3,
    rt: 1000,
    enabled_after: 10,
    plays: [1, 1, 1],
    playback_errors: [],
    tapped_to_play: false,
    reloaded: null,
    hidden_for: 0,
  };
}
