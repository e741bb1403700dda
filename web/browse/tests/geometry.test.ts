import { expect, test } from "vitest";
import { fitted, middlemost, pointSize, step } from "../src/geometry";
import { followed } from "../src/touch";

const cross = { x: [0, -1, 1, 0, 0, 0.2], y: [0, 0, 0, 1, -1, 0.9] };

test("a map keeps its proportions", () => {
  const put = fitted([{ x: [0, 10], y: [2, 4] }], 0);
  expect(put({ x: [0, 10, 5], y: [2, 4, 3] })).toEqual({ x: [-1, 1, 0], y: [-0.2, 0.2, 0] });
});

test("clips at one place are in the middle", () => {
  expect(fitted([{ x: [3], y: [3] }])({ x: [3], y: [3] })).toEqual({ x: [0], y: [0] });
});

test("arrow keys go to the nearest clip in a direction, and nowhere past the last", () => {
  expect(step(cross, 0, "ArrowLeft")).toBe(1);
  expect(step(cross, 0, "ArrowRight")).toBe(2);
  expect(step(cross, 0, "ArrowDown")).toBe(4);
  expect(step(cross, 0, "ArrowUp")).toBe(3);
  expect(step(cross, 1, "ArrowLeft")).toBe(1);
  expect(middlemost(cross)).toBe(0);
});

test("points are smaller where there are many, and never too small to point at", () => {
  expect(pointSize(50, 600 * 600)).toBe(12);
  expect(pointSize(10_000, 600 * 600)).toBe(4);
});

test("what is below a finger stays below it", () => {
  const view = { target: [0, 0] as [number, number], distance: 1 };
  const moved = followed(view, 200, [200, 200], [[100, 100]], [[150, 80]]);
  expect(moved.distance).toBe(1);
  expect(moved.target[0]).toBeCloseTo(-0.5);
  expect(moved.target[1]).toBeCloseTo(-0.2);
});

test("two fingers zoom around their middle", () => {
  const view = { target: [0, 0] as [number, number], distance: 1 };
  const before: [number, number][] = [
    [90, 100],
    [110, 100],
  ];
  const zoomed = followed(view, 200, [200, 200], before, [
    [80, 100],
    [120, 100],
  ]);
  expect(zoomed.distance).toBeCloseTo(0.5);
  expect(zoomed.target[0]).toBeCloseTo(0);
});
