/** Parts of the practice pages: the line at the top, clips that play on, and drawings. */

import { element } from "./pages";

type Attributes = Record<string, string | number>;

/** An SVG element; attributes rather than styles, so that a strict policy holds. */
export function svg(
  tag: string,
  attributes: Attributes = {},
  ...children: (SVGElement | string)[]
): SVGElement {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, String(value));
  made.append(...children);
  return made;
}

/** What is being done, and the way out of it. */
export function topLine(text: string, stop: () => void): HTMLElement {
  const line = element("div", "practice-top");
  const leave = element("button", "practice-stop", "Stop");
  leave.type = "button";
  leave.addEventListener("click", stop);
  line.append(element("span", "", text), leave);
  return line;
}

/** A muted clip that plays again and again; a click pauses it. */
export function loopingClip(url: string, label: string): HTMLVideoElement {
  const video = element("video", "practice-clip");
  video.muted = true;
  video.defaultMuted = true;
  video.loop = true;
  video.playsInline = true;
  video.disablePictureInPicture = true;
  video.setAttribute("aria-label", label);
  video.src = url;
  const still = window.matchMedia?.("(prefers-reduced-motion: reduce)").matches ?? false;
  const playedByHand = () => {
    video.controls = true;
  };
  if (still) playedByHand();
  else void video.play()?.catch(playedByHand); // refused, on a phone that saves power, say
  video.addEventListener("click", () => {
    if (video.controls) return;
    if (video.paused) void video.play().catch(playedByHand);
    else video.pause();
  });
  return video;
}

/** A table with a caption for screen readers; the first column names the row. */
export function table(
  caption: string,
  head: readonly string[],
  rows: readonly (readonly string[])[],
): HTMLElement {
  const made = element("table", "practice-table");
  made.append(element("caption", "visually-hidden", caption));
  const top = made.createTHead().insertRow();
  top.append(
    ...head.map((text) => {
      const cell = element("th", "", text);
      cell.scope = "col";
      return cell;
    }),
  );
  const body = made.createTBody();
  for (const [name = "", ...cells] of rows) {
    const label = element("th", "", name);
    label.scope = "row";
    body.insertRow().append(label, ...cells.map((text) => element("td", "", text)));
  }
  return made;
}

/** A page with a heading that gets the focus. */
export function page(heading: string, ...parts: Node[]): HTMLElement {
  const made = element("section", "practice-page");
  const title = element("h1", "page-heading", heading);
  title.tabIndex = -1;
  made.append(title, ...parts);
  return made;
}

export function show(root: HTMLElement, ...parts: HTMLElement[]): void {
  root.replaceChildren(...parts);
  window.scrollTo(0, 0);
  root.querySelector<HTMLElement>("h1")?.focus({ preventScroll: true });
}

/** Enter presses `wanted`, unless something else that Enter presses has the focus. */
export function enterPresses(wanted: HTMLButtonElement): void {
  wanted.setAttribute("aria-keyshortcuts", "Enter");
  const pressed = (event: KeyboardEvent) => {
    if (!wanted.isConnected) return document.removeEventListener("keydown", pressed);
    const busy = (event.target as HTMLElement | null)?.closest?.(
      "button, a, summary, input, video[controls]",
    );
    if (event.key === "Enter" && !event.repeat && !busy && !wanted.disabled) wanted.click();
  };
  document.addEventListener("keydown", pressed);
}
