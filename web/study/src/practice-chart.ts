/** A small chart of a score over time, and the same numbers as a table. */

import { element } from "./pages";
import { svg, table } from "./practice-parts";
import { groups, mean, runningMean, WINDOW } from "./practice-score";
import { percent } from "./practice-words";

export interface Series {
  /** In the key, and the head of a column. */
  name: string;
  values: readonly number[];
}

export interface ChartContent {
  title: string;
  /** What one result is: trial, clip. */
  one: string;
  mine: Series;
  /** Drawn as dashed lines, each at its running mean. */
  beside: readonly Series[];
}

const [WIDTH, HEIGHT] = [340, 150];
const [LEFT, RIGHT, TOP, BOTTOM] = [44, 8, 8, 24];

/** Proportions over time; the line is the mean of the last ten. */
export function chart({ title, one, mine, beside }: ChartContent): HTMLElement {
  const all = [mine, ...beside].flatMap((series) => [...series.values]);
  const top = Math.max(...all) > 0.5 ? 1 : 0.5;
  const n = mine.values.length;
  const x = (k: number) => LEFT + (WIDTH - LEFT - RIGHT) * (n > 1 ? k / (n - 1) : 0.5);
  const y = (value: number) => TOP + (HEIGHT - TOP - BOTTOM) * (1 - value / top);
  const line = (values: readonly number[]) =>
    runningMean(values)
      .map((value, k) => `${x(k).toFixed(1)},${y(value).toFixed(1)}`)
      .join(" ");
  const drawing = svg(
    "svg",
    {
      viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
      role: "img",
      class: "practice-chart",
      "aria-label": spoken(title, mine),
    },
    ...[0, top / 2, top].flatMap((value) => [
      svg("line", { x1: LEFT, x2: WIDTH - RIGHT, y1: y(value), y2: y(value), class: "chart-grid" }),
      svg("text", { x: LEFT - 6, y: y(value) + 4, "text-anchor": "end" }, percent(value)),
    ]),
    svg("text", { x: LEFT, y: HEIGHT - 6 }, n > 1 ? `${one} 1` : ""),
    svg("text", { x: WIDTH - RIGHT, y: HEIGHT - 6, "text-anchor": "end" }, `${one} ${n}`),
    ...beside.map(({ values }, k) =>
      svg("polyline", { points: line(values), class: `chart-line chart-beside-${k}` }),
    ),
    ...mine.values.map((value, k) => svg("circle", { cx: x(k), cy: y(value), r: 2.5, class: "chart-dot" })),
    svg("polyline", { points: line(mine.values), class: "chart-line chart-mine" }),
  );
  const figure = element("figure", "practice-figure");
  const caption = element("figcaption", "practice-keys");
  caption.append(
    key("chart-mine", mine.name),
    ...beside.map(({ name }, k) => key(`chart-beside-${k}`, name)),
  );
  figure.append(
    element("h3", "practice-subheading", title),
    drawing,
    caption,
    numbers({ title, one, mine, beside }),
  );
  return figure;
}

function spoken(title: string, { values }: Series): string {
  const last = values.slice(-WINDOW);
  return `${title}: ${percent(mean(last))} on average in the last ${last.length} of ${values.length}`;
}

function key(name: string, text: string): HTMLElement {
  const made = element("span", "practice-key");
  const mark = svg("line", { x1: 0, x2: 22, y1: 5, y2: 5, class: `chart-line ${name}` });
  made.append(svg("svg", { width: 22, height: 10, "aria-hidden": "true" }, mark), text);
  return made;
}

function numbers({ title, one, mine, beside }: ChartContent): HTMLElement {
  const series = [mine, ...beside];
  const rows = groups(mine.values).map((group, k) => {
    const from = k * WINDOW;
    const cells = series.map(({ values }) => percent(mean(values.slice(from, from + group.length))));
    return [group.length > 1 ? `${from + 1} to ${from + group.length}` : `${from + 1}`, ...cells];
  });
  const details = element("details", "practice-details");
  details.append(
    element("summary", "", "The same as a table"),
    table(title, [`${one}s`, ...series.map(({ name }) => name)], rows),
  );
  return details;
}
