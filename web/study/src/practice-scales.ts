/** Second exercise: watch one silent clip, place it on scales, then see where the group placed it. */

import { button, element } from "./pages";
import { captions, track } from "./practice-clip-card";
import { type About, ask, type PracticeClip, type Scale } from "./practice-data";
import { enterPresses, loopingClip, show, topLine } from "./practice-parts";
import { ratingResult, type Score } from "./practice-score";
import { onScale } from "./practice-words";

const BATCH = 5;
const STEPS = 100;

/** Resolves once the visitor stops. */
export async function practiseScales(root: HTMLElement, about: About, score: Score): Promise<void> {
  let waiting: PracticeClip[] = [];
  let next = score.ratings.length;
  for (;;) {
    if (!waiting.length) {
      waiting = await ask<PracticeClip[]>(`clips?seed=${score.seed}&start=${next}&count=${BATCH}`);
      next += waiting.length;
    }
    const clip = waiting.shift() as PracticeClip;
    if (!(await onePlacement(root, about, score, clip))) return;
  }
}

/** One clip; whether the visitor goes on. */
function onePlacement(root: HTMLElement, about: About, score: Score, clip: PracticeClip): Promise<boolean> {
  const scales = about.scales.filter(({ name }) => clip.ratings[name]);
  return new Promise((resolve) => {
    const sliders = scales.map((scale) => new Slider(scale, () => changed()));
    const section = element("section", "practice-page practice-placing");
    const title = element("h1", "page-heading", "How do you see it?");
    title.tabIndex = -1;
    const hint = element(
      "p",
      "practice-note",
      "Move every slider, then see where the group placed the clip.",
    );
    const buttons = element("div", "page-buttons");
    const form = element("div", "practice-sliders");
    const reveal = button(
      "Show the group",
      () => {
        const placed = Object.fromEntries(sliders.map((slider) => [slider.scale.name, slider.value]));
        const means = Object.fromEntries(
          scales.map(({ name }) => [name, clip.ratings[name]?.mean ?? Number.NaN]),
        );
        score.addRatings(ratingResult(placed, means, scales));
        for (const slider of sliders) slider.reveal(clip);
        title.textContent = "How the group sees it";
        hint.textContent = key(clip, scales);
        buttons.before(...captions(clip));
        const next = button("Next clip", () => resolve(true), true);
        buttons.replaceChildren(
          next,
          button("Finish", () => resolve(false)),
        );
        enterPresses(next);
        title.focus({ preventScroll: true });
      },
      true,
    );
    const changed = () => {
      reveal.disabled = sliders.some((slider) => !slider.placed);
    };
    changed();
    buttons.append(reveal);
    form.append(title, hint, ...sliders.map((slider) => slider.root), buttons);
    section.append(loopingClip(clip.url, "The clip"), form);
    show(
      root,
      topLine(`Scales · clip ${score.ratings.length + 1}`, () => resolve(false)),
      section,
    );
    enterPresses(reveal);
  });
}

function key(clip: PracticeClip, scales: readonly Scale[]): string {
  const known = scales.some(({ name }) => clip.ratings[name]?.spread !== null);
  return known
    ? "Orange: the group’s mean; the band is one standard deviation on either side."
    : "Orange: the group’s mean.";
}

class Slider {
  readonly root = element("div", "practice-slider");
  readonly #input = element("input", "practice-range");
  readonly #told = element("output", "practice-told", "not placed yet");
  placed = false;

  constructor(
    readonly scale: Scale,
    changed: () => void,
  ) {
    const { name, low, high } = scale;
    const input = this.#input;
    input.type = "range";
    input.min = String(low);
    input.max = String(high);
    input.step = String((high - low) / STEPS);
    input.value = String((low + high) / 2);
    input.id = `scale-${name}`;
    input.classList.add("practice-unplaced");
    const place = () => {
      this.placed = true;
      input.classList.remove("practice-unplaced");
      this.#tell(`you: ${onScale(this.value, scale)}`);
      changed();
    };
    // A click on the thumb places it where it is: nothing changes then, and no "input" comes.
    for (const event of ["input", "click"]) input.addEventListener(event, place);
    const label = element("label", "practice-scale", name);
    label.htmlFor = input.id;
    this.#told.htmlFor.add(input.id);
    const head = element("div", "practice-slider-head");
    head.append(label, this.#told);
    const ends = element("div", "practice-ends");
    ends.append(element("span", "", this.#end("low")), element("span", "", this.#end("high")));
    this.root.append(head, input, ends);
    this.#tell("not placed yet");
  }

  get value(): number {
    return Number(this.#input.value);
  }

  /** Shows the group beside what was placed. */
  reveal(clip: PracticeClip): void {
    const { mean, spread } = clip.ratings[this.scale.name] as { mean: number; spread: number | null };
    const told = (value: number) => onScale(value, this.scale);
    this.#input.disabled = true;
    this.#input.after(track(mean, spread, this.scale));
    const group = `group: ${told(mean)}${spread === null ? "" : ` ± ${told(spread)}`}`;
    this.#tell(`you: ${told(this.value)} · ${group} · off by ${told(Math.abs(this.value - mean))}`);
  }

  #tell(text: string): void {
    this.#told.textContent = text;
    this.#input.setAttribute("aria-valuetext", `${text}, from ${this.#end("low")} to ${this.#end("high")}`);
  }

  #end(which: "low" | "high"): string {
    const { [which]: value, [`${which}_label` as const]: label } = this.scale;
    return label ? `${value} ${label}` : String(value);
  }
}
