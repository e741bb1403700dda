/** What the model says of a clip, each with its interval. */

import type { Attribute, Described } from "./clips";
import { drawn, element } from "./dom";

const WIDTH = 200;

export function attributes(described: Described): HTMLElement | null {
  const found = described.attributes ?? [];
  if (found.length === 0 && described.far !== true) return null;
  const level = Math.round(100 * (described.level ?? 0.9));
  const part = element("section", { class: "attributes" }, element("h3", {}, "What the model predicts"));
  if (described.far === true)
    part.append(
      element(
        "p",
        { class: "far" },
        "Far from anything the model was trained on: do not rely on these numbers.",
      ),
    );
  if (found.length > 0) {
    part.append(
      element("p", { class: "hint" }, `Ratings people would give, with ${level} % intervals.`),
      element("dl", {}, ...found.flatMap(row)),
    );
  }
  return part;
}

function row(one: Attribute): HTMLElement[] {
  const text = `${number(one.value)} (${number(one.low)} to ${number(one.high)})`;
  const at = (value: number) =>
    ((Math.min(one.most, Math.max(one.least, value)) - one.least) / (one.most - one.least || 1)) * WIDTH;
  const bar = drawn("svg", {
    viewBox: `-4 0 ${WIDTH + 8} 16`,
    class: "interval",
    role: "img",
    "aria-label": text,
  });
  bar.append(
    drawn("line", { x1: 0, x2: WIDTH, y1: 8, y2: 8, class: "scale" }),
    drawn("line", { x1: at(one.low), x2: at(one.high), y1: 8, y2: 8, class: "range" }),
    drawn("circle", { cx: at(one.value), cy: 8, r: 4, class: "value" }),
  );
  return [
    element("dt", {}, one.name),
    element("dd", {}, bar, element("span", { "aria-hidden": true }, text)),
  ];
}

function number(value: number): string {
  return value.toFixed(Math.abs(value) >= 100 ? 0 : 2).replace("-", "−");
}
