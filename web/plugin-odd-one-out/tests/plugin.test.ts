import { initJsPsych, type JsPsych } from "jspsych";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import OddOneOut, { type OddOneOutData, Preloader } from "../src/index";
import { browser } from "./fake-media";
import { FakeServer } from "./fake-server";

let server: FakeServer;
let display: HTMLElement;

beforeEach(() => {
  vi.useFakeTimers();
  vi.spyOn(console, "warn").mockImplementation((message) => {
    throw new Error(`unexpected warning: ${message}`);
  });
  browser.install();
  server = new FakeServer();
  sessionStorage.clear();
  display = document.createElement("div");
  document.body.replaceChildren(display);
});
afterEach(async () => {
  document.body.replaceChildren(); // a trial that still runs is let go of
  await later(0);
  vi.useRealTimers();
});

const TRIAL = { type: OddOneOut, stimuli: ["x", "y", "z"], clips: ["a", "b", "c"] };

interface Run {
  jsPsych: JsPsych;
  /** Data of the trials that are over. */
  data: () => OddOneOutData[];
  over: () => boolean;
  failure: () => unknown;
}

function run(trials: object | object[] = TRIAL, simulate?: "data-only" | "visual", options = {}): Run {
  let over = false;
  let failure: unknown;
  const jsPsych = initJsPsych({ display_element: display });
  const timeline = [trials].flat() as never[];
  const done = simulate ? jsPsych.simulate(timeline, simulate, options) : jsPsych.run(timeline);
  done.then(
    () => {
      over = true;
    },
    (error) => {
      failure = error;
    },
  );
  return {
    jsPsych,
    data: () => jsPsych.data.get().values() as OddOneOutData[],
    over: () => over,
    failure: () => failure,
  };
}

const later = (milliseconds: number) => vi.advanceTimersByTimeAsync(milliseconds);
const press = (key: string, options: KeyboardEventInit = {}) =>
  document.body.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, ...options }));
const clips = () => [...display.querySelectorAll<HTMLButtonElement>(".odd-one-out-clip")];
const videos = () => [...display.querySelectorAll("video")];
const answers = () => [...display.querySelectorAll<HTMLButtonElement>(".odd-one-out-answer")];
const status = () => display.querySelector("[role=status]")?.textContent;

describe("a trial", () => {
  test("is enabled when the slowest clip has played once, and ends by a key", async () => {
    server.answer("b", { clip: { duration: 3000 } });
    const { data, over } = run();
    await later(100);
    expect(clips().map((clip) => clip.disabled)).toEqual([true, true, true]);
    expect(status()).toContain("Watch");
    await later(2800);
    press("2");
    await later(0);
    expect(data()).toEqual([]);
    await later(300);
    expect(clips().map((clip) => clip.disabled)).toEqual([false, false, false]);
    expect(status()).toContain("Choose");
    const waited = performance.now();
    await later(700);
    press("2");
    await later(0);
    expect(over()).toBe(true);
    const [trial] = data() as [OddOneOutData];
    expect(trial).toMatchObject({
      stimuli: ["x", "y", "z"],
      odd: 1,
      odd_id: "y",
      plays: [3, 1, 3],
      playback_errors: [],
      tapped_to_play: false,
      reloaded: null,
      hidden_for: 0,
    });
    expect(trial.enabled_after).toBeGreaterThan(3000);
    expect(trial.enabled_after).toBeLessThan(waited);
    expect(trial.rt).toBeGreaterThanOrEqual(700);
    expect(trial.rt).toBeLessThan(1000);
  });

  test("ends by a click or touch on a clip, once", async () => {
    const { data } = run();
    await later(1200);
    const third = clips()[2] as HTMLButtonElement;
    third.click();
    third.click();
    press("1");
    await later(0);
    expect(data()).toHaveLength(1);
    expect(data()[0]).toMatchObject({ odd: 2, odd_id: "z" });
  });

  test("names no keys on a device that is touched", async () => {
    vi.stubGlobal("matchMedia", (query: string) => ({ matches: query.includes("hover: none") }));
    run();
    await later(1200);
    expect(status()).toBe("Tap a clip to choose it.");
    vi.unstubAllGlobals();
  });

  test("shows muted inline clips under URLs of their own", async () => {
    run();
    await later(100);
    const shown = videos();
    expect(shown).toHaveLength(3);
    for (const video of shown) {
      expect(video.muted && video.defaultMuted && video.playsInline).toBe(true);
      expect(video.hasAttribute("playsinline")).toBe(true);
      expect(video.controls).toBe(false);
    }
    expect(new Set(shown.map((video) => video.src)).size).toBe(3);
    expect(browser.playing()).toBe(3);
  });

  test("the same clip twice: two elements, two URLs, one download", async () => {
    const { data } = run({ ...TRIAL, stimuli: ["x", "x", "y"], clips: ["a", "a", "b"] });
    await later(1200);
    expect(new Set(videos().map((video) => video.src)).size).toBe(3);
    expect(server.asked).toEqual(["a", "b"]);
    press("3");
    await later(0);
    expect(data()[0]).toMatchObject({ stimuli: ["x", "x", "y"], odd_id: "y", plays: [1, 1, 1] });
  });

  test("can be read by a screen reader", async () => {
    run({ ...TRIAL, prompt: "<b>Which?</b>", labels: ["left", "middle", "right"], keys: ["a", "b", "c"] });
    await later(0);
    const group = display.querySelector("[role=group]") as HTMLElement;
    expect(document.getElementById(group.getAttribute("aria-labelledby") ?? "")?.textContent).toBe("Which?");
    expect(clips().map((clip) => clip.getAttribute("aria-label"))).toEqual(["left", "middle", "right"]);
    expect(clips().map((clip) => clip.getAttribute("aria-keyshortcuts"))).toEqual(["a", "b", "c"]);
    expect(videos().every((video) => video.getAttribute("aria-hidden") === "true")).toBe(true);
    expect(document.activeElement).toBe(group);
    await later(1200);
    press("B");
    await later(0);
    expect(display.textContent).not.toContain("Which?");
  });

  test("takes no key that is held, or pressed for the browser", async () => {
    const { data } = run();
    await later(1200);
    press("1", { repeat: true });
    press("1", { ctrlKey: true });
    press("1", { metaKey: true });
    press("1", { altKey: true });
    press("4");
    await later(0);
    expect(data()).toEqual([]);
    press("1");
    await later(0);
    expect(data()[0]).toMatchObject({ odd: 0 });
  });

  test("puts no id, label or text on screen as HTML", async () => {
    const evil = "<img src=x>";
    run({
      ...TRIAL,
      stimuli: [evil, evil, evil],
      labels: [evil, evil, evil],
      texts: { loading: evil, watch: evil },
    });
    await later(100);
    expect(display.querySelector("img")).toBeNull();
  });

  test("needs no inline style or script", async () => {
    run();
    await later(1200);
    expect(display.innerHTML).not.toMatch(/\sstyle=|<style|<script|\son\w+=/);
  });
});

describe("order", () => {
  test("is the trial's, unless it is to be shuffled: then each of six", async () => {
    const trials = Array.from({ length: 60 }, () => ({ ...TRIAL, randomise_order: true }));
    const { data } = run([TRIAL, ...trials], "data-only");
    await later(0);
    const [first, ...others] = data().map((trial) => trial.stimuli.join(""));
    expect(first).toBe("xyz");
    expect([...new Set(others)].sort()).toEqual(["xyz", "xzy", "yxz", "yzx", "zxy", "zyx"]);
  });

  test("shuffled clips stay with their ids", async () => {
    server.answer("a", { clip: { duration: 500 } });
    server.answer("b", { clip: { duration: 1000 } });
    server.answer("c", { clip: { duration: 2000 } });
    for (let i = 0; i < 5; i++) {
      const { data } = run({ ...TRIAL, randomise_order: true });
      await later(2200);
      press("1");
      await later(0);
      const [trial] = data() as [OddOneOutData];
      const plays = Object.fromEntries(trial.stimuli.map((id, slot) => [id, trial.plays[slot]]));
      expect(plays).toEqual({ x: 4, y: 2, z: 1 });
    }
  });

  test.each([["stimuli"], ["clips"], ["keys"], ["labels"]])(
    "other than three %s are refused",
    async (name) => {
      const { failure } = run({ ...TRIAL, [name]: ["a", "b"] });
      await later(0);
      expect(`${failure()}`).toContain("three entries each; found");
    },
  );
});

describe("what a trial leaves behind", () => {
  test("nothing: decoders, URLs and elements are given back, clips ahead are kept", async () => {
    const preloader = new Preloader({ ahead: 1 });
    const trials = [TRIAL, { ...TRIAL, clips: ["d", "e", "f"] }, { ...TRIAL, clips: ["g", "h", "i"] }];
    preloader.plan(trials.map((trial) => trial.clips));
    const { data } = run(trials.map((trial) => ({ ...trial, preloader })));
    for (let done = 1; done <= 3; done++) {
      await later(1200);
      expect(browser.decoders()).toBe(3);
      expect(browser.objectUrls.size).toBe(3);
      const shown = videos();
      press("1");
      expect(shown.some((video) => video.isConnected || video.hasAttribute("src"))).toBe(false);
      expect(browser.decoders()).toBe(0);
      expect(browser.objectUrls.size).toBe(0);
      await later(0);
      expect(data()).toHaveLength(done);
    }
    expect(server.asked.join("")).toBe("abcdefghi");
  });

  test("an experiment that is aborted in mid-trial leaves nothing either", async () => {
    const { jsPsych, over } = run();
    await later(500);
    jsPsych.abortExperiment("stop");
    await later(0);
    expect(over()).toBe(true);
    expect(browser.decoders()).toBe(0);
    expect(browser.objectUrls.size).toBe(0);
    const before = browser.plays;
    browser.hide(true);
    browser.hide(false);
    await later(20_000);
    expect(browser.plays).toBe(before);
  });
});

describe("trouble", () => {
  test("a 503 delays, and is a column of the data", async () => {
    server.answer("b", { status: 503 }, { status: 503 }, { clip: { duration: 1000 } });
    const { data } = run();
    await later(3200);
    press("1");
    await later(0);
    const [trial] = data() as [OddOneOutData];
    expect(trial.playback_errors).toEqual([{ slot: 1, error: "http-503", count: 2 }]);
    expect(trial.plays).toEqual([1, 1, 1]); // the three started together
  });

  test("a clip that is slow to arrive is said to be", async () => {
    server.answer("b", { status: 503, retryAfter: 8 }, { clip: { duration: 1000 } });
    run();
    await later(5000);
    expect(status()).toContain("slow");
    await later(5000);
    expect(status()).toContain("Choose");
  });

  test("a clip that is not there: try again, or go on without", async () => {
    server.answer("b", { status: 404 });
    const { data } = run();
    await later(100);
    expect(answers().map((button) => button.textContent)).toEqual(["Try again", "Go on without these clips"]);
    expect(document.activeElement).toBe(answers()[0]);
    answers()[0]?.click();
    expect(answers()).toEqual([]);
    await later(100);
    answers()[1]?.click();
    await later(0);
    expect(data()[0]).toMatchObject({
      odd: null,
      odd_id: null,
      rt: null,
      enabled_after: null,
      plays: [0, 0, 0],
      playback_errors: [{ slot: 1, error: "http-404", count: 2 }],
    });
    expect(browser.objectUrls.size).toBe(0);
  });

  test("clips that come only when tried again play", async () => {
    server.answer("a", { status: 404 }, { clip: { duration: 1000 } });
    server.answer("b", { status: 404 }, { clip: { duration: 1000 } });
    const { data } = run({ ...TRIAL, clips: ["a", "a", "b"] });
    await later(100);
    answers()[0]?.click();
    await later(1200);
    press("1");
    await later(0);
    expect(data()[0]).toMatchObject({ odd: 0, plays: [1, 1, 1] });
  });

  test("without a network nobody skips, and the trial goes on when it is back", async () => {
    const onLine = vi.spyOn(navigator, "onLine", "get").mockReturnValue(false);
    for (const url of "abc") server.answer(url, "offline");
    const { data } = run({ ...TRIAL, preloader: new Preloader({ attempts: 2 }) });
    for (let round = 0; round < 4; round++) {
      await later(5000);
      expect(answers().map((button) => button.textContent)).toEqual(["Try again"]);
      answers()[0]?.click();
    }
    await later(5000);
    for (const url of "abc") server.answer(url, { clip: { duration: 1000 } });
    onLine.mockReturnValue(true);
    window.dispatchEvent(new Event("online"));
    await later(1200);
    press("1");
    await later(0);
    expect(data()[0]?.playback_errors[0]).toEqual({ slot: 0, error: "network", count: 10 });
  });

  test.each(["unsupported", "decode"] as const)(
    "a clip that fails to play (%s) is fetched anew",
    async (fault) => {
      server.answer("c", { clip: { duration: 1000, fault } }, { clip: { duration: 1000 } });
      const { data } = run();
      await later(3000);
      press("3");
      await later(0);
      expect(data()[0]).toMatchObject({ odd: 2, playback_errors: [{ slot: 2, error: fault, count: 1 }] });
      expect(server.requests.at(-1)?.cache).toBe("reload");
    },
  );

  test.each([
    ["unsupported", 200],
    ["frozen", 30_000],
  ] as const)("a clip that never plays (%s) does not hang the study", async (fault, wait) => {
    server.answer("c", { clip: { duration: 1000, fault } });
    const { data } = run();
    await later(wait);
    expect(display.textContent).toContain("could not be played");
    answers()[1]?.click();
    await later(0);
    const error = fault === "frozen" ? "stalled" : fault;
    expect(data()[0]).toMatchObject({ odd: null, playback_errors: [{ slot: 2, error, count: 3 }] });
    expect(browser.decoders()).toBe(0);
  });

  test("a browser that wants a tap gets one, and the clips start together", async () => {
    browser.needsTap = true;
    const { data } = run();
    await later(5000);
    expect(answers().map((button) => button.textContent)).toEqual(["Tap to play the clips"]);
    expect(browser.playing()).toBe(0);
    browser.needsTap = false;
    answers()[0]?.click();
    expect(browser.playing()).toBe(3);
    await later(1200);
    press("1");
    await later(0);
    expect(data()[0]).toMatchObject({ tapped_to_play: true, plays: [1, 1, 1], playback_errors: [] });
  });

  test("a browser that refuses even after taps does not hang the study", async () => {
    browser.needsTap = true;
    const { data } = run();
    for (let tap = 0; tap < 3; tap++) {
      await later(100);
      answers()[0]?.click();
    }
    await later(100);
    answers()[1]?.click();
    await later(0);
    expect(data()[0]).toMatchObject({
      odd: null,
      playback_errors: [{ slot: 0, error: "refused", count: 1 }],
    });
  });

  test("a clip that the browser pauses by itself goes on", async () => {
    const { data } = run();
    await later(300);
    browser.pauseByItself(videos()[1] as HTMLVideoElement);
    await later(1200);
    press("1");
    await later(0);
    expect(data()[0]).toMatchObject({ odd: 0, playback_errors: [] });
  });
});

describe("a hidden window", () => {
  test("pauses the clips, and they go on when it is back", async () => {
    const { data } = run();
    await later(500);
    browser.hide(true);
    expect(browser.playing()).toBe(0);
    await later(60_000);
    expect(clips()[0]?.disabled).toBe(true);
    browser.hide(false);
    expect(browser.playing()).toBe(3);
    await later(700);
    press("1");
    await later(0);
    expect(data()[0]).toMatchObject({ plays: [1, 1, 1], playback_errors: [], hidden_for: 0 });
  });

  test("after choosing became possible its time is told", async () => {
    const { data } = run();
    await later(1200);
    browser.hide(true);
    await later(5000);
    browser.hide(false);
    await later(300);
    press("1");
    await later(0);
    const [trial] = data() as [OddOneOutData];
    expect(trial.hidden_for).toBe(5000);
    expect(trial.rt).toBeGreaterThanOrEqual(5300);
  });

  test("at the start: clips wait for it", async () => {
    browser.hidden = true;
    const { data } = run();
    await later(5000);
    expect(browser.plays).toBe(0);
    browser.hide(false);
    await later(1200);
    press("1");
    await later(0);
    expect(data()[0]).toMatchObject({ odd: 0 });
  });
});

describe("a page loaded again", () => {
  const KEPT = { ...TRIAL, resume_key: "block-1/7" };

  test("in mid-trial is known, and only then", async () => {
    run(KEPT);
    await later(500);
    document.body.replaceChildren(); // the page is gone; its session storage stays
    await later(0);
    document.body.replaceChildren(display);
    const { data } = run([KEPT, { ...KEPT, resume_key: "block-1/8" }, KEPT]);
    for (let i = 0; i < 3; i++) {
      await later(1200);
      press("1");
    }
    await later(0);
    expect(data().map((trial) => trial.reloaded)).toEqual([true, false, false]);
    expect(sessionStorage).toHaveLength(0);
  });

  test("is unknown where the browser offers no storage", async () => {
    vi.spyOn(window, "sessionStorage", "get").mockImplementation(() => {
      throw new DOMException("denied", "SecurityError");
    });
    const { data } = run(KEPT);
    await later(1200);
    press("1");
    await later(0);
    expect(data()[0]?.reloaded).toBeNull();
  });
});

describe("simulation", () => {
  test("data only: no clip is fetched", async () => {
    const { data, over } = run([TRIAL, TRIAL], "data-only");
    await later(0);
    expect(over()).toBe(true);
    expect(server.asked).toEqual([]);
    for (const trial of data()) {
      expect(trial.stimuli).toEqual(["x", "y", "z"]);
      expect(trial.odd_id).toBe(trial.stimuli[trial.odd ?? -1]);
      expect(trial.rt).toBeGreaterThan(0);
    }
  });

  test("values may be given", async () => {
    const trial = { ...TRIAL, simulation_options: { data: { odd: 2, rt: 1234 } } };
    const { data } = run(trial, "data-only");
    await later(0);
    expect(data()[0]).toMatchObject({ odd: 2, odd_id: "z", rt: 1234 });
  });

  test("visual: the clips play, then the key is pressed", async () => {
    const trial = { ...TRIAL, randomise_order: true, simulation_options: { data: { odd: 1, rt: 500 } } };
    const { data, over } = run(trial, "visual");
    await later(1200);
    expect(over()).toBe(false);
    await later(500);
    expect(over()).toBe(true);
    const [made] = data() as [OddOneOutData];
    expect(made).toMatchObject({ odd: 1, rt: 500, plays: [1, 1, 1] });
    expect(made.odd_id).toBe(made.stimuli[1]);
  });
});

test("the data are those the plugin's info declares", async () => {
  const { data } = run(TRIAL, "data-only");
  await later(0);
  const own = new Set(Object.keys(data()[0] ?? {}));
  for (const added of ["trial_type", "trial_index", "plugin_version", "time_elapsed"]) own.delete(added);
  expect([...own].sort()).toEqual(Object.keys(OddOneOut.info.data).sort());
});
