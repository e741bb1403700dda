/** The way through a study: joining, device, consent, instructions, practice, trials with pauses, and the end. */

import type { Arrival } from "./arrival";
import type { Backend } from "./backend";
import { playbackFault } from "./device";
import {
  type Ending,
  type GivenAnswer,
  type Outcome,
  Refused,
  type Session,
  type SessionTrial,
} from "./messages";
import { Outbox } from "./outbox";
import { button, element, type Pages } from "./pages";
import { randomId } from "./random-id";
import { Trials } from "./trials";

/** Answers that may wait for the network while the participant goes on. */
const MOST_WAITING = 5;
const QUESTION = "Which clip is the odd one out?";

/** What participants read where they are sent away. */
const SENT_AWAY: Record<string, readonly [heading: string, text: string]> = {
  full: ["No places left", "Everybody who was needed has taken part. Thank you for coming!"],
  done: ["You have taken part already", "Your answers are stored. Thank you!"],
  excluded: ["You cannot take part", "Thank you for your interest."],
  released: [
    "Your place was given to somebody else",
    "There was no answer for a long time. What you answered before is not counted. Thank you all the same!",
  ],
  elsewhere: ["You began in another window", "Please go on there, where your answers are."],
  token: ["This session has ended", "Please come back by the link that you were given."],
};

export class Study {
  constructor(
    readonly backend: Backend,
    readonly pages: Pages,
    readonly arrival: Arrival,
  ) {}

  /** The whole session; whatever is refused becomes a page. */
  async run(): Promise<void> {
    try {
      await this.#session();
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      const [heading, text] = SENT_AWAY[error.reason] ?? ["This session has ended", `(${error.reason})`];
      this.#end(heading, text, error.details);
    }
  }

  async #session(): Promise<void> {
    this.pages.show("One moment", "The study is loading.");
    const joined = await this.backend.join(this.arrival.source, this.arrival.participant);
    const session = await this.backend.session();
    document.title = session.title;
    this.pages.contact = session.contact;
    document.documentElement.lang = session.language;
    const begun = joined.consented && session.answered.length > 0;
    if (!begun && !(await this.#introduce(session, joined.consented))) return;
    await this.#answerAll(session);
    this.#finish(session, await this.backend.end("complete"));
  }

  /** Device, consent, instructions and practice; false where it ended there. */
  async #introduce(session: Session, consented: boolean): Promise<boolean> {
    const clip = session.trials[0]?.clips[0];
    this.pages.show(session.title, "Checking whether this device plays the clips.");
    const fault = clip ? await playbackFault(clip.url) : null;
    if (fault !== null) {
      const ending = await this.backend.end("incompatible");
      this.#end("This device does not play the clips", `(${fault})\n\nAnother browser may.`, ending);
      return false;
    }
    if (!consented && !(await this.#agree(session))) return false;
    const practice = session.practice.length > 0;
    await this.pages.ask("What to do", session.instructions, [[practice ? "Practise" : "Start", null]]);
    if (practice) await this.#practise(session);
    return true;
  }

  async #agree(session: Session): Promise<boolean> {
    const agrees = await this.pages.ask(session.title, session.consent, [
      ["I agree", true],
      ["I do not agree", false],
    ]);
    if (agrees) await this.backend.consent();
    else {
      const ending = await this.backend.end("decline");
      this.#end("Thank you", "You answered nothing, and no answers are stored.", ending);
    }
    return agrees;
  }

  async #practise(session: Session): Promise<void> {
    const trials = new Trials(QUESTION);
    trials.plan([...session.practice, ...session.trials.slice(0, 2).map((trial) => trial.clips)]);
    for (const [k, clips] of session.practice.entries()) {
      const place = this.pages.stage(k, session.practice.length, "Practice: this answer does not count");
      await trials.run(place, clips, `practice-${k}`);
    }
    trials.clear();
    await this.pages.ask("That is all there is to it", "From now on, your answers count.", [["Start", null]]);
  }

  async #answerAll(session: Session): Promise<void> {
    const { source, participant } = this.arrival;
    const place = session.study ? [session.study, session.block] : [session.block];
    const name = [source, participant, ...place].join(":"); // the same after a reload
    const outbox = new Outbox(`bgs-outbox:${name}`, (one) => this.backend.answer(one));
    const answered = new Set([...session.answered, ...outbox.waiting.map((answer) => answer.trial)]);
    const left = session.trials.filter((trial) => !answered.has(trial.trial));
    outbox.start();
    const trials = new Trials(QUESTION);
    trials.plan(left.map((trial) => trial.clips));
    for (const [k, trial] of left.entries()) {
      const done = session.trials.length - left.length + k;
      if (k > 0 && done % session.break_every === 0) await this.#pause(done, session.trials.length);
      outbox.add(await this.#answer(trials, trial, `${name}:${trial.trial}`, done, session.trials.length));
      if (outbox.waiting.length > MOST_WAITING) this.#block();
      await outbox.untilLeft(MOST_WAITING);
    }
    trials.clear();
    this.pages.show("One moment", "Your last answers are being stored. Please keep this page open.");
    await outbox.untilLeft(0);
  }

  /** Nothing can be chosen until the server stores answers again. */
  #block(): void {
    this.pages.show(
      "Waiting for the connection",
      "Your answers cannot be stored at the moment. This browser keeps them. Please keep this page open: it goes on as soon as the connection is back.",
    );
  }

  async #answer(
    trials: Trials,
    trial: SessionTrial,
    name: string,
    done: number,
    of: number,
  ): Promise<GivenAnswer> {
    const place = this.pages.stage(done, of);
    const { stimuli, odd, rt, enabled_after, plays, playback_errors, tapped_to_play, reloaded, hidden_for } =
      await trials.run(place, trial.clips, name);
    const client_id = randomId();
    const rest = { enabled_after, plays, playback_errors, tapped_to_play, reloaded, hidden_for };
    return { client_id, trial: trial.trial, stimuli, odd, rt, ...rest };
  }

  async #pause(done: number, of: number): Promise<void> {
    await this.pages.ask("Time for a pause", `${done} of ${of} done. Go on when you are ready.`, [
      ["Go on", null],
    ]);
  }

  #finish(session: Session, ending: Ending): void {
    const why: Partial<Record<Outcome, string>> = {
      failed_attention:
        "In some trials one clip was shown twice, and another one was chosen as the odd one out. Thank you for your time.",
      incompatible: "This device did not play the clips of too many trials. Thank you for your time.",
    };
    const text = why[ending.outcome] ?? session.debrief;
    const preview = ending.preview ? "\n\nThis was a preview: nothing was stored." : "";
    const more = session.practice_mode ? [practiceLink()] : [];
    this.#end(ending.outcome in why ? "The end" : "All answers are stored", text + preview, ending, more);
  }

  #end(
    heading: string,
    text: string,
    { code, url, finish }: Partial<Ending>,
    last: readonly HTMLElement[] = [],
  ): void {
    const more: HTMLElement[] = [];
    if (code) more.push(element("output", "page-code", code));
    if (finish) more.push(button("Finish", finish, true));
    else if (url) {
      const link = element("a", "page-button page-first", "Finish");
      link.href = url;
      more.push(link);
    }
    more.push(...last);
    this.pages.show(heading, code ? `${text}\n\nYour completion code:` : text, more);
  }
}

/** In a window of its own, so that the code stays on screen. */
function practiceLink(): HTMLElement {
  const link = element("a", "page-button", "Practise");
  link.href = "practice";
  link.target = "_blank";
  link.rel = "noopener";
  return link;
}
