import type { JsPsych, JsPsychPlugin, TrialType } from "jspsych";
import { type Info, info, type OddOneOutData, SLOTS, type Texts } from "./info";
import { Preloader } from "./preloader";
import { ResumeMark } from "./resume-mark";
import { type SimulationOptions, simulated } from "./simulated";
import { Trial } from "./trial";

/** Parameters as jsPsych hands them over: defaults filled in. */
type Parameters = Required<Pick<TrialType<Info>, keyof Info["parameters"]>>;

/**
 * **odd-one-out**
 *
 * Three muted clips side by side, played again and again; once each has played, the participant chooses the odd one
 * out by key, mouse or touch.
 */
export default class OddOneOutPlugin implements JsPsychPlugin<Info> {
  static readonly info = info;

  constructor(private readonly jsPsych: JsPsych) {}

  async trial(
    display: HTMLElement,
    trial: TrialType<Info>,
    onLoad: () => void = () => {},
  ): Promise<OddOneOutData> {
    return this.#run(display, trial as Parameters, onLoad);
  }

  async simulate(
    given: TrialType<Info>,
    mode: "data-only" | "visual",
    options: SimulationOptions,
    onLoad: () => void = () => {},
  ): Promise<OddOneOutData> {
    const trial = given as Parameters;
    const order = this.#order(trial);
    const data: OddOneOutData = simulated(this.jsPsych, shuffled(trial.stimuli, order), options);
    if (mode === "data-only") {
      onLoad();
      return data;
    }
    const answer = () => {
      const key = trial.keys[data.odd ?? -1];
      if (key !== undefined) this.jsPsych.pluginAPI.pressKey(key, data.rt ?? 0);
    };
    return this.#run(this.jsPsych.getDisplayElement(), trial, onLoad, order, answer);
  }

  async #run(
    display: HTMLElement,
    trial: Parameters,
    onLoad: () => void,
    order = this.#order(trial),
    onEnabled = () => {},
  ): Promise<OddOneOutData> {
    const mark = new ResumeMark(trial.resume_key);
    const preloader = (trial.preloader as Preloader | null) ?? new Preloader();
    const running = new Trial(
      {
        prompt: trial.prompt,
        labels: trial.labels,
        keys: trial.keys as string[],
        texts: trial.texts as Texts,
        stimuli: shuffled(trial.stimuli, order),
        clips: shuffled(trial.clips, order),
        reloaded: mark.set(),
        compareKeys: (key, other) => this.jsPsych.pluginAPI.compareKeys(key, other),
      },
      preloader,
    );
    running.onEnabled = onEnabled;
    const data = running.run(display);
    onLoad();
    await data;
    mark.remove();
    return data;
  }

  /** Which stimulus is in which slot. */
  #order(trial: Parameters): number[] {
    const { stimuli, clips, keys, labels } = trial;
    const lengths = [stimuli.length, clips.length, keys.length, labels.length];
    if (lengths.some((length) => length !== SLOTS)) {
      throw new Error(
        `odd-one-out: stimuli, clips, keys and labels must have three entries each; found ${lengths.join(", ")}`,
      );
    }
    const order = [0, 1, 2];
    return trial.randomise_order ? this.jsPsych.randomization.shuffle(order) : order;
  }
}

function shuffled(values: readonly string[], order: readonly number[]): string[] {
  return order.map((from) => values[from] as string);
}

export { ClipPlayer, type ClipPlayerEvents } from "./clip-player";
export type { OddOneOutData, PlaybackError } from "./info";
export { ClipUnavailable, type LoadedClip, Preloader, type PreloaderOptions } from "./preloader";
