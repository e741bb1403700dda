/* Three trials; the second shows one clip twice, as an attention check does. */
/* global initJsPsych, jsPsychOddOneOut */

const clip = (name) => `clips/${name}.mp4`;
const trials = [
  ["red", "green", "blue"],
  ["red", "red", "green"],
  ["blue", "green", "red"],
].map((stimuli) => ({ stimuli, clips: stimuli.map(clip) }));

const preloader = new jsPsychOddOneOut.Preloader({ ahead: 2 });
preloader.plan(trials.map((trial) => trial.clips));

const jsPsych = initJsPsych({ on_finish: () => jsPsych.data.displayData("json") });
jsPsych.run(
  trials.map((trial, i) => ({ type: jsPsychOddOneOut, ...trial, preloader, resume_key: `example/${i}` })),
);
