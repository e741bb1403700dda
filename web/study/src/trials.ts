/** Runs odd-one-out trials, one after the other, with the clips of the next few loading meanwhile. */

import { initJsPsych } from "jspsych";
import OddOneOutPlugin, { type OddOneOutData, Preloader } from "jspsych-plugin-odd-one-out";
import type { Clip } from "./messages";

export class Trials {
  readonly #preloader = new Preloader({ ahead: 3 });

  constructor(readonly prompt: string) {}

  /** What comes: the clips of every trial, in order. */
  plan(trials: readonly Clip[][]): void {
    this.#preloader.plan(trials.map((clips) => clips.map((clip) => clip.url)));
  }

  /** Shows one trial in `place`. `name` recognises it after the page was loaded again. */
  async run(place: HTMLElement, clips: readonly Clip[], name: string): Promise<OddOneOutData> {
    const jsPsych = initJsPsych({ display_element: place });
    await jsPsych.run([
      {
        type: OddOneOutPlugin,
        stimuli: clips.map((clip) => clip.id),
        clips: clips.map((clip) => clip.url),
        prompt: this.prompt,
        preloader: this.#preloader,
        resume_key: name,
      },
    ]);
    return jsPsych.data.get().values()[0] as OddOneOutData;
  }

  clear(): void {
    this.#preloader.clear();
  }
}
