/** What can be done with the map, and what its colours mean. */

import type { Colouring } from "./colours";
import { element } from "./dom";

export interface Tools {
  lasso: (wanted: boolean) => void;
  zoom: (factor: number) => void;
  show: () => void;
}

export function toolbar(tools: Tools): { shown: HTMLElement; lassoEnded: () => void } {
  const lasso = element(
    "button",
    { type: "button", "aria-pressed": "false", title: "Draw around clips to list them (or Shift and drag)" },
    "Lasso",
  );
  const press = (wanted: boolean) => {
    lasso.setAttribute("aria-pressed", String(wanted));
    tools.lasso(wanted);
  };
  lasso.addEventListener("click", () => press(lasso.getAttribute("aria-pressed") !== "true"));
  const button = (label: string, text: string, act: () => void) =>
    element("button", { type: "button", "aria-label": label, title: label, onclick: act }, text);
  const shown = element(
    "div",
    { class: "tools", role: "toolbar", "aria-label": "Map" },
    lasso,
    button("Zoom in", "+", () => tools.zoom(0.6)),
    button("Zoom out", "−", () => tools.zoom(1 / 0.6)),
    button("Show all clips", "All", () => tools.show()),
  );
  return { shown, lassoEnded: () => press(false) };
}

/** Names of the colours, where they stand for folders. */
export function legend({ legend }: Colouring): HTMLElement {
  return element(
    "ul",
    { class: "legend", "aria-label": "Colours: folders", hidden: legend.length === 0 },
    ...legend.map(({ name, colour }) => {
      const spot = element("span", { class: "spot", "aria-hidden": "true" });
      spot.style.background = colour;
      return element("li", {}, spot, name);
    }),
  );
}
