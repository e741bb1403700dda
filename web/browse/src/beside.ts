/** The same clips under two models: the map moves from one to the other. */

import type { ClipTable } from "./clips";
import { CHANGE } from "./colours";
import { drawn, element } from "./dom";
import type { Places } from "./geometry";

/** Clips of which it is shown how they moved: a fifth, where there are few. */
export function shownMoves(clips: number): number {
  return Math.min(100, Math.ceil(clips / 5));
}

/** Where every clip lies under the second model; a clip that it does not have stays where it is. */
export function second(table: ClipTable): Places {
  const [x, y] = [[...table.x], [...table.y]];
  table.beside?.clips.forEach((clip, k) => {
    x[clip] = table.beside?.x[k] ?? 0;
    y[clip] = table.beside?.y[k] ?? 0;
  });
  return { x, y };
}

/** The clips whose neighbours changed most, first; of equals the one that moved farther on the map. */
export function mostChanged(table: ClipTable, most: number): number[] {
  const { beside } = table;
  if (beside === null) return [];
  const way = (k: number) => {
    const clip = beside.clips[k] ?? 0;
    return Math.hypot((beside.x[k] ?? 0) - (table.x[clip] ?? 0), (beside.y[k] ?? 0) - (table.y[clip] ?? 0));
  };
  return beside.clips
    .map((clip, k) => ({ clip, kept: beside.kept[k] ?? 1, way: way(k) }))
    .sort((a, b) => a.kept - b.kept || b.way - a.way)
    .slice(0, most)
    .map(({ clip }) => clip);
}

export interface Switched {
  model: (second: boolean) => void;
  lines: (wanted: boolean) => void;
  changed: () => void;
}

export function modelSwitch(table: ClipTable, switched: Switched): HTMLElement {
  const other = table.beside?.model ?? "";
  const choice = (value: boolean, model: string) => {
    const input = element("input", { type: "radio", name: "model", checked: !value });
    input.addEventListener("change", () => switched.model(value));
    return element("label", { title: model }, input, element("span", {}, shortModel(model)));
  };
  const lines = element("input", { type: "checkbox" });
  lines.addEventListener("change", () => switched.lines(lines.checked));
  const changed = element("button", { type: "button" }, "What changed most");
  changed.addEventListener("click", () => switched.changed());
  return element(
    "div",
    { class: "models" },
    element("fieldset", {}, element("legend", {}, "Model"), choice(false, table.model), choice(true, other)),
    element("label", { class: "check" }, lines, "Show moves"),
    changed,
    scale(),
  );
}

function scale(): HTMLElement {
  const bar = drawn("svg", { viewBox: "0 0 120 10", class: "change", "aria-hidden": "true" });
  CHANGE.forEach((fill, k) => {
    bar.append(drawn("rect", { x: k * 30, y: 0, width: 30, height: 10, fill }));
  });
  return element(
    "p",
    { class: "scale", title: "Of the ten nearest clips, by all dimensions of the vectors" },
    element("span", {}, "same neighbours"),
    bar,
    element("span", {}, "others"),
  );
}

/** The end of a reference, which tells models apart. */
export function shortModel(reference: string): string {
  const path = reference.split("?")[0] ?? reference;
  const [family = "", name = ""] = [path.slice(0, path.indexOf(":") + 1), path.slice(path.indexOf(":") + 1)];
  const last = name.replace(/\/+$/, "").split("/").slice(-1)[0] ?? name;
  return `${family}${last}`;
}
