/** The map itself: points drawn by WebGL, and what is said about a few of them above it. */

import createScatterplot from "regl-scatterplot";
import { CHOSEN, type Colouring } from "./colours";
import { calm, drawn } from "./dom";
import { fitted, type Places, pointSize } from "./geometry";

export interface Events {
  over: (clip: number) => void;
  out: () => void;
  choose: (clip: number) => void;
  surround: (clips: number[]) => void;
  nothing: () => void;
}

/** A line from one place to another, drawn above the points. */
export interface Line {
  from: [number, number];
  to: [number, number];
}

const MOVING = 900;
/** Milliseconds after a lasso in which a click is its end: it may end where it began. */
const CLICK = 400;

export class Scatter {
  private readonly plot: ReturnType<typeof createScatterplot>;
  private readonly overlay: SVGElement;
  private readonly fit_: (places: Places) => Places;
  private lassoing = false;
  private surroundedAt = -CLICK;
  private moving = false;
  /** Clips that are marked: the chosen one first. */
  private marked: number[] = [];
  private ringed = false;
  private cross: { x: number; y: number } | null = null;
  private lines: Line[] = [];
  /** As drawn, in [-1, 1]. */
  places: Places;

  constructor(
    private readonly canvas: HTMLCanvasElement,
    holder: HTMLElement,
    shown: Places[],
    private readonly colouring: Colouring,
    private readonly events: Events,
  ) {
    this.fit_ = fitted(shown);
    this.places = this.fit_(shown[0] as Places);
    this.overlay = drawn("svg", { class: "overlay", "aria-hidden": "true" });
    holder.append(this.overlay);
    const { clientWidth, clientHeight } = holder;
    this.plot = createScatterplot({
      canvas,
      width: "auto",
      height: "auto",
      backgroundColor: "#ffffff",
      pointSize: pointSize(this.places.x.length, clientWidth * clientHeight),
      pointSizeSelected: 3,
      pointOutlineWidth: 2,
      opacity: this.places.x.length > 3000 ? 0.7 : 0.85,
      opacityInactiveMax: 0.6,
      opacityInactiveScale: 0.8,
      colorBy: colouring.colours.length > 1 ? "valueA" : null,
      pointColor: colouring.colours,
      pointColorActive: CHOSEN,
      pointColorHover: "#1f2933",
      lassoColor: CHOSEN,
      lassoLineWidth: 2,
      lassoInitiator: false,
      lassoOnLongPress: false,
      deselectOnDblClick: false,
      deselectOnEscape: false,
      spatialIndexUseWorker: false, // it would be made from a string, which the policy of the page forbids
    });
    this.listen();
    new ResizeObserver(() => requestAnimationFrame(() => this.redrawOverlay())).observe(holder);
  }

  private listen(): void {
    this.plot.subscribe("pointOver", (clip) => this.events.over(clip));
    this.plot.subscribe("pointOut", () => this.events.out());
    this.plot.subscribe("lassoStart", () => {
      this.lassoing = true;
    });
    this.plot.subscribe("lassoEnd", () => {
      // the plot says nothing more where the same clips, or none, were surrounded before
      setTimeout(() => this.lassoing && this.surrounded([...this.plot.get("selectedPoints")]));
    });
    this.plot.subscribe("select", ({ points }) => {
      const [first] = points;
      if (this.lassoing) this.surrounded([...points]);
      else if (performance.now() - this.surroundedAt < CLICK) this.select();
      else if (first !== undefined) this.events.choose(first);
    });
    this.plot.subscribe("deselect", () => {
      if (this.lassoing) this.surrounded([]);
      else this.events.nothing();
    });
    this.plot.subscribe("view", () => this.redrawOverlay());
    this.plot.subscribe("draw", () => this.redrawOverlay());
  }

  private surrounded(clips: number[]): void {
    this.lassoing = false;
    this.surroundedAt = performance.now();
    this.events.surround(clips);
  }

  async draw(): Promise<void> {
    await this.plot.draw(this.points(), {
      zDataType: this.colouring.continuous ? "continuous" : "categorical",
    });
    await this.show(0);
  }

  private points() {
    return { x: this.places.x, y: this.places.y, valueA: this.colouring.values };
  }

  /** Move the points to other places. */
  async move(places: Places): Promise<void> {
    this.places = this.fit_(places);
    this.moving = true;
    this.redrawOverlay();
    await this.plot.draw(this.points(), {
      zDataType: this.colouring.continuous ? "continuous" : "categorical",
      transition: !calm(),
      transitionDuration: MOVING,
      preventFilterReset: true,
    });
    this.moving = false;
    this.redrawOverlay();
  }

  /** Where other coordinates are drawn. */
  at(places: Places): Places {
    return this.fit_(places);
  }

  /** Whether a drag surrounds clips instead of moving the map. */
  surrounding = false;

  lasso(wanted: boolean): void {
    this.surrounding = wanted;
    this.plot.set({ mouseMode: wanted ? "lasso" : "panZoom" });
  }

  /** Choose what a finger surrounded, in pixels. */
  surround(outline: [number, number][]): void {
    this.trail([]);
    if (outline.length < 3) return;
    this.lassoing = true; // until the plot, which tells of events later, has said what was surrounded
    this.plot.lassoSelect(
      outline.map((point) => this.world(point)),
      { isGl: true } as never,
    );
  }

  /** Show what a finger has surrounded so far. */
  trail(outline: [number, number][]): void {
    this.redrawOverlay();
    if (outline.length > 1)
      this.overlay.append(
        drawn("polygon", { points: outline.map((point) => point.join(",")).join(" "), class: "trail" }),
      );
  }

  hover(clip: number | null): void {
    this.plot.hover(clip ?? -1, { preventEvent: true });
  }

  /** Mark clips: the first is the chosen one where `ringed`. */
  mark(clips: number[], ringed: boolean): void {
    this.marked = clips;
    this.ringed = ringed;
    this.select();
    this.redrawOverlay();
  }

  private select(): void {
    if (this.marked.length > 0) this.plot.select(this.marked, { preventEvent: true });
    else this.plot.deselect({ preventEvent: true });
  }

  /** A cross where a file that is not in the index would lie. */
  place(at: { x: number; y: number } | null): void {
    const put = at === null ? null : this.fit_({ x: [at.x], y: [at.y] });
    this.cross = put === null ? null : { x: put.x[0] ?? 0, y: put.y[0] ?? 0 };
    this.redrawOverlay();
  }

  connect(lines: Line[]): void {
    this.lines = lines;
    this.redrawOverlay();
  }

  /** The camera: where it looks, and from how far. */
  get camera(): { target: [number, number]; distance: number } {
    return { target: this.plot.get("cameraTarget"), distance: this.plot.get("cameraDistance") };
  }

  look(target: [number, number], distance: number, milliseconds = 0): Promise<void> {
    const soft = milliseconds > 0 && !calm();
    return this.plot.zoomToLocation(target, Math.min(8, Math.max(0.01, distance)), {
      transition: soft,
      transitionDuration: milliseconds,
    });
  }

  zoom(factor: number): Promise<void> {
    const { target, distance } = this.camera;
    return this.look([target[0], target[1]], distance * factor, 200);
  }

  /** Show every clip. */
  show(milliseconds = 300): Promise<void> {
    const half = (values: number[]) => values.reduce((most, value) => Math.max(most, Math.abs(value)), 0.05);
    const wide = this.canvas.clientWidth / Math.max(this.canvas.clientHeight, 1);
    return this.look([0, 0], 1.08 * Math.max(half(this.places.y), half(this.places.x) / wide), milliseconds);
  }

  /** Bring a clip into view where it is not. */
  reach(clip: number): void {
    const [x, y] = this.screen(clip) ?? [-1, -1];
    const inside = x > 20 && y > 20 && x < this.canvas.clientWidth - 20 && y < this.canvas.clientHeight - 20;
    if (!inside) this.look([this.places.x[clip] ?? 0, this.places.y[clip] ?? 0], this.camera.distance, 300);
  }

  /** Pixels from the corner of the map. */
  screen(clip: number): [number, number] | undefined {
    return this.plot.getScreenPosition(clip);
  }

  private pixel([x, y]: [number, number]): [number, number] {
    const { target, distance } = this.camera;
    const { clientWidth: w, clientHeight: h } = this.canvas;
    return [w / 2 + ((x - target[0]) / distance) * (h / 2), h / 2 - ((y - target[1]) / distance) * (h / 2)];
  }

  private world([x, y]: [number, number]): [number, number] {
    const { target, distance } = this.camera;
    const { clientWidth: w, clientHeight: h } = this.canvas;
    return [target[0] + ((x - w / 2) / (h / 2)) * distance, target[1] - ((y - h / 2) / (h / 2)) * distance];
  }

  private redrawOverlay(): void {
    this.overlay.replaceChildren();
    if (this.moving) return;
    for (const { from, to } of this.lines) {
      const [[x1, y1], [x2, y2]] = [this.pixel(from), this.pixel(to)];
      this.overlay.append(
        drawn("line", { x1, y1, x2, y2, class: "moved" }),
        drawn("circle", { cx: x1, cy: y1, r: 2.5, class: "moved-from" }),
      );
    }
    const [chosen] = this.marked;
    if (this.ringed && chosen !== undefined) this.overlay.append(this.ring(chosen));
    if (this.cross !== null) {
      const [x, y] = this.pixel([this.cross.x, this.cross.y]);
      this.overlay.append(drawn("path", { d: `M${x - 9} ${y}h18M${x} ${y - 9}v18`, class: "cross" }));
    }
  }

  private ring(clip: number): SVGElement {
    const [cx, cy] = this.pixel([this.places.x[clip] ?? 0, this.places.y[clip] ?? 0]);
    return drawn("circle", { cx, cy, r: 11, class: "ring" });
  }
}
