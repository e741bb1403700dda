/** The part beside the map: one thing at a time. */

import { element } from "./dom";
import { stop } from "./film";

export class Panel {
  readonly shown: HTMLElement;
  private readonly heading = element("h2", { tabindex: -1 });
  private readonly content = element("div", { class: "content" });
  private readonly close: HTMLButtonElement;

  constructor(private readonly closed: () => void) {
    this.close = element("button", { type: "button", class: "close", "aria-label": "Close (Esc)" }, "✕");
    this.close.addEventListener("click", () => this.closed());
    this.shown = element(
      "aside",
      { class: "panel", "aria-label": "Chosen clips" },
      element("header", {}, this.heading, this.close),
      this.content,
    );
  }

  /** Show something; the focus goes to its heading where the keyboard asked for it. */
  show(title: string, content: HTMLElement[], focus: boolean, closable = true): void {
    this.empty();
    this.heading.textContent = title;
    this.close.hidden = !closable;
    this.content.append(...content);
    this.shown.scrollTop = 0;
    if (focus) this.heading.focus({ preventScroll: true });
  }

  private empty(): void {
    for (const video of this.content.querySelectorAll("video")) stop(video);
    this.content.replaceChildren();
  }
}
