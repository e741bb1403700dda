/** What the plugin takes and what it records. */

import { ParameterType } from "jspsych";
import { version } from "../package.json";

export const SLOTS = 3;

export const info = <const>{
  name: "odd-one-out",
  version,
  parameters: {
    /** The ids of the three stimuli, in the order in which they are shown. */
    stimuli: { type: ParameterType.STRING, array: true, default: undefined },
    /** The URLs of their clips, in the same order. (Not of type VIDEO: jsPsych would fetch every clip of the study at once.) */
    clips: { type: ParameterType.STRING, array: true, default: undefined },
    /** Shuffle the three on screen. For studies without a server: with one, the server chooses the order. */
    randomise_order: { type: ParameterType.BOOL, default: false },
    /** The study's `Preloader`; without one, the clips are fetched when the trial starts. */
    preloader: { type: ParameterType.OBJECT, default: null },
    /** The question, as HTML. */
    prompt: { type: ParameterType.HTML_STRING, default: "Which clip is the odd one out?" },
    /** The keys that choose the clips, from the left (or the top). */
    keys: { type: ParameterType.KEYS, default: ["1", "2", "3"] },
    /** What the clips are called on screen and by screen readers. */
    labels: { type: ParameterType.STRING, array: true, default: ["Clip 1", "Clip 2", "Clip 3"] },
    /** Every other text on screen, as plain text. */
    texts: {
      type: ParameterType.COMPLEX,
      default: {},
      nested: {
        loading: { type: ParameterType.STRING, default: "The clips are loading." },
        slow: { type: ParameterType.STRING, default: "A clip is slow to arrive. Still trying." },
        watch: { type: ParameterType.STRING, default: "Watch all three clips; then choose." },
        choose: { type: ParameterType.STRING, default: "Choose a clip, or press 1, 2 or 3." },
        /** The same on devices that are touched, without a mouse. */
        choose_touch: { type: ParameterType.STRING, default: "Tap a clip to choose it." },
        tap: { type: ParameterType.STRING, default: "Tap to play the clips" },
        failed: { type: ParameterType.STRING, default: "A clip could not be played." },
        again: { type: ParameterType.STRING, default: "Try again" },
        skip: { type: ParameterType.STRING, default: "Go on without these clips" },
      },
    },
    /** Names this trial in the tab's session storage, so that `reloaded` is known after the page was loaded again. */
    resume_key: { type: ParameterType.STRING, default: null },
  },
  data: {
    /** The ids in the order shown. */
    stimuli: { type: ParameterType.STRING, array: true },
    /** The slot chosen, 0 to 2 from the left (or the top); null where the trial was given up. */
    odd: { type: ParameterType.INT },
    /** The id of the stimulus chosen; null where the trial was given up. */
    odd_id: { type: ParameterType.STRING },
    /** Milliseconds from the moment at which choosing became possible. */
    rt: { type: ParameterType.INT },
    /** Milliseconds from the start of the trial to that moment; null where it never came. */
    enabled_after: { type: ParameterType.INT },
    /** Whole plays of each clip, by slot. */
    plays: { type: ParameterType.INT, array: true },
    /** What went wrong, by slot and kind: `http-503`, `timeout`, `decode`, `stalled` … Mostly empty. */
    playback_errors: {
      type: ParameterType.COMPLEX,
      array: true,
      nested: {
        slot: { type: ParameterType.INT },
        error: { type: ParameterType.STRING },
        count: { type: ParameterType.INT },
      },
    },
    /** The browser refused to play before a tap. */
    tapped_to_play: { type: ParameterType.BOOL },
    /** The trial had been begun before, and the page was loaded again; null without `resume_key` or session storage. */
    reloaded: { type: ParameterType.BOOL },
    /** Milliseconds during which the page was hidden after choosing became possible (`rt` includes them). */
    hidden_for: { type: ParameterType.INT },
  },
  citations: {
    apa: "Garcia, K., & Isik, L. (2026). Behavioral Geometric Supervision Aligns Video Foundation Models with Human Social Perception. arXiv. https://arxiv.org/abs/2510.01502",
    bibtex:
      "@article{GarciaIsik2026, title={Behavioral Geometric Supervision Aligns Video Foundation Models with Human Social Perception}, author={Garcia, Kathy and Isik, Leyla}, journal={arXiv}, year={2026}, url={https://arxiv.org/abs/2510.01502}}",
  },
};

export type Info = typeof info;

export interface PlaybackError {
  slot: number;
  error: string;
  count: number;
}

/** The data of a trial (beside what jsPsych adds). */
export interface OddOneOutData {
  stimuli: string[];
  odd: number | null;
  odd_id: string | null;
  rt: number | null;
  enabled_after: number | null;
  plays: number[];
  playback_errors: PlaybackError[];
  tapped_to_play: boolean;
  reloaded: boolean | null;
  hidden_for: number;
}

export interface Texts {
  loading: string;
  slow: string;
  watch: string;
  choose: string;
  choose_touch: string;
  tap: string;
  failed: string;
  again: string;
  skip: string;
}
