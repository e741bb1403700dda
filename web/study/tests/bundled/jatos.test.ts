import { expect, test } from "vitest";
import { JatosStudy } from "../../src/bundled/jatos";
import { queryOf } from "../../src/bundled/jatos-api";
import { Memory } from "../memory";
import { type FakeJatos, JatosServer } from "./fake-jatos";
import { answerTo, study } from "./study";

const quiet = { onLost: () => {}, onFound: () => {} };
const soon = () => new Promise<void>((resolve) => setTimeout(resolve));

function on(run: FakeJatos, blocks = 3, storage: Storage | null = new Memory(), redirects = false) {
  return new JatosStudy(study({ kind: "jatos", redirects }, blocks), run, quiet, storage, soon);
}

function lines(server: JatosServer, run: string): { trial: number; answer_id: string }[] {
  return (server.results.get(run) ?? "")
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line));
}

test("twelve people who join at once get twelve blocks, and the thirteenth is told that it is full", async () => {
  const server = new JatosServer();
  const people = Array.from({ length: 12 }, (_, k) => on(server.run(`${k}`), 12));
  await Promise.all(people.map((one, k) => one.join("link", `person ${k}`)));
  const blocks = await Promise.all(people.map(async (one) => (await one.session()).block));
  expect(new Set(blocks).size).toBe(12);
  await expect(on(server.run("x"), 12).join("link", "late")).rejects.toMatchObject({ reason: "full" });
});

test("a claim whose acknowledgement is lost is not made twice", async () => {
  const server = new JatosServer();
  server.losing = 1;
  await on(server.run("1")).join("link", "ben");
  expect(Object.keys(server.batch)).toEqual(["bgs-block-0"]);
});

test("a reload resumes from JATOS alone, and a browser that was emptied loses nothing", async () => {
  const server = new JatosServer();
  const first = on(server.run("1"));
  await first.join("link", "ben");
  await first.consent();
  const before = await first.session();
  await first.answer(answerTo(before, 0));

  const again = on(server.run("1"));
  expect(await again.join("link", "ben")).toMatchObject({ consented: true });
  const after = await again.session();
  expect(after.trials).toEqual(before.trials);
  expect(after.answered).toEqual([0]);
  server.failing = 2;
  for (const trial of [1, 2]) await again.answer(answerTo(after, trial));
  expect((await again.end("complete")).code).toBe("DONE");
  expect(lines(server, "1").map((each) => each.trial)).toEqual([0, 1, 2]);
  expect(server.batch["bgs-block-0"]).toMatchObject({ outcome: "completed" });
  expect(server.ended.get("1")).toEqual([true, "completed"]);
});

test("an answer that was stored without word of it comes again under the same id", async () => {
  const server = new JatosServer();
  const here = on(server.run("1"));
  await here.join("link", "ben");
  server.losing = 1;
  await here.answer(answerTo(await here.session(), 0));
  const ids = lines(server, "1").map((each) => each.answer_id);
  expect(ids).toHaveLength(2);
  expect(new Set(ids).size).toBe(1);
});

test("the same person in a new run: their browser knows how far they are, another one sends them back", async () => {
  const server = new JatosServer();
  const storage = new Memory();
  const first = on(server.run("1"), 3, storage);
  await first.join("prolific", "p1");
  await first.answer(answerTo(await first.session(), 0));
  const again = on(server.run("2"), 3, storage);
  await again.join("prolific", "p1");
  expect((await again.session()).answered).toEqual([0]);
  await expect(on(server.run("3")).join("prolific", "p1")).rejects.toMatchObject({ reason: "elsewhere" });
  expect(Object.keys(server.batch)).toEqual(["bgs-block-0"]);
});

test("who does not agree gives the block back; the run ends without success", async () => {
  const server = new JatosServer();
  const here = on(server.run("1"));
  await here.join("link", "ben");
  expect((await here.end("decline")).code).toBe("NO");
  expect(server.batch).toEqual({});
  expect(server.ended.get("1")).toEqual([false, "no_consent"]);
});

test("where JATOS knows the way out, the last button takes it, and nobody else is sent there", async () => {
  const server = new JatosServer();
  const run = server.run("1");
  const here = on(run, 3, new Memory(), true);
  await here.join("link", "ben");
  const session = await here.session();
  for (const trial of [0, 1, 2]) await here.answer(answerTo(session, trial));
  const ending = await here.end("complete");
  expect(server.ended.size).toBe(0);
  ending.finish?.();
  expect(run.left).toBe("end page");

  const careless = server.run("2");
  const other = on(careless, 3, new Memory(), true);
  await other.join("link", "cleo");
  const theirs = await other.session();
  for (const trial of [0, 1, 2]) await other.answer(answerTo(theirs, trial, trial < 2));
  expect(await other.end("complete")).toMatchObject({ code: "FAIL", url: "https://example.org/?cc=FAIL" });
  expect(careless.left).toBe(null);
});

test("who comes is read from the link, or is the worker; the researcher sees a preview", () => {
  const server = new JatosServer();
  expect(queryOf(server.run("1", { PROLIFIC_PID: "p1" }))).toBe("PROLIFIC_PID=p1");
  expect(queryOf(server.run("2"))).toBe("participant=jatos+worker+7");
  expect(queryOf(server.run("3", {}, "Jatos"))).toContain("preview=1");
});

test("a preview stores nothing", async () => {
  const server = new JatosServer();
  const here = on(server.run("1"));
  await here.join("preview", "preview");
  await here.answer(answerTo(await here.session(), 0));
  await here.end("complete");
  expect([server.batch, server.results.size, server.sessions.size, server.ended.size]).toEqual([{}, 0, 0, 0]);
});
