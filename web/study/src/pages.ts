/** Pages between the trials: headings, paragraphs and buttons, all of them plain text from the study. */

export type Answer<T> = readonly [label: string, value: T];

export class Pages {
  /** For questions, on every page. */
  contact = "";

  constructor(readonly root: HTMLElement) {}

  /** Shows a page, and resolves with the button that is pressed. */
  ask<T>(heading: string, text: string, answers: readonly Answer<T>[]): Promise<T> {
    return new Promise((resolve) => {
      const buttons = answers.map(([label, value], k) => button(label, () => resolve(value), k === 0));
      this.show(heading, text, buttons);
    });
  }

  /** Shows a page. */
  show(heading: string, text: string, more: readonly HTMLElement[] = []): void {
    const page = element("section", "page");
    const title = element("h1", "page-heading", heading);
    title.tabIndex = -1;
    const paragraphs = text.split(/\n\s*\n/).filter(Boolean);
    page.append(title, ...paragraphs.map((one) => element("p", "page-text", one)));
    const row = element("div", "page-buttons");
    row.append(...more);
    page.append(row);
    if (this.contact) page.append(element("p", "page-contact", `Questions? ${this.contact}`));
    this.root.replaceChildren(page);
    title.focus({ preventScroll: true });
  }

  /** A place for a trial, with how far the participant is, under a line of text if there is one. */
  stage(done: number, of: number, line = ""): HTMLElement {
    const bar = element("progress", "page-progress");
    bar.max = of;
    bar.value = done;
    bar.setAttribute("aria-label", `${done} of ${of} done`);
    const place = element("div", "page-stage");
    this.root.replaceChildren(bar, ...(line ? [element("p", "page-line", line)] : []), place);
    return place;
  }
}

export function button(label: string, pressed: () => void, first = false): HTMLButtonElement {
  const made = element("button", first ? "page-button page-first" : "page-button", label);
  made.type = "button";
  made.addEventListener("click", pressed);
  return made;
}

export function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  className: string,
  text = "",
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  made.className = className;
  made.textContent = text;
  return made;
}
