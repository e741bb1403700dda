/** What the model says of a clip, each with its interval. */

import type { Attribute, Described } from "./clips";
import { drawn, element } from "./dom";

const WIDTH = 200;

export function attributes(described: Described): HTMLElement[] {
  const found = described.attributes ?? [];
  if (found.length === 0 && described.far !== true) return [];
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
      element(
        "p",
        { class: "hint" },
        `Ratings that people would give, with ${level} % intervals, as in ${described.data ?? "the study"}${described.simulated ? " (SIMULATED)" : ""}.`,
      ),
      element("dl", {}, ...found.flatMap(row)),
    );
  }
  return [part];
}

function row(one: Attribute): HTMLElement[] {
  const { value, low, high, scale } = one;
  const known = low !== null && high !== null;
  const text = `${number(value)}${known ? ` (${number(low)} to ${number(high)})` : ""}`;
  const at = (where: number) =>
    ((Math.min(scale[1], Math.max(scale[0], where)) - scale[0]) / (scale[1] - scale[0] || 1)) * WIDTH;
  const bar = drawn("svg", {
    viewBox: `-4 0 ${WIDTH + 8} 16`,
    class: "interval",
    role: "img",
    "aria-label": text,
  });
  bar.append(drawn("line", { x1: 0, x2: WIDTH, y1: 8, y2: 8, class: "scale" }));
  if (known) bar.append(drawn("line", { x1: at(low), x2: at(high), y1: 8, y2: 8, class: "range" }));
  bar.append(drawn("circle", { cx: at(value), cy: 8, r: 4, class: "value" }));
  const weak = one.r_squared !== null && one.r_squared <= 0;
  const said = element("span", { class: "said" }, weak ? "no better than the mean of all clips" : text);
  return [element("dt", {}, one.name), element("dd", {}, bar, said)];
}

function number(value: number): string {
  return value.toFixed(Math.abs(value) >= 100 ? 0 : 2).replace("-", "−");
}
