import type { ClipTable } from "../src/clips";

/** Three clips, one of them a piece of a long video. */
export function table(changes: Partial<ClipTable> = {}): ClipTable {
  return {
    folder: "/films/park",
    model: "run:/runs/one",
    ids: ["a/Hug.mp4", "b/hug two.mp4", "long.mp4#t=3.00,5.50"],
    urls: ["clips/1.mp4", "clips/2.mp4", "clips/3.mp4"],
    starts: [null, null, 3],
    ends: [null, null, 5.5],
    x: [0, 1, 2],
    y: [0, 1, 0],
    shares: [0.5, 0.2],
    beside: null,
    ...changes,
  };
}
