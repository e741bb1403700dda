/** Practising to see social meaning with the sound off: two exercises, and a score that this browser keeps. */

import "jspsych-plugin-odd-one-out/odd-one-out.css";
import "./study.css";
import "./practice.css";
import { button, element } from "./pages";
import { type About, ask, NoAnswer } from "./practice-data";
import { practiseOddOneOut } from "./practice-odd";
import { page, show } from "./practice-parts";
import { practiseScales } from "./practice-scales";
import { Score } from "./practice-score";
import { scoreSection } from "./practice-summary";
import { listed } from "./practice-words";

type Exercise = (root: HTMLElement, about: About, score: Score) => Promise<void>;

const root = document.getElementById("practice") as HTMLElement;

async function begin(): Promise<void> {
  try {
    const about = await ask<About>("about");
    document.title = `Practise: ${about.title}`;
    if (about.simulated)
      root.before(element("p", "practice-simulated", "Clips or judgments here are SIMULATED."));
    home(about, new Score(about.key));
  } catch (error) {
    lost(error, begin);
  }
}

function home(about: About, score: Score): void {
  const run = async (exercise: Exercise) => {
    try {
      await exercise(root, about, score);
      home(about, score);
    } catch (error) {
      lost(error, () => run(exercise));
    }
  };
  const choices = element("div", "practice-choices");
  choices.append(
    choice(
      "Find the odd one out",
      "Three silent clips. Which one does not belong? Then see what others chose.",
      () => run(practiseOddOneOut),
    ),
  );
  if (about.rated) {
    const names = listed(about.scales.map(({ name }) => name));
    choices.append(
      choice("Place a clip on scales", `One silent clip: place its ${names}. Then see the group’s.`, () =>
        run(practiseScales),
      ),
    );
  }
  const parts: HTMLElement[] = [
    element("p", "page-text", "See social meaning with the sound off, and compare with others."),
    choices,
  ];
  if (score.odd.length || score.ratings.length) {
    parts.push(
      scoreSection(about, score, () => {
        score.clear();
        home(about, score);
      }),
    );
  }
  show(root, page("Practise", ...parts));
}

function choice(name: string, text: string, act: () => void): HTMLElement {
  const made = button("", act);
  made.className = "practice-choice";
  made.append(element("strong", "", name), element("span", "", text));
  return made;
}

function lost(error: unknown, again: () => unknown): void {
  if (!(error instanceof NoAnswer)) throw error;
  const buttons = element("div", "page-buttons");
  buttons.append(button("Try again", () => void again(), true));
  const text = element("p", "page-text", "Practising is not offered here, or the connection is lost.");
  show(root, page("No answer", text, buttons));
}

await begin();
