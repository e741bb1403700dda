/** A clip: the clip itself, what the model says of it, and what is near. */

import { attributes } from "./attributes";
import { clipList, type ListEvents, saving } from "./clip-list";
import { type ClipTable, clock, fileOf } from "./clips";
import { element } from "./dom";
import { film } from "./film";
import { server } from "./server";

export interface Card {
  shown: HTMLElement;
  /** Neighbours, once they are known. */
  near: Promise<number[]>;
}

export function card(table: ClipTable, clip: number, events: ListEvents): Card {
  const id = table.ids[clip] ?? "";
  const video = film(table, clip, true);
  const screen = element("div", { class: "screen" }, video);
  const described = element("div", {});
  const nearest = element("section", { "aria-busy": "true" }, element("h3", {}, "Nearest scenes"));
  const shown = element("div", {}, screen, facts(table, clip), described, nearest);
  video.addEventListener("error", () => gone(table, clip, screen));
  server
    .attributes(clip)
    .then((found) => {
      const part = attributes(found);
      if (part !== null) described.append(part);
    })
    .catch((error: Error) => described.append(failed(error)));
  const near = server
    .nearest(clip)
    .then((found) => {
      nearest.append(
        clipList(table, found, events),
        saving(table, [{ clip, distance: 0 }, ...found], `near ${id}`),
      );
      return found.map((one) => one.clip);
    })
    .catch((error: Error) => {
      nearest.append(failed(error));
      return [];
    })
    .finally(() => nearest.removeAttribute("aria-busy"));
  return { shown, near };
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
