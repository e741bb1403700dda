/** What is on screen during a trial: the question, three clips that are buttons, a line of status, and what may cover them. */

export interface ScreenContent {
  prompt: string;
  labels: readonly string[];
  keys: readonly string[];
  clips: readonly HTMLVideoElement[];
}

export class Screen {
  readonly root = element("section", "odd-one-out");
  readonly #buttons: HTMLButtonElement[];
  readonly #status = element("p", "odd-one-out-status");
  readonly #notice = element("div", "odd-one-out-notice");

  constructor({ prompt, labels, keys, clips }: ScreenContent) {
    const question = element("div", "odd-one-out-prompt");
    question.innerHTML = prompt;
    question.id = "odd-one-out-prompt";
    this.root.setAttribute("role", "group");
    this.root.setAttribute("aria-labelledby", question.id);
    this.root.tabIndex = -1;
    this.#status.setAttribute("role", "status");
    this.#notice.hidden = true;
    this.#buttons = clips.map((clip, slot) => clipButton(clip, labels[slot] ?? "", keys[slot] ?? ""));
    const stage = element("div", "odd-one-out-stage");
    const row = element("div", "odd-one-out-clips");
    row.append(...this.#buttons);
    stage.append(row, this.#notice);
    this.root.append(question, stage, this.#status);
  }

  /** Announced by screen readers, too. */
  say(text: string): void {
    if (this.#status.textContent !== text) this.#status.textContent = text;
  }

  markPlayed(slot: number): void {
    this.#buttons[slot]?.classList.add("odd-one-out-played");
  }

  enable(choose: (slot: number) => void): void {
    this.#buttons.forEach((button, slot) => {
      button.disabled = false;
      button.addEventListener("click", () => choose(slot), { once: true });
    });
  }

  /** Covers the clips with a line of text, if any, and buttons; each uncovers them again. */
  ask(text: string, answers: readonly [label: string, action: () => void][]): void {
    const line = element("p", "odd-one-out-notice-text");
    line.setAttribute("role", "alert");
    line.textContent = text;
    const buttons = answers.map(([label, action]) => {
      const button = element("button", "odd-one-out-answer");
      button.type = "button";
      button.textContent = label;
      button.addEventListener("click", () => {
        this.uncover();
        action();
      });
      return button;
    });
    this.say("");
    this.#notice.replaceChildren(...(text ? [line] : []), ...buttons);
    this.#notice.hidden = false;
    buttons[0]?.focus({ preventScroll: true });
  }

  uncover(): void {
    this.#notice.hidden = true;
    this.#notice.replaceChildren();
    this.root.focus({ preventScroll: true });
  }
}

function clipButton(clip: HTMLVideoElement, label: string, key: string): HTMLButtonElement {
  const button = element("button", "odd-one-out-clip");
  button.type = "button";
  button.disabled = true;
  button.setAttribute("aria-label", label);
  button.setAttribute("aria-keyshortcuts", key);
  const name = element("span", "odd-one-out-label");
  name.textContent = label;
  clip.classList.add("odd-one-out-video");
  button.append(clip, name);
  return button;
}

function element<K extends keyof HTMLElementTagNameMap>(tag: K, className: string): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  made.className = className;
  return made;
}
