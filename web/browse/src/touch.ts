/** One finger moves the map or surrounds clips, two zoom it; a tap chooses, as a click does. */

export interface View {
  target: [number, number];
  distance: number;
}

export interface Touchable {
  camera: View;
  look: (target: [number, number], distance: number) => Promise<void>;
  surrounding: boolean;
  surround: (outline: Point[]) => void;
  trail: (outline: Point[]) => void;
}

type Point = [number, number];

/** The view after fingers moved: what lay below their middle stays below it. */
export function followed(view: View, height: number, size: Point, before: Point[], after: Point[]): View {
  const middle = (points: Point[]): Point => [
    points.reduce((sum, [x]) => sum + x, 0) / points.length,
    points.reduce((sum, [, y]) => sum + y, 0) / points.length,
  ];
  const spread = (points: Point[]) =>
    points.length < 2
      ? 1
      : Math.hypot(
          (points[0]?.[0] ?? 0) - (points[1]?.[0] ?? 0),
          (points[0]?.[1] ?? 0) - (points[1]?.[1] ?? 0),
        );
  const world = ([x, y]: Point, { target, distance }: View): Point => [
    target[0] + ((x - size[0] / 2) / (height / 2)) * distance,
    target[1] - ((y - size[1] / 2) / (height / 2)) * distance,
  ];
  const distance = view.distance * (spread(before) / Math.max(spread(after), 1));
  const [held, now] = [world(middle(before), view), world(middle(after), { target: view.target, distance })];
  return { target: [view.target[0] + held[0] - now[0], view.target[1] + held[1] - now[1]], distance };
}

export function touch(canvas: HTMLCanvasElement, map: Touchable): void {
  const fingers = new Map<number, Point>();
  let outline: Point[] = [];
  canvas.addEventListener("pointerdown", (event) => {
    if (event.pointerType !== "touch") return;
    fingers.set(event.pointerId, [event.offsetX, event.offsetY]);
    outline = [];
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!fingers.has(event.pointerId)) return;
    const before = [...fingers.values()];
    fingers.set(event.pointerId, [event.offsetX, event.offsetY]);
    if (map.surrounding && fingers.size === 1) {
      outline.push([event.offsetX, event.offsetY]);
      map.trail(outline);
      return;
    }
    const { clientWidth, clientHeight } = canvas;
    const next = followed(map.camera, clientHeight, [clientWidth, clientHeight], before, [
      ...fingers.values(),
    ]);
    map.look(next.target, next.distance);
  });
  for (const name of ["pointerup", "pointercancel", "pointerleave"] as const)
    canvas.addEventListener(name, (event) => {
      if (!fingers.delete(event.pointerId) || outline.length === 0) return;
      if (name === "pointerup") map.surround(outline);
      else map.trail([]);
      outline = [];
    });
}
