/** A line over the page while the server does not answer. It blocks nothing: answers wait in the browser. */

import { element } from "./pages";
import type { Waiting } from "./server";

export class Notice implements Waiting {
  readonly #line = element("p", "notice");

  constructor(parent: HTMLElement) {
    this.#line.setAttribute("role", "status");
    this.#line.hidden = true;
    parent.append(this.#line);
  }

  readonly onLost = (): void => this.#say("The connection is lost. Your answers are kept; trying again …");
  readonly onFound = (): void => this.#say("");

  #say(text: string): void {
    this.#line.textContent = text;
    this.#line.hidden = text === "";
  }
}
