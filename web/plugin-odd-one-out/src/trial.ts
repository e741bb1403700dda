/** One trial, from its clips to its data. */

import { ClipPlayer } from "./clip-player";
import { HiddenTime } from "./hidden-time";
import type { OddOneOutData, Texts } from "./info";
import { PlaybackErrors } from "./playback-errors";
import { ClipUnavailable, type Preloader } from "./preloader";
import { Screen } from "./screen";
import { isTouched } from "./touch";

export interface TrialSettings {
  /** Ids and URLs in the order shown. */
  stimuli: readonly string[];
  clips: readonly string[];
  prompt: string;
  keys: readonly string[];
  labels: readonly string[];
  texts: Texts;
  reloaded: boolean | null;
  compareKeys: (key: string, other: string) => boolean;
}

/** Playback errors of a clip that are met by fetching it again before the participant is asked. */
const REBUILDS = 2;
/** Rounds of trying after which going on without the clips is offered, even where trying again might help. */
const ROUNDS = 2;
/** Taps after which a browser that still refuses to play counts as one that cannot. */
const TAPS = 3;
/** Milliseconds of loading after which the participant is told. */
const SLOW = 4000;

export class Trial {
  readonly #settings: TrialSettings;
  readonly #preloader: Preloader;
  readonly #players: ClipPlayer[];
  readonly #screen: Screen;
  readonly #over = new AbortController();
  readonly #errors = new PlaybackErrors();
  readonly #rebuilds = new Map<number, number>();
  readonly #pending = new Set<number>();
  readonly #failed = new Set<number>();
  readonly #start = performance.now();
  #rounds = 0;
  #refusals = 0;
  #started = false;
  #awaitingTap = false;
  #tapped = false;
  #enabledAt: number | null = null;
  #hidden: HiddenTime | null = null;
  #finish: (data: OddOneOutData) => void = () => {};
  /** Called once when choosing becomes possible; simulation answers then. */
  onEnabled: () => void = () => {};

  constructor(settings: TrialSettings, preloader: Preloader) {
    this.#settings = settings;
    this.#preloader = preloader;
    this.#players = settings.clips.map(
      (_, slot) =>
        new ClipPlayer({
          onPlayed: () => this.#played(slot),
          onRefused: () => this.#refused(slot),
          onError: (error) => this.#playbackFailed(slot, error),
        }),
    );
    this.#screen = new Screen({ ...settings, clips: this.#players.map((player) => player.element) });
  }

  /** Shows the trial and resolves with its data once a clip is chosen (or the trial given up). */
  run(display: HTMLElement): Promise<OddOneOutData> {
    display.replaceChildren(this.#screen.root);
    this.#screen.root.focus({ preventScroll: true });
    this.#listen();
    this.#preloader.begin(this.#settings.clips);
    this.#fetch(this.#settings.clips.map((_, slot) => slot));
    return new Promise((resolve) => {
      this.#finish = resolve;
    });
  }

  #listen(): void {
    const { signal } = this.#over;
    document.addEventListener("visibilitychange", () => this.#visibilityChanged(), { signal });
    window.addEventListener("online", () => this.#tryAgain(), { signal });
    // jsPsych clears the display when it aborts an experiment, and tells the plugin nothing.
    const observer = new MutationObserver(() => {
      if (!this.#screen.root.isConnected) this.#release();
    });
    observer.observe(document, { childList: true, subtree: true });
    signal.addEventListener("abort", () => observer.disconnect());
  }

  // Loading

  #fetch(slots: readonly number[], fresh = false): void {
    this.#screen.say(this.#settings.texts.loading);
    const slow = setTimeout(() => {
      if (this.#pending.size > 0 && !this.#over.signal.aborted) this.#screen.say(this.#settings.texts.slow);
    }, SLOW);
    this.#over.signal.addEventListener("abort", () => clearTimeout(slow));
    for (const slot of slots) this.#pending.add(slot);
    for (const slot of slots) void this.#load(slot, fresh);
  }

  async #load(slot: number, fresh: boolean): Promise<void> {
    const url = this.#settings.clips[slot] as string;
    try {
      const { blob, failures } = await this.#preloader.load(url, { fresh });
      for (const failure of failures) this.#errors.add(slot, failure);
      if (this.#over.signal.aborted) return;
      this.#pending.delete(slot);
      this.#players[slot]?.load(blob);
      this.#settle();
    } catch (error) {
      if (this.#over.signal.aborted) return;
      const known = error instanceof ClipUnavailable;
      for (const failure of known ? error.failures : [(error as Error).name]) this.#errors.add(slot, failure);
      this.#fail(slot, known && error.permanent);
    }
  }

  /** Once nothing is on its way any more: plays, or says what failed. */
  #settle(): void {
    if (this.#pending.size > 0) return;
    if (this.#failed.size > 0) {
      this.#askAfterFailure();
      return;
    }
    this.#started = true;
    this.#say();
    if (!document.hidden && !this.#awaitingTap) this.#play();
  }

  #say(): void {
    const { choose, choose_touch, watch } = this.#settings.texts;
    this.#screen.say(this.#enabledAt === null ? watch : isTouched() ? choose_touch : choose);
  }

  #play(): void {
    for (const player of this.#players) player.play();
  }

  #pause(): void {
    for (const player of this.#players) player.pause();
  }

  // Trouble

  #refused(slot: number): void {
    if (this.#awaitingTap || this.#over.signal.aborted) return;
    if (++this.#refusals > TAPS) {
      this.#errors.add(slot, "refused");
      this.#fail(slot, true);
      return;
    }
    this.#awaitingTap = true;
    this.#pause(); // so that the three start together
    const tapped = () => {
      this.#awaitingTap = false;
      this.#tapped = true;
      this.#say();
      this.#play();
    };
    this.#screen.ask("", [[this.#settings.texts.tap, tapped]]);
  }

  #playbackFailed(slot: number, error: string): void {
    this.#errors.add(slot, error);
    const rebuilds = this.#rebuilds.get(slot) ?? 0;
    this.#rebuilds.set(slot, rebuilds + 1);
    if (rebuilds < REBUILDS) this.#fetch([slot], true);
    else this.#fail(slot, true);
  }

  #fail(slot: number, permanent: boolean): void {
    this.#pending.delete(slot);
    this.#failed.add(slot);
    if (permanent) this.#rounds = ROUNDS;
    this.#settle();
  }

  #askAfterFailure(): void {
    this.#rounds++;
    this.#pause();
    const { failed, again, skip } = this.#settings.texts;
    const answers: [string, () => void][] = [[again, () => this.#tryAgain()]];
    // Without a network every trial would fail: nobody is to click through the study that way.
    if (this.#rounds >= ROUNDS && navigator.onLine) answers.push([skip, () => this.#end(null)]);
    this.#screen.ask(failed, answers);
  }

  #tryAgain(): void {
    if (this.#failed.size === 0) return;
    const slots = [...this.#failed];
    this.#failed.clear();
    for (const slot of slots) this.#rebuilds.delete(slot);
    this.#screen.uncover();
    this.#fetch(slots, true);
  }

  #visibilityChanged(): void {
    if (document.hidden) {
      this.#pause();
      return;
    }
    const ready = this.#started && this.#pending.size === 0 && this.#failed.size === 0;
    if (ready && !this.#awaitingTap) this.#play();
  }

  // Choosing

  #played(slot: number): void {
    this.#screen.markPlayed(slot);
    if (this.#enabledAt === null && this.#players.every((player) => player.plays > 0)) this.#enable();
  }

  #enable(): void {
    this.#enabledAt = performance.now();
    this.#hidden = new HiddenTime(this.#over.signal);
    this.#say();
    this.#screen.enable((slot) => this.#end(slot));
    // On the document, in the capture phase: heard wherever the focus is, and when jsPsych simulates a key press.
    document.addEventListener("keydown", (event) => this.#pressed(event), {
      signal: this.#over.signal,
      capture: true,
    });
    this.onEnabled();
  }

  #pressed(event: KeyboardEvent): void {
    if (event.repeat || event.ctrlKey || event.altKey || event.metaKey) return;
    const slot = this.#settings.keys.findIndex((key) => this.#settings.compareKeys(key, event.key));
    if (slot < 0) return;
    event.preventDefault();
    this.#end(slot);
  }

  /** Ends the trial by the choice of a slot, or without one. */
  #end(odd: number | null): void {
    if (this.#over.signal.aborted) return;
    const now = performance.now();
    const enabled = this.#enabledAt;
    const { stimuli, reloaded } = this.#settings;
    const data: OddOneOutData = {
      stimuli: [...stimuli],
      odd,
      odd_id: odd === null ? null : (stimuli[odd] as string),
      rt: odd === null || enabled === null ? null : Math.round(now - enabled),
      enabled_after: enabled === null ? null : Math.round(enabled - this.#start),
      plays: this.#players.map((player) => player.plays),
      playback_errors: this.#errors.list(),
      tapped_to_play: this.#tapped,
      reloaded,
      hidden_for: this.#hidden?.milliseconds() ?? 0,
    };
    this.#release();
    this.#finish(data);
  }

  #release(): void {
    this.#over.abort();
    for (const player of this.#players) player.release();
    this.#screen.root.remove();
    this.#preloader.end();
  }
}
