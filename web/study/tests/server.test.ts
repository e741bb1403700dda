import { afterEach, expect, test, vi } from "vitest";
import { arrival } from "../src/arrival";
import { Server } from "../src/server";

afterEach(() => vi.unstubAllGlobals());

function answers(...given: (Response | Error)[]) {
  const asked: [string, RequestInit][] = [];
  vi.stubGlobal("fetch", async (url: string, request: RequestInit) => {
    asked.push([url, request]);
    const next = given.shift();
    if (next instanceof Error || next === undefined) throw next ?? new TypeError("no more");
    return next;
  });
  return asked;
}

function server() {
  const said: string[] = [];
  const slept: number[] = [];
  const made = new Server(
    { onLost: () => said.push("lost"), onFound: () => said.push("found") },
    async (milliseconds) => {
      slept.push(milliseconds);
    },
  );
  return { made, said, slept };
}

const json = (body: unknown, status = 200) => new Response(JSON.stringify(body), { status });

test("a lost network, a restart, a full disk and half an answer are waited out", async () => {
  const asked = answers(
    new TypeError("network"),
    json({ error: "storage" }, 503),
    json({ error: "busy" }, 429),
    new Response("<html>"),
    json({ code: "X" }),
  );
  const { made, said, slept } = server();
  made.token = "t";
  expect(await made.end("complete")).toEqual({ code: "X" });
  expect(asked).toHaveLength(5);
  expect(new Set(asked.map(([url]) => url))).toEqual(new Set(["api/complete"]));
  expect(new Headers(asked[0]?.[1].headers).get("authorization")).toBe("Bearer t");
  expect(said).toEqual(["lost", "found"]);
  expect(slept).toHaveLength(4);
  expect(slept[3]).toBeGreaterThan(slept[0] as number);
  expect(Math.max(...slept)).toBeLessThanOrEqual(8_000 * 1.25);
});

test("a refusal is not asked again, and carries its reason and code", async () => {
  const asked = answers(json({ error: "done", code: "C" }, 410));
  const { made, said } = server();
  await expect(made.join("link", "a")).rejects.toMatchObject({ reason: "done", details: { code: "C" } });
  expect(asked).toHaveLength(1);
  expect(said).toEqual([]);
});

test("who comes is read from the address, or kept by the browser", () => {
  const kept = new Map<string, string>();
  const storage = {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => kept.set(key, value),
  } as unknown as Storage;
  expect(arrival("?PROLIFIC_PID=p1&STUDY_ID=s", storage)).toEqual({ source: "prolific", participant: "p1" });
  expect(arrival("?participant=ben", storage)).toEqual({ source: "link", participant: "ben" });
  expect(arrival("?preview=1&PROLIFIC_PID=p1", storage).source).toBe("preview");
  const first = arrival("", storage);
  expect(arrival("", storage)).toEqual(first);
  expect(first.participant).toMatch(/^[0-9a-f-]{36}$/);
  expect(arrival("", null).participant).not.toBe(first.participant);
});
