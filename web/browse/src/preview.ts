/** The clip below the pointer, playing without sound. */

import { type ClipTable, shortName } from "./clips";
import { calm, element } from "./dom";
import { film, picture, stop } from "./film";

/** Milliseconds on a point before its clip is loaded: a pointer that passes loads nothing. */
const DELAY = 120;

export class Preview {
  readonly shown = element("div", { class: "preview", hidden: true, "aria-hidden": "true" });
  private timer = 0;
  private video: HTMLVideoElement | null = null;

  constructor(private readonly table: ClipTable) {}

  show(clip: number, [x, y]: [number, number], width: number, height: number): void {
    this.hide();
    const frame = element("span", { class: "frame" }, picture(clip));
    this.shown.replaceChildren(
      frame,
      element("span", { class: "name" }, shortName(this.table.ids[clip] ?? "")),
    );
    this.shown.hidden = false;
    const { offsetWidth, offsetHeight } = this.shown;
    const left = x + 16 + offsetWidth > width ? x - 16 - offsetWidth : x + 16;
    this.shown.style.left = `${Math.max(4, Math.min(left, width - offsetWidth - 4))}px`;
    this.shown.style.top = `${Math.max(4, Math.min(y - offsetHeight / 2, height - offsetHeight - 4))}px`;
    if (calm()) return;
    this.timer = window.setTimeout(() => {
      this.video = film(this.table, clip, false);
      this.video.addEventListener("error", () => this.video?.remove());
      frame.append(this.video);
    }, DELAY);
  }

  hide(): void {
    window.clearTimeout(this.timer);
    if (this.video !== null) stop(this.video);
    this.video = null;
    this.shown.hidden = true;
  }
}
