/** How answers leave the browser where no server of ours takes them. */

import { button, type Pages } from "../pages";
import { type Sleep, sleeping } from "../sleep";
import type { ResultFile } from "./seat";

export interface Saver {
  /** Answers in a file. */
  readonly every: number;
  /** One attempt, unseen; whether the file is saved. */
  offer(file: ResultFile): Promise<boolean>;
  /** Resolves once the file is saved, however often that takes; `behind` it are others that wait. */
  save(file: ResultFile, behind?: readonly ResultFile[]): Promise<void>;
}

/** Gives the participant a file. */
export function download({ name, trials }: ResultFile): void {
  const url = URL.createObjectURL(new Blob([JSON.stringify(trials)], { type: "application/json" }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

/** The participant downloads the answers, and hands them over. */
export class Download implements Saver {
  readonly every = Number.POSITIVE_INFINITY;

  constructor(readonly pages: Pages) {}

  async offer(): Promise<boolean> {
    return false;
  }

  async save(file: ResultFile): Promise<void> {
    const to = this.pages.contact || "the person who invited you";
    await this.pages.ask(
      "One last step: save your answers",
      `Your answers are in this browser only. Download them as a file, and send the file to ${to}.`,
      [["Download my answers", null]],
    );
    for (;;) {
      download(file);
      const text = `It is called ${file.name}. Send it to ${to}. Without it, your answers are lost.`;
      const there = await this.pages.ask("Is the file there?", text, [
        ["Yes, I have the file", true],
        ["Download it again", false],
      ]);
      if (there) return;
    }
  }
}

const FIRST_WAIT = 1_000;
const LONGEST_WAIT = 30_000;
const TIMEOUT = 30_000;
/** Attempts after which the participant is told. */
const SILENT = 2;

/** DataPipe puts a file into an OSF component: https://pipe.jspsych.org/api-docs */
export class DataPipe implements Saver {
  readonly every: number;

  constructor(
    readonly settings: { service: string; experiment: string; every: number | null },
    readonly pages: Pages,
    readonly sleep: Sleep = sleeping,
  ) {
    this.every = settings.every ?? Number.POSITIVE_INFINITY;
  }

  async offer(file: ResultFile): Promise<boolean> {
    return (await this.#send(file)) === null;
  }

  async save(file: ResultFile, behind: readonly ResultFile[] = []): Promise<void> {
    const all = { name: file.name, trials: [file, ...behind].flatMap((each) => each.trials) };
    for (let attempt = 1; ; attempt++) {
      const fault = await this.#send(file);
      if (fault === null) return;
      const waited = this.sleep(Math.min(FIRST_WAIT * 2 ** (attempt - 1), LONGEST_WAIT));
      await (attempt < SILENT ? waited : Promise.race([waited, this.#tell(all, fault)]));
    }
  }

  /** The number of the next condition; asks until there is one. */
  async condition(): Promise<number> {
    for (let attempt = 0; ; attempt++) {
      const { fault, body } = await this.#post("condition", {});
      if (fault === null && Number.isInteger(body.condition)) return body.condition as number;
      if (attempt >= SILENT) this.pages.show("The study cannot begin yet", `(${fault}) Trying again …`);
      await this.sleep(Math.min(FIRST_WAIT * 2 ** attempt, LONGEST_WAIT));
    }
  }

  /** Why the file is not saved; null where it is. */
  async #send({ name, trials }: ResultFile): Promise<string | null> {
    const { fault } = await this.#post("data", { filename: name, data: JSON.stringify(trials) });
    // The name belongs to this content alone: it was saved before, and the acknowledgement lost.
    return fault === "OSF_FILE_EXISTS" ? null : fault;
  }

  async #post(path: string, more: object): Promise<{ fault: string | null; body: Record<string, unknown> }> {
    try {
      const response = await fetch(`${this.settings.service}/${path}/`, {
        method: "POST",
        headers: { "content-type": "application/json", accept: "*/*" },
        body: JSON.stringify({ experimentID: this.settings.experiment, ...more }),
        signal: AbortSignal.timeout(TIMEOUT),
      });
      const body = (await response.json()) as Record<string, unknown>;
      return { fault: response.ok ? null : String(body.error ?? `HTTP ${response.status}`), body };
    } catch {
      return { fault: "no answer", body: {} }; // no network, a time-out, or something else than JSON
    }
  }

  /** A page that stays until the file is saved; resolves when the participant wants another attempt. */
  #tell(unsaved: ResultFile, fault: string): Promise<void> {
    const { contact } = this.pages;
    return new Promise((resolve) => {
      this.pages.show(
        "Your answers are not saved yet",
        `The saving service refuses them or cannot be reached (${fault}). Your answers are kept in this browser. Please leave this page open: it goes on trying.\n\nIf this lasts, download your answers and send the file to ${contact || "the person who invited you"}.`,
        [button("Try again now", resolve, true), button("Download my answers", () => download(unsaved))],
      );
    });
  }
}
