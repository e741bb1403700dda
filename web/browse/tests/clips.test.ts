import { expect, test } from "vitest";
import { mostChanged, second, shortModel } from "../src/beside";
import { address, clock, counted, folderName, named, shortName } from "../src/clips";
import { CHANGE, colouring, ramp } from "../src/colours";
import { table } from "./table";

test("a piece of a long video has its times in its address and its name", () => {
  expect(address(table(), 2)).toBe("clips/3.mp4#t=3,5.5");
  expect(address(table(), 0)).toBe("clips/1.mp4");
  expect(shortName("films/long.mp4#t=63.00,3725.50")).toBe("long.mp4 1:03–1:02:06");
  expect(clock(0)).toBe("0:00");
});

test("clips are counted", () => {
  expect(counted(1, "surrounded")).toBe("1 surrounded clip");
  expect(counted(1200, "collected")).toBe("1,200 collected clips");
});

test("names are found by words in any order and case", () => {
  const found = (text: string) => named(table(), text).map(({ clip }) => clip);
  expect(found("HUG")).toEqual([0, 1]);
  expect(found("two hug")).toEqual([1]);
  expect(found("  ")).toEqual([]);
  expect(found("nobody")).toEqual([]);
});

test("folders have colours where there are a few, and only then", () => {
  expect(colouring(table()).legend.map(({ name }) => name)).toEqual(["(no folder)", "a", "b"]);
  expect(colouring(table()).values).toEqual([1, 2, 0]);
  const many = table({ ids: Array.from({ length: 9 }, (_, k) => `folder ${k}/clip.mp4`) });
  expect(colouring(many)).toMatchObject({ legend: [], colours: ["#0072b2"] });
});

test("lightness falls with change", () => {
  const light = ramp(CHANGE, 16).map((hex) => {
    const [r = 0, g = 0, b = 0] = [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  });
  expect(light).toEqual([...light].sort((a, b) => b - a));
  expect(ramp(CHANGE, 4)).toEqual(CHANGE);
});

test("under a second model clips move, and those that it lacks stay", () => {
  const two = table({ beside: { model: "clip:b", clips: [0, 2], x: [5, 2], y: [5, 0], kept: [0.1, 0.9] } });
  expect(second(two)).toEqual({ x: [5, 1, 2], y: [5, 1, 0] });
  expect(mostChanged(two, 5)).toEqual([0, 2]);
  expect(mostChanged(two, 1)).toEqual([0]);
  expect(colouring(two).values[1]).toBe(0);
  expect(colouring(two).values[0]).toBeCloseTo(0.9);
});

test("models and folders have short names", () => {
  expect(shortModel("run:/home/me/runs/tuned/")).toBe("run:tuned");
  expect(shortModel("clip:openai/clip-vit-base-patch32?frames=8")).toBe("clip:clip-vit-base-patch32");
  expect(shortModel("tiny-videomae")).toBe("tiny-videomae");
  expect(folderName(table())).toBe("park");
  expect(folderName(table({ folder: null }))).toBe("Clips");
});
