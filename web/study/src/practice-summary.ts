/** The score so far: a table of both exercises, and how it went over time. */

import { button, element } from "./pages";
import { chart } from "./practice-chart";
import type { About } from "./practice-data";
import { table } from "./practice-parts";
import { CHANCE, mean, type OddResult, relative, type Score } from "./practice-score";
import { onScale, percent } from "./practice-words";

/** Fewer results have no course over time. */
const DRAWN = 3;
const HEAD = ["", "done", "you", "best possible", "without watching"];

export function scoreSection(about: About, score: Score, clear: () => void): HTMLElement {
  const section = element("section", "practice-score");
  section.setAttribute("aria-labelledby", "practice-score-name");
  const name = element("h2", "practice-subheading", "Your score");
  name.id = "practice-score-name";
  const people = score.odd.filter((one) => one.people > 0);
  const model = score.odd.filter((one) => one.people === 0);
  const rows = [
    ...oddRow("odd one out: share of people who agree", people),
    ...oddRow("odd one out: probability by a model", model),
    ...ratingRows(about, score),
  ];
  const charts = element("div", "practice-charts");
  if (people.length >= DRAWN) charts.append(oddChart("Agreement with people", people));
  if (model.length >= DRAWN) charts.append(oddChart("Agreement with a model", model));
  if (score.ratings.length >= DRAWN && about.scales.length) charts.append(ratingChart(about, score));
  const erase = button("Clear my score", clear);
  const note = "Kept in this browser only, and sent nowhere.";
  section.append(
    name,
    element("p", "practice-note", note),
    table("Your score so far", HEAD, rows),
    charts,
    erase,
  );
  return section;
}

function oddRow(name: string, results: readonly OddResult[]): string[][] {
  if (!results.length) return [];
  const [mine, best] = [mean(results.map((one) => one.mine)), mean(results.map((one) => one.best))];
  return [[name, count(results.length, "trial"), percent(mine), percent(best), percent(CHANCE)]];
}

function ratingRows({ scales }: About, { ratings }: Score): string[][] {
  return scales.flatMap((scale) => {
    const placed = ratings.flatMap((one) => one[scale.name] ?? []);
    if (!placed.length) return [];
    const [error, unwatched] = [
      mean(placed.map((one) => one.error)),
      mean(placed.map((one) => one.unwatched)),
    ];
    const told = (value: number) => onScale(value, scale);
    return [
      [`${scale.name}: mean error`, count(placed.length, "clip"), told(error), told(0), told(unwatched)],
    ];
  });
}

function count(n: number, one: string): string {
  return `${n.toLocaleString("en")} ${one}${n === 1 ? "" : "s"}`;
}

function oddChart(title: string, results: readonly OddResult[]): HTMLElement {
  return chart({
    title,
    one: "trial",
    mine: { name: "you", values: results.map((one) => one.mine) },
    beside: [
      { name: "best possible", values: results.map((one) => one.best) },
      { name: "guessing", values: results.map(() => CHANCE) },
    ],
  });
}

function ratingChart({ scales }: About, { ratings }: Score): HTMLElement {
  const errors = ratings.map((one) => relative(one, scales)).filter(({ error }) => Number.isFinite(error));
  return chart({
    title: "Mean error on the scales (lower is better)",
    one: "clip",
    mine: { name: "you", values: errors.map(({ error }) => error) },
    beside: [{ name: "without watching", values: errors.map(({ unwatched }) => unwatched) }],
  });
}
