/** A line over the page while the server does not answer. It blocks nothing: answers wait in the browser. */

import { element } from "./pages";

export class Notice {
  readonly #line = element("p", "notice");

  constructor(parent: HTMLElement) {
    this.#line.setAttribute("role", "status");
    this.#line.hidden = true;
    parent.append(this.#line);
  }

  say(text: string): void {
    this.#line.textContent = text;
    this.#line.hidden = text === "";
  }
}
