import { expect, test, vi } from "vitest";
import type { Scale, Triplet } from "../src/practice-data";
import { shuffled } from "../src/practice-odd";
import { groups, oddResult, ratingResult, relative, runningMean, Score } from "../src/practice-score";
import { chosenBy, listed, onScale, percent, verdict } from "../src/practice-words";

const valence: Scale = { name: "valence", low: 1, high: 7, low_label: "", high_label: "", average: 4 };
const arousal: Scale = { name: "arousal", low: 0, high: 1, low_label: "calm", high_label: "", average: 0.5 };

function memory(kept = new Map<string, string>()) {
  const storage = {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => kept.set(key, value),
  } as unknown as Storage;
  return { kept, storage };
}

test("points are the share that chose the same, beside the best possible", () => {
  expect(oddResult([2 / 9, 7 / 9, 0], 0, 9)).toEqual({ mine: 2 / 9, best: 7 / 9, people: 9 });
});

test("the score outlives the page, for each set of clips on its own, until it is cleared", () => {
  const { storage } = memory();
  const score = new Score("clips", storage);
  score.addOdd({ mine: 0.5, best: 0.75, people: 4 });
  score.addRatings({ valence: { error: 1, unwatched: 2 } });
  const again = new Score("clips", storage);
  expect(again.odd).toEqual([{ mine: 0.5, best: 0.75, people: 4 }]);
  expect(again.ratings).toEqual([{ valence: { error: 1, unwatched: 2 } }]);
  expect(again.seed).toBe(score.seed);
  expect(new Score("other clips", storage).odd).toEqual([]);
  again.clear();
  expect(new Score("clips", storage).odd).toEqual([]);
});

test.each([
  "{",
  "null",
  "3",
  '{"seed": 1}',
  '{"seed": 1.5, "odd": [], "ratings": []}',
  '{"seed": 1, "odd": [{"mine": "x"}], "ratings": []}',
  '{"seed": 1, "odd": [], "ratings": [null]}',
  '{"seed": 1, "odd": [], "ratings": [{"valence": null}]}',
])("a damaged score begins anew: %s", (text) => {
  const { storage } = memory(new Map([["bgs-practice:clips", text]]));
  const score = new Score("clips", storage);
  expect([score.odd, score.ratings]).toEqual([[], []]);
});

test("without storage, or with a full one, the score lasts as long as the page", () => {
  const full = {
    getItem: () => null,
    setItem: vi.fn(() => {
      throw new Error("full");
    }),
  };
  for (const storage of [null, full as unknown as Storage]) {
    const score = new Score("clips", storage);
    score.addOdd({ mine: 1, best: 1, people: 1 });
    expect(score.odd).toHaveLength(1);
  }
});

test("errors on scales, beside those of somebody who has not watched", () => {
  const result = ratingResult({ valence: 5, arousal: 0.25 }, { valence: 6.5, arousal: 0.5 }, [
    valence,
    arousal,
  ]);
  expect(result).toEqual({
    valence: { error: 1.5, unwatched: 2.5 },
    arousal: { error: 0.25, unwatched: 0 },
  });
  expect(relative(result, [valence, arousal])).toEqual({ error: 0.25, unwatched: 2.5 / 12 });
  expect(ratingResult({ valence: 5 }, {}, [valence])).toEqual({});
  expect(relative({}, [valence]).error).toBeNaN();
});

test("the line of a chart is the mean of the last ten, its table has groups of ten", () => {
  const values = Array.from({ length: 12 }, (_, k) => k);
  const means = runningMean(values);
  expect(means.slice(0, 3)).toEqual([0, 0.5, 1]);
  expect(means[9]).toBe(4.5);
  expect(means[11]).toBe(6.5);
  expect(groups(values).map((group) => group.length)).toEqual([10, 2]);
  expect(groups([])).toEqual([]);
});

test("shuffling keeps each clip with its share", () => {
  const clip = (url: string) => ({ url, captions: [], ratings: {} });
  const triplet: Triplet = { clips: ["a", "b", "c"].map(clip), shares: [0.1, 0.2, 0.7], people: 10 };
  const orders = new Set<string>();
  for (let k = 0; k < 200; k++) {
    const { clips, shares, people } = shuffled(triplet);
    orders.add(clips.map(({ url }) => url).join(""));
    expect(clips.map(({ url }) => ({ a: 0.1, b: 0.2, c: 0.7 })[url])).toEqual(shares);
    expect(people).toBe(10);
  }
  expect(orders.size).toBe(6);
});

test("what is said of a choice", () => {
  const shares = [2 / 9, 7 / 9, 0];
  expect(verdict(shares, 1, 9)).toBe("You chose clip 2. So did 7 of 9 people.");
  expect(verdict(shares, 0, 9)).toBe(
    "You chose clip 1. So did 2 of 9 people. Most, 7 of 9 people, chose clip 2.",
  );
  expect(verdict(shares, 2, 9)).toBe(
    "You chose clip 3. None of 9 people did. Most, 7 of 9 people, chose clip 2.",
  );
  expect(verdict([0.2, 0.5, 0.3], 1, 0)).toBe("You chose clip 2, to which a model gives 50 %.");
  expect(verdict([0.2, 0.5, 0.3], 0, 0)).toContain("It gives clip 2 the most: 50 %.");
  expect(verdict([1, 0, 0], 1, 1)).toBe(
    "You chose clip 2. The one person asked did not. Most, 1 of 1 person, chose clip 1.",
  );
  expect(chosenBy(1, 1)).toBe("1 of 1 person");
  expect(chosenBy(0.25, 4000)).toBe("1,000 of 4,000 people");
  expect(chosenBy(0.5, 0)).toBe("model: 50 %");
});

test("numbers have the digits of their scale", () => {
  expect([onScale(4, valence), onScale(0.5, arousal)]).toEqual(["4.0", "0.50"]);
  expect(onScale(50.4, { ...arousal, high: 100 })).toBe("50");
  expect([percent(1 / 3), percent(Number.NaN)]).toEqual(["33 %", "–"]);
  expect([listed(["a"]), listed(["a", "b", "c"])]).toEqual(["a", "a, b and c"]);
});
