/** Colours that people with any colour vision tell apart (Okabe and Ito), and by lightness where they mean more or less. */

import type { ClipTable } from "./clips";

const OKABE_ITO = ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#7a6a00"];
/** From "the same clips are near" to "others are": lightness falls. */
export const CHANGE = ["#b3bfca", "#e6b450", "#d55e00", "#6b2000"];
export const PLAIN = "#0072b2";
export const CHOSEN = "#d55e00";

export interface Colouring {
  /** For each clip: its category, or how much changed, 0 to 1. */
  values: number[];
  colours: string[];
  continuous: boolean;
  /** Names of the categories; none where there is one. */
  legend: { name: string; colour: string }[];
}

/** By what changed, where two models are compared; else by folder, where there are a few. */
export function colouring(table: ClipTable): Colouring {
  return table.beside === null ? byFolder(table.ids) : byChange(table);
}

function byFolder(ids: string[]): Colouring {
  const folders = ids.map((id) => (id.includes("/") ? id.slice(0, id.indexOf("/")) : ""));
  const names = [...new Set(folders)].sort();
  if (names.length < 2 || names.length > OKABE_ITO.length)
    return { values: ids.map(() => 0), colours: [PLAIN], continuous: false, legend: [] };
  const legend = names.map((name, k) => ({ name: name || "(no folder)", colour: OKABE_ITO[k] as string }));
  return {
    values: folders.map((name) => names.indexOf(name)),
    colours: legend.map(({ colour }) => colour),
    continuous: false,
    legend,
  };
}

function byChange(table: ClipTable): Colouring {
  const values = table.ids.map(() => 0);
  table.beside?.clips.forEach((clip, k) => {
    values[clip] = 1 - (table.beside?.kept[k] ?? 1);
  });
  return { values, colours: ramp(CHANGE, 64), continuous: true, legend: [] };
}

/** So many colours between a few. */
export function ramp(stops: string[], count: number): string[] {
  const parts = stops.map((stop) => [1, 3, 5].map((at) => Number.parseInt(stop.slice(at, at + 2), 16)));
  return Array.from({ length: count }, (_, k) => {
    const at = (k / (count - 1)) * (parts.length - 1);
    const low = Math.min(Math.floor(at), parts.length - 2);
    const mixed = [0, 1, 2].map((c) => {
      const [a, b] = [parts[low]?.[c] ?? 0, parts[low + 1]?.[c] ?? 0];
      return Math.round(a + (b - a) * (at - low));
    });
    return `#${mixed.map((value) => value.toString(16).padStart(2, "0")).join("")}`;
  });
}
