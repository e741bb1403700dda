/** A list as a file: the CSV is a stimuli.csv. */

import { type ClipTable, fileOf, type Near } from "./clips";

const COLUMNS = ["stimulus_id", "video", "start", "end", "x", "y", "distance"] as const;

export function rows(
  table: ClipTable,
  clips: Near[],
): Record<(typeof COLUMNS)[number], string | number | null>[] {
  return clips.map(({ clip, distance }) => {
    const id = table.ids[clip] ?? "";
    return {
      stimulus_id: id,
      video: table.folder === null ? null : `${table.folder}/${fileOf(id)}`,
      start: table.starts[clip] ?? null,
      end: table.ends[clip] ?? null,
      x: table.x[clip] ?? null,
      y: table.y[clip] ?? null,
      distance: distance ?? null,
    };
  });
}

export function asCsv(table: ClipTable, clips: Near[]): string {
  const lines = rows(table, clips).map((row) => COLUMNS.map((name) => cell(row[name])).join(","));
  return `${[COLUMNS.join(","), ...lines].join("\n")}\n`;
}

export function asJson(table: ClipTable, clips: Near[]): string {
  return `${JSON.stringify({ folder: table.folder, model: table.model, clips: rows(table, clips) }, null, 2)}\n`;
}

function cell(value: string | number | null): string {
  const text = value === null ? "" : String(value);
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** Let the browser keep a text as a file. */
export function save(name: string, text: string, kind: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: kind }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
