/** Coordinates as the map draws them. */

export interface Places {
  x: number[];
  y: number[];
}

export type Direction = "ArrowLeft" | "ArrowRight" | "ArrowUp" | "ArrowDown";

/** Puts coordinates into [-1, 1], by one scale for both axes, so that distances keep their proportions. */
export function fitted(all: Places[], margin = 0.06): (places: Places) => Places {
  const reach = (key: "x" | "y") => {
    let [low, high] = [Infinity, -Infinity];
    for (const places of all)
      for (const value of places[key]) {
        low = Math.min(low, value);
        high = Math.max(high, value);
      }
    return { middle: (low + high) / 2, half: (high - low) / 2 };
  };
  const [x, y] = [reach("x"), reach("y")];
  const scale = (1 - margin) / (Math.max(x.half, y.half) || 1);
  return (places) => ({
    x: places.x.map((value) => (value - x.middle) * scale),
    y: places.y.map((value) => (value - y.middle) * scale),
  });
}

/** The nearest clip in a direction: within 45° of it, where there is one. */
export function step(places: Places, from: number, direction: Direction): number {
  const [dx, dy] = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[
    direction
  ] as [number, number];
  const [x0, y0] = [places.x[from] ?? 0, places.y[from] ?? 0];
  let [best, least] = [from, Infinity];
  for (let k = 0; k < places.x.length; k++) {
    const [x, y] = [(places.x[k] ?? 0) - x0, (places.y[k] ?? 0) - y0];
    const along = x * dx + y * dy;
    const across = Math.abs(x * dy) + Math.abs(y * dx);
    if (k === from || along <= 0 || across > along) continue;
    const length = along + 2 * across;
    if (length < least) [best, least] = [k, length];
  }
  return best;
}

/** The clip in the middle: where the keyboard begins. */
export function middlemost(places: Places): number {
  let [best, least] = [0, Infinity];
  for (let k = 0; k < places.x.length; k++) {
    const length = Math.hypot(places.x[k] ?? 0, places.y[k] ?? 0);
    if (length < least) [best, least] = [k, length];
  }
  return best;
}

/** Diameter of a point in pixels: small where there are many. */
export function pointSize(clips: number, pixels: number): number {
  return Math.min(12, Math.max(4, 0.35 * Math.sqrt(pixels / Math.max(clips, 1))));
}
