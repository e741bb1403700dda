/** A list of clips with pictures: arrow keys go through it, Enter opens a clip, and it can be saved. */

import { type ClipTable, type Near, shortName } from "./clips";
import { calm, element } from "./dom";
import { film, picture, stop } from "./film";
import { asCsv, asJson, save } from "./lists";

export interface ListEvents {
  open: (clip: number) => void;
  point: (clip: number | null) => void;
}

/** Entries that are made at a time. */
const PAGE = 60;

export function clipList(table: ClipTable, clips: Near[], events: ListEvents): HTMLElement {
  const list = element("ol", { class: "clips" });
  list.addEventListener("keydown", (event) => move(list, event));
  const more = element("button", { type: "button", class: "quiet" });
  let shown = 0;
  const add = () => {
    const next = clips.slice(shown, shown + PAGE);
    list.append(...next.map((near) => entry(table, near, events)));
    shown += next.length;
    more.hidden = shown >= clips.length;
    more.textContent = `Show ${Math.min(PAGE, clips.length - shown)} more`;
  };
  more.addEventListener("click", add);
  add();
  return element("div", {}, list, more);
}

function entry(table: ClipTable, near: Near, events: ListEvents): HTMLLIElement {
  const id = table.ids[near.clip] ?? "";
  const image = picture(near.clip);
  const said = closeness(near);
  const button = element(
    "button",
    { type: "button", class: "entry", title: id, "aria-label": said === "" ? id : `${id}, ${said}` },
    element("span", { class: "frame" }, image),
    element("span", { class: "name" }, shortName(id)),
    element("span", { class: "said" }, said),
  );
  let playing: HTMLVideoElement | null = null;
  const begin = () => {
    events.point(near.clip);
    if (playing !== null || calm()) return;
    playing = film(table, near.clip, false);
    playing.addEventListener("error", () => playing?.remove());
    image.after(playing);
  };
  const end = () => {
    events.point(null);
    if (playing !== null) stop(playing);
    playing = null;
  };
  button.addEventListener("pointerenter", (event) => event.pointerType === "mouse" && begin());
  button.addEventListener("pointerleave", end);
  button.addEventListener("focus", () => button.matches(":focus-visible") && begin());
  button.addEventListener("blur", end);
  button.addEventListener("click", () => {
    end();
    events.open(near.clip);
  });
  return element("li", {}, button);
}

/** How near a clip is, in words. */
export function closeness({ distance, together }: Near): string {
  if (together !== undefined) return `kept together by ${Math.round(100 * together)} %`;
  return distance === undefined ? "" : `distance ${distance.toFixed(3)}`;
}

function move(list: HTMLElement, event: KeyboardEvent): void {
  const buttons = [...list.querySelectorAll<HTMLButtonElement>("button.entry")];
  const at = buttons.indexOf(document.activeElement as HTMLButtonElement);
  const to = {
    ArrowDown: at + 1,
    ArrowRight: at + 1,
    ArrowUp: at - 1,
    ArrowLeft: at - 1,
    Home: 0,
    End: buttons.length - 1,
  }[event.key];
  if (to === undefined || at < 0) return;
  event.preventDefault();
  buttons[Math.min(buttons.length - 1, Math.max(0, to))]?.focus();
}

/** Buttons that save a list. */
export function saving(table: ClipTable, clips: Near[], name: string): HTMLElement {
  const file = name.replace(/[^\p{L}\p{N}]+/gu, "-").slice(0, 60) || "clips";
  return element(
    "div",
    { class: "saving", role: "group", "aria-label": "Save this list" },
    element("span", {}, "Save list:"),
    element(
      "button",
      { type: "button", onclick: () => save(`${file}.csv`, asCsv(table, clips), "text/csv") },
      "CSV",
    ),
    element(
      "button",
      { type: "button", onclick: () => save(`${file}.json`, asJson(table, clips), "application/json") },
      "JSON",
    ),
  );
}
