/** First exercise: choose the odd one of three silent clips, then see what others chose. */

import { button, element } from "./pages";
import { captions, ratings } from "./practice-clip-card";
import { type About, ask, type Triplet } from "./practice-data";
import { enterPresses, loopingClip, page, show, svg, topLine } from "./practice-parts";
import { CHANCE, oddResult, type Score } from "./practice-score";
import { chosenBy, percent, verdict } from "./practice-words";
import { Trials } from "./trials";

const BATCH = 10;

/** Resolves once the visitor stops. */
export async function practiseOddOneOut(root: HTMLElement, about: About, score: Score): Promise<void> {
  const trials = new Trials("Which clip is the odd one out?");
  let waiting: Triplet[] = [];
  let next = score.odd.length;
  try {
    for (;;) {
      if (!waiting.length) {
        const found = await ask<Triplet[]>(`triplets?seed=${score.seed}&start=${next}&count=${BATCH}`);
        waiting = found.map(shuffled);
        next += found.length;
      }
      trials.plan(waiting.map(({ clips }) => clips.map(({ url }) => ({ id: url, url }))));
      const triplet = waiting.shift() as Triplet;
      const slot = await chosen(root, trials, triplet, score.odd.length + 1);
      if (slot === "stop") return;
      if (slot === null) continue; // the clips did not play
      score.addOdd(oddResult(triplet.shares, slot, triplet.people));
      if (!(await answered(root, about, triplet, slot))) return;
    }
  } finally {
    trials.clear();
  }
}

/** In another order on screen, the same for clips and shares. */
export function shuffled(triplet: Triplet): Triplet {
  const order = [0, 1, 2];
  for (let k = 2; k > 0; k--) {
    const other = Math.floor(Math.random() * (k + 1));
    [order[k], order[other]] = [order[other] as number, order[k] as number];
  }
  return {
    ...triplet,
    clips: order.map((k) => triplet.clips[k] as Triplet["clips"][number]),
    shares: order.map((k) => triplet.shares[k] as number),
  };
}

async function chosen(
  root: HTMLElement,
  trials: Trials,
  { clips }: Triplet,
  number: number,
): Promise<number | null | "stop"> {
  const place = element("div", "practice-stage");
  const stopped = new Promise<"stop">((resolve) => {
    show(
      root,
      topLine(`Odd one out · trial ${number}`, () => resolve("stop")),
      place,
    );
  });
  const plain = clips.map(({ url }) => ({ id: url, url }));
  const run = trials.run(place, plain, `practice-${number}`).then(({ odd }) => odd);
  return Promise.race([run, stopped]);
}

/** What others chose; whether the visitor goes on. */
function answered(root: HTMLElement, about: About, triplet: Triplet, slot: number): Promise<boolean> {
  const { shares, people } = triplet;
  return new Promise((resolve) => {
    const cards = element("div", "practice-cards");
    cards.append(...triplet.clips.map((_, k) => card(about, triplet, k, k === slot)));
    const next = button("Next", () => resolve(true), true);
    const buttons = element("div", "page-buttons");
    buttons.append(
      next,
      button("Finish", () => resolve(false)),
    );
    const points = `${percent(shares[slot] ?? 0)} of the points. Best possible here ${percent(Math.max(...shares))}, guessing ${percent(CHANCE)}.`;
    const parts = [element("p", "practice-verdict", verdict(shares, slot, people))];
    if (people === 0) {
      const warning = "Nobody was asked about these three: the percentages are a model’s, not people’s.";
      parts.push(element("p", "practice-note", warning));
    }
    const made = page(people ? "What others chose" : "What a model expects", ...parts, cards);
    made.append(element("p", "practice-note", points), buttons);
    made.classList.add("practice-wide");
    show(root, made);
    enterPresses(next);
  });
}

function card(about: About, { clips, shares, people }: Triplet, k: number, mine: boolean): HTMLElement {
  const clip = clips[k] as Triplet["clips"][number];
  const share = shares[k] ?? 0;
  const made = element("article", mine ? "practice-card practice-mine" : "practice-card");
  const name = element("h2", "practice-card-name", `Clip ${k + 1}`);
  if (mine) name.append(element("span", "practice-tag", "your choice"));
  const bar = svg(
    "svg",
    { class: people ? "practice-bar" : "practice-bar practice-bar-model", "aria-hidden": "true" },
    svg("rect", { width: "100%", height: "100%", rx: 4, class: "bar-whole" }),
    svg("rect", { width: `${(100 * share).toFixed(2)}%`, height: "100%", rx: 4, class: "bar-share" }),
  );
  const told = element("p", "practice-share", chosenBy(share, people));
  if (people) told.append(element("span", "practice-percent", ` ${percent(share)}`));
  const text = element("div", "practice-card-text");
  text.append(name, told, bar, ...captions(clip), ...ratings(clip, about.scales));
  made.append(loopingClip(clip.url, `Clip ${k + 1}`), text);
  return made;
}
