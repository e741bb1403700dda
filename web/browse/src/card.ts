/** A clip: the clip itself, what the model says of it, and what is near. */

import { attributes } from "./attributes";
import { clipList, type ListEvents, saving } from "./clip-list";
import { type ClipTable, clock, fileOf } from "./clips";
import { element } from "./dom";
import { film } from "./film";
import { server } from "./server";

/** Milliseconds before it is said that the model is being asked: opening it takes a while. */
const PATIENCE = 400;

export interface Card {
  shown: HTMLElement;
  /** Neighbours, once they are known. */
  near: Promise<number[]>;
}

export function card(table: ClipTable, clip: number, events: ListEvents): Card {
  const video = film(table, clip, true);
  const screen = element("div", { class: "screen" }, video);
  const described = element("div", {});
  const list = element("div", {});
  const nearest = element("section", { "aria-busy": "true" }, element("h3", {}, "Nearest scenes"), list);
  const shown = element("div", {}, screen, facts(table, clip), described, nearest);
  video.addEventListener("error", () => gone(table, clip, screen));
  const near = neighbours(table, clip, list, events).finally(() => nearest.removeAttribute("aria-busy"));
  describe(clip, described).then(async (said) => {
    await near;
    // once the model is open, it gives probabilities
    if (said && !list.contains(document.activeElement)) await neighbours(table, clip, list, events);
  });
  return { shown, near };
}

/** Fill a list with what is near; their positions. */
async function neighbours(
  table: ClipTable,
  clip: number,
  list: HTMLElement,
  events: ListEvents,
): Promise<number[]> {
  try {
    const found = await server.nearest(clip);
    const saved = [{ clip, distance: 0 }, ...found];
    list.replaceChildren(clipList(table, found, events), saving(table, saved, `near ${table.ids[clip]}`));
    return found.map((one) => one.clip);
  } catch (error) {
    list.replaceChildren(failed(error as Error));
    return [];
  }
}

/** Show what the model's readout says, where it has one; whether it has. */
async function describe(clip: number, place: HTMLElement): Promise<boolean> {
  const waiting = element("p", { class: "waiting", role: "status" }, "Asking the model…");
  const timer = setTimeout(() => place.append(waiting), PATIENCE);
  try {
    const found = await server.attributes(clip);
    place.replaceChildren(...attributes(found));
    return found.far !== undefined;
  } catch (error) {
    place.replaceChildren(failed(error as Error));
    return false;
  } finally {
    clearTimeout(timer);
  }
}

function facts(table: ClipTable, clip: number): HTMLElement {
  const [start, end] = [table.starts[clip], table.ends[clip]];
  const where = fileOf(table.ids[clip] ?? "");
  const times =
    typeof start === "number" && typeof end === "number" ? ` · ${clock(start)}–${clock(end)}` : "";
  return element("p", { class: "facts" }, `${where}${times}`);
}

/** Whether a clip that does not play is gone, or of a format that this browser does not know. */
async function gone(table: ClipTable, clip: number, screen: HTMLElement): Promise<void> {
  let said = "This browser cannot play this clip.";
  try {
    const about = await server.about(clip);
    if (table.folder === null) said = "This clip was indexed from an array: there is no file to play.";
    else if (!about.there)
      said = `The file is no longer there (${about.path}): it was moved or deleted after it was indexed. \`bgs index\` brings the index up to date.`;
  } catch (error) {
    said = (error as Error).message;
  }
  screen.append(element("p", { class: "gone", role: "alert" }, said));
}

export function failed(error: Error): HTMLElement {
  return element("p", { class: "problem", role: "alert" }, error.message);
}
