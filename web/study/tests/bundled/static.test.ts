import { expect, test } from "vitest";
import type { Saver } from "../../src/bundled/saving";
import type { ResultFile } from "../../src/bundled/seat";
import { StaticStudy } from "../../src/bundled/static";
import { Memory } from "../memory";
import { answerTo, study } from "./study";

/** A saving service that can be down. */
class Service implements Saver {
  readonly saved: ResultFile[] = [];
  readonly offered: string[] = [];
  up = true;
  constructor(readonly every = Number.POSITIVE_INFINITY) {}
  async offer(file: ResultFile) {
    this.offered.push(file.name);
    if (this.up) this.saved.push(file);
    return this.up;
  }
  async save(file: ResultFile) {
    this.saved.push(file);
  }
  get trials() {
    return this.saved.flatMap((file) => file.trials.map((trial) => trial.trial));
  }
}

test("a reload resumes: the same block and orders, and every answer is saved once", async () => {
  const storage = new Memory();
  const service = new Service();
  const first = new StaticStudy(study(), service, null, storage);
  expect(await first.join("link", "ben")).toEqual({ consented: false, preview: false });
  await first.consent();
  const before = await first.session();
  await first.answer(answerTo(before, 0));

  const again = new StaticStudy(study(), service, null, storage);
  expect(await again.join("link", "ben")).toEqual({ consented: true, preview: false });
  const after = await again.session();
  expect(after.block).toBe(before.block);
  expect(after.trials).toEqual(before.trials);
  expect(after.answered).toEqual([0]);
  await expect(again.answer(answerTo(after, 0))).rejects.toMatchObject({ reason: "answered" });
  for (const trial of [1, 2]) await again.answer(answerTo(after, trial));
  expect(service.saved).toEqual([]);
  const ending = await again.end("complete");
  expect(ending).toEqual({ outcome: "completed", code: "DONE", url: "https://example.org/?cc=DONE" });
  expect(service.trials).toEqual([0, 1, 2]);
  const [saved] = service.saved[0]?.trials ?? [];
  expect(saved).toMatchObject({ trial_type: "odd-one-out", block: after.block, kind: "judgment", rt: 1000 });
  expect(saved?.participant).toMatch(/^p-[0-9a-f]{16}$/);
  expect(saved?.consent_version).toBe("2");
  await expect(new StaticStudy(study(), service, null, storage).join("link", "ben")).rejects.toMatchObject({
    reason: "done",
    details: { code: "DONE" },
  });
  expect(JSON.stringify([...storage.items])).not.toContain("answer_id");
});

test.each([
  { unplayed: [], outcome: "completed" },
  { unplayed: [0], outcome: "incompatible" }, // more than a fifth of three
  { unplayed: [0, 1, 2], outcome: "incompatible" },
])("trials that were not played are not answers: $unplayed", async ({ unplayed, outcome }) => {
  const here = new StaticStudy(study(), new Service(), null, new Memory());
  await here.join("link", "ben");
  const session = await here.session();
  for (const trial of [0, 1, 2]) {
    const answer = answerTo(session, trial);
    await here.answer((unplayed as number[]).includes(trial) ? { ...answer, odd: null } : answer);
  }
  expect((await here.end("complete")).outcome).toBe(outcome);
});

test("files go out while the participant goes on; what is refused is kept and sent at the end", async () => {
  const storage = new Memory();
  const service = new Service(1);
  service.up = false;
  const here = new StaticStudy(study(), service, null, storage);
  await here.join("prolific", "p1");
  const session = await here.session();
  for (const trial of [0, 1, 2]) await here.answer(answerTo(session, trial));
  expect(service.saved).toEqual([]);
  const again = new StaticStudy(study(), service, null, storage);
  await again.join("prolific", "p1");
  await again.end("complete");
  expect(service.trials).toEqual([0, 1, 2]);
  expect(new Set(service.saved.map((file) => file.name)).size).toBe(3);
});

test("the order on screen is drawn for each participant, and blocks are drawn or counted", async () => {
  const orders = new Set<string>();
  const blocks = new Set<string>();
  for (let k = 0; k < 40; k++) {
    const one = new StaticStudy(study(), new Service(), null, new Memory());
    await one.join("link", `${k}`);
    const { trials, block } = await one.session();
    orders.add(String(trials[0]?.clips.map((clip) => clip.id)));
    blocks.add(block);
  }
  expect(orders.size).toBe(6);
  expect(blocks.size).toBe(3);
  const counted = new StaticStudy(study(), new Service(), async () => 4, new Memory());
  await counted.join("link", "x");
  expect((await counted.session()).block).toBe("block-1");
});

test("failed checks, no consent, and previews", async () => {
  const service = new Service();
  const careless = new StaticStudy(study(), service, null, new Memory());
  await careless.join("link", "c");
  const session = await careless.session();
  for (const trial of [0, 1, 2]) await careless.answer(answerTo(session, trial, trial < 2));
  expect((await careless.end("complete")).code).toBe("FAIL");

  const storage = new Memory();
  const unwilling = new StaticStudy(study(), service, null, storage);
  await unwilling.join("link", "d");
  expect((await unwilling.end("decline")).code).toBe("NO");
  expect(storage.items.size).toBe(0);

  const preview = new StaticStudy(study(), service, null, storage);
  await preview.join("preview", "preview");
  await preview.consent();
  await preview.answer(answerTo(await preview.session(), 0));
  expect(await preview.end("complete")).toMatchObject({ preview: true, code: null });
  expect(storage.items.size).toBe(0);
  expect(service.trials).toEqual([0, 1, 2]);
});

test("two windows that join at once do not mix their blocks", async () => {
  const storage = new Memory();
  const [one, two] = [0, 1].map(
    (block) => new StaticStudy(study(), new Service(), async () => block, storage),
  );
  await Promise.all([one?.join("link", "x"), two?.join("link", "x")]);
  const elsewhere = { ...answerTo((await two?.session()) as never, 1), stimuli: ["a", "b", "d"] };
  await expect(one?.answer(elsewhere)).rejects.toMatchObject({ reason: "elsewhere" });
});

test("without storage, answers are kept in memory", async () => {
  const service = new Service();
  const here = new StaticStudy(study(), service, null, null);
  await here.join("link", "x");
  const session = await here.session();
  for (const trial of [0, 1, 2]) await here.answer(answerTo(session, trial));
  await here.end("complete");
  expect(service.trials).toEqual([0, 1, 2]);
});
