import { expect, test } from "vitest";
import { type GivenAnswer, Refused } from "../src/messages";
import { Outbox } from "../src/outbox";
import { Memory } from "./memory";

function answer(trial: number): GivenAnswer {
  return {
    client_id: `id-${trial}`,
    trial,
    stimuli: ["a", "b", "c"],
    odd: 0,
    rt: 1000,
    enabled_after: 10,
    plays: [1, 1, 1],
    playback_errors: [],
    tapped_to_play: false,
    reloaded: null,
    hidden_for: 0,
  };
}

/** A server that stores nothing until it is let. */
class Held {
  readonly stored: number[] = [];
  readonly asked: number[] = [];
  #let: (() => void)[] = [];
  send = (given: GivenAnswer) => {
    this.asked.push(given.trial);
    return new Promise<void>((resolve) => {
      this.#let.push(() => {
        this.stored.push(given.trial);
        resolve();
      });
    });
  };
  async letOne() {
    this.#let.shift()?.();
    await new Promise((resolve) => setTimeout(resolve));
  }
}

test("answers are sent one by one, in order, and forgotten once acknowledged", async () => {
  const server = new Held();
  const storage = new Memory();
  const outbox = new Outbox("x", server.send, storage);
  for (const trial of [0, 1, 2]) outbox.add(answer(trial));
  expect(server.asked).toEqual([0]);
  expect(JSON.parse(storage.getItem("x") ?? "")).toHaveLength(3);
  const nearlyAll = outbox.untilLeft(1);
  await server.letOne();
  await server.letOne();
  await nearlyAll;
  expect(server.stored).toEqual([0, 1]);
  const none = outbox.untilLeft(0);
  await server.letOne();
  await none;
  expect(storage.getItem("x")).toBe("[]");
});

test("a reload sends what was not acknowledged, with the same ids", async () => {
  const storage = new Memory();
  new Outbox("x", () => new Promise(() => {}), storage).add(answer(7));
  const again: GivenAnswer[] = [];
  const outbox = new Outbox("x", async (given) => again.push(given), storage);
  expect(outbox.waiting.map((one) => one.trial)).toEqual([7]);
  await outbox.untilLeft(0);
  expect(again).toEqual([answer(7)]);
});

test("an answer that is stored already counts as sent; a session that ended stops everything", async () => {
  const outbox = new Outbox(
    "x",
    async (given) => {
      throw new Refused(given.trial === 0 ? "answered" : "released");
    },
    new Memory(),
  );
  outbox.add(answer(0));
  await outbox.untilLeft(0);
  outbox.add(answer(1));
  await expect(outbox.untilLeft(0)).rejects.toThrow("released");
  expect(outbox.waiting).toHaveLength(1);
});

test("storage that is full, damaged or refused loses nothing that can still be sent", async () => {
  const stored: number[] = [];
  const send = async (given: GivenAnswer) => stored.push(given.trial);
  const full = new Memory();
  full.full = true;
  const damaged = new Memory();
  damaged.items.set("x", "{not json");
  for (const storage of [full, damaged, null]) {
    const outbox = new Outbox("x", send, storage);
    outbox.add(answer(3));
    await outbox.untilLeft(0);
  }
  expect(stored).toEqual([3, 3, 3]);
});
