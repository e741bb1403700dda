/** Data of a participant who is not there. */

import type { JsPsych, JsPsychPlugin } from "jspsych";
import type { Info, OddOneOutData } from "./info";

/** jsPsych does not export this type. */
export type SimulationOptions = Parameters<NonNullable<JsPsychPlugin<Info>["simulate"]>>[2];

/** @param stimuli in the order shown; `options.data` overrides any value, and `odd_id` follows `odd` */
export function simulated(
  jsPsych: JsPsych,
  stimuli: readonly string[],
  options: SimulationOptions,
): OddOneOutData {
  const { randomInt, sampleExGaussian } = jsPsych.randomization;
  const base: OddOneOutData = {
    stimuli: [...stimuli],
    odd: randomInt(0, 2),
    odd_id: null,
    rt: Math.round(sampleExGaussian(1500, 300, 1 / 1000, true)),
    enabled_after: randomInt(3000, 5000),
    plays: [1, 1, 1],
    playback_errors: [],
    tapped_to_play: false,
    reloaded: null,
    hidden_for: 0,
  };
  const data: OddOneOutData = jsPsych.pluginAPI.mergeSimulationData(base, options);
  data.odd_id = data.odd === null ? null : (data.stimuli[data.odd] ?? null);
  return data;
}
