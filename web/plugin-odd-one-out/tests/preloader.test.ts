import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { ClipUnavailable, Preloader } from "../src/preloader";
import { FakeServer } from "./fake-server";

const TRIALS = ["abc", "def", "ghi", "jkl", "mno"].map((names) => [...names]);
let server: FakeServer;

beforeEach(() => {
  vi.useFakeTimers();
  vi.spyOn(Math, "random").mockReturnValue(0.5); // no jitter
  server = new FakeServer();
});
afterEach(() => vi.useRealTimers());

const later = (milliseconds: number) => vi.advanceTimersByTimeAsync(milliseconds);

/** What a promise came to by the time it is looked at. */
function watched<T>(promise: Promise<T>): { value?: T; error?: unknown } {
  const seen: { value?: T; error?: unknown } = {};
  promise.then(
    (value) => {
      seen.value = value;
    },
    (error) => {
      seen.error = error;
    },
  );
  return seen;
}

describe("what is fetched", () => {
  test("the first trials as soon as they are planned, and no further", async () => {
    new Preloader({ ahead: 2 }).plan(TRIALS);
    await later(1000);
    expect(server.asked.join("")).toBe("abcdef");
  });

  test("the present trial's clips before those ahead, then each once", async () => {
    const preloader = new Preloader({ ahead: 1 });
    preloader.plan(TRIALS);
    for (const trial of TRIALS) {
      preloader.begin(trial);
      await later(1000);
      await Promise.all(trial.map((url) => preloader.load(url)));
      preloader.end();
    }
    expect(server.asked.join("")).toBe("abcdefghijklmno");
  });

  test("never more at once than allowed ahead, yet the present trial does not wait", async () => {
    server.answer("d", "silent");
    server.answer("e", "silent");
    const preloader = new Preloader({ ahead: 3, concurrency: 2 });
    preloader.plan(TRIALS.slice(1));
    await later(100);
    expect(server.open).toBe(2);
    preloader.begin(["a", "b", "c"]);
    const clip = watched(preloader.load("a"));
    await later(100);
    expect(clip.value?.failures).toEqual([]);
    expect(server.most).toBe(5);
  });

  test("a trial is found in the plan whatever the order of its clips", async () => {
    const preloader = new Preloader({ ahead: 1 });
    preloader.plan(TRIALS);
    preloader.begin(["f", "d", "e"]);
    await later(1000);
    expect(server.asked.join("")).toBe("abcfdeghi");
  });

  test("clips without a plan, and a clip of two trials only once", async () => {
    const preloader = new Preloader({ ahead: 1 });
    preloader.begin(["x", "x", "y"]);
    const both = watched(Promise.all([preloader.load("x"), preloader.load("x"), preloader.load("y")]));
    await later(100);
    expect(both.value).toHaveLength(3);
    expect(server.asked.join("")).toBe("xy");
    preloader.plan([["x", "y", "z"]]);
    preloader.end();
    await later(100);
    expect(server.asked.join("")).toBe("xyz");
  });

  test("what is no longer needed is dropped, in mid-flight too", async () => {
    server.answer("a", "silent");
    const preloader = new Preloader({ ahead: 1 });
    preloader.plan(TRIALS);
    await later(100);
    expect(server.open).toBe(1);
    preloader.begin(["d", "e", "f"]);
    await later(100);
    expect(server.open).toBe(0);
    preloader.clear();
    const again = watched(preloader.load("d"));
    await later(100);
    expect(again.value).toBeDefined();
    expect(server.asked.filter((url) => url === "d")).toHaveLength(2);
  });

  test("headers of the study go with each request", async () => {
    const preloader = new Preloader({ request: { headers: { authorization: "Bearer x" } } });
    watched(preloader.load("a"));
    await later(100);
    expect(server.requests[0]?.headers).toEqual({ authorization: "Bearer x" });
  });
});

describe("trouble", () => {
  test("a 503 delays: waits of .5, 1 and 2 s", async () => {
    server.answer("a", { status: 503 }, { status: 503 }, { status: 503 }, { clip: { duration: 1 } });
    const clip = watched(new Preloader().load("a"));
    await later(3400);
    expect(clip).toEqual({});
    await later(300);
    expect(clip.value?.failures).toEqual(["http-503", "http-503", "http-503"]);
    expect(clip.value?.blob.type).toBe("video/mp4");
  });

  test("the server may ask for a longer wait, up to a limit", async () => {
    server.answer(
      "a",
      { status: 429, retryAfter: 3 },
      { status: 503, retryAfter: 9999 },
      { clip: { duration: 1 } },
    );
    const clip = watched(new Preloader({ longestBackoff: 5000 }).load("a"));
    await later(2900);
    expect(server.asked).toHaveLength(1);
    await later(200);
    expect(server.asked).toHaveLength(2);
    await later(5100);
    expect(clip.value?.failures).toEqual(["http-429", "http-503"]);
  });

  test("waits between attempts hold up no other clip", async () => {
    for (const url of "abc") server.answer(url, { status: 503 });
    new Preloader({ ahead: 2, concurrency: 3 }).plan(TRIALS);
    await later(100);
    expect(server.asked.join("")).toBe("abcdef");
  });

  test("silence is timed out; a slow line is not", async () => {
    server.answer("a", "silent", { clip: { duration: 1 } });
    server.answer("b", "trickle");
    const preloader = new Preloader({ timeout: 3000 });
    const silent = watched(preloader.load("a"));
    const slow = watched(preloader.load("b"));
    await later(4000);
    expect(silent.value?.failures).toEqual(["timeout"]);
    await later(10_000);
    expect(slow.value?.failures).toEqual([]);
    expect(slow.value?.blob.size).toBe(100);
  });

  test.each([
    ["a clip that is not there", { status: 404 }, ["http-404"], true],
    ["a lost network", "offline", ["network", "network", "network"], false],
    ["a server that stays down", { status: 500 }, ["http-500", "http-500", "http-500"], false],
  ] as const)(
    "%s is unavailable after its attempts, and may be asked for again",
    async (_, answer, failures, permanent) => {
      server.answer("a", answer);
      const preloader = new Preloader({ attempts: 3 });
      const clip = watched(preloader.load("a"));
      await later(60_000);
      expect(clip.error).toBeInstanceOf(ClipUnavailable);
      expect(clip.error).toMatchObject({ url: "a", failures: [...failures], permanent });
      server.answer("a", { clip: { duration: 1 } });
      const again = watched(preloader.load("a"));
      await later(100);
      expect(again.value?.failures).toEqual([]);
    },
  );

  test("a clip that failed ahead of its trial is tried again in it, and the failures are told there", async () => {
    server.answer("a", { status: 404 });
    const preloader = new Preloader({ ahead: 1 });
    preloader.plan(TRIALS);
    await later(1000);
    server.answer("a", { clip: { duration: 1 } });
    preloader.begin(["a", "b", "c"]);
    const clip = watched(preloader.load("a"));
    await later(100);
    expect(clip.value?.failures).toEqual(["http-404"]);
    expect((await preloader.load("a")).failures).toEqual([]);
  });

  test("an empty answer is a failure", async () => {
    vi.stubGlobal("fetch", async () => new Response(""));
    const clip = watched(new Preloader({ attempts: 1 }).load("a"));
    await later(100);
    expect(clip.error).toMatchObject({ failures: ["empty"] });
  });

  test("a fresh copy is fetched past the cache, once for both who ask", async () => {
    const preloader = new Preloader();
    watched(preloader.load("a"));
    await later(100);
    const both = watched(
      Promise.all([preloader.load("a", { fresh: true }), preloader.load("a", { fresh: true })]),
    );
    await later(100);
    expect(both.value).toHaveLength(2);
    expect(server.requests.map((request) => request.cache)).toEqual([undefined, "reload"]);
  });
});
