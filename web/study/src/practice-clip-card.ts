/** What is known of a clip: captions that people wrote, and the group's ratings on their scales. */

import { element } from "./pages";
import type { PracticeClip, Scale } from "./practice-data";
import { svg } from "./practice-parts";
import { onScale } from "./practice-words";

export function captions(clip: PracticeClip): HTMLElement[] {
  if (!clip.captions.length) return [];
  const list = element("ul", "practice-captions");
  list.append(...clip.captions.map((text) => element("li", "", text)));
  return [list];
}

/** The group's mean on each scale, small. */
export function ratings(clip: PracticeClip, scales: readonly Scale[]): HTMLElement[] {
  const known = scales.filter(({ name }) => clip.ratings[name]);
  if (!known.length) return [];
  const list = element("dl", "practice-ratings");
  for (const scale of known) {
    const { mean, spread } = clip.ratings[scale.name] as { mean: number; spread: number | null };
    const value = element("dd", "");
    value.append(track(mean, spread, scale), element("span", "practice-value", onScale(mean, scale)));
    list.append(element("dt", "", scale.name), value);
  }
  return [list];
}

/** A scale with the group's mean, and a band of one standard deviation around it where that is known. */
export function track(mean: number, spread: number | null, { low, high }: Scale): SVGElement {
  const at = (value: number) => (100 * (Math.min(high, Math.max(low, value)) - low)) / (high - low);
  const percent = (value: number) => `${value.toFixed(2)}%`;
  const drawing = svg("svg", { class: "practice-track", "aria-hidden": "true" });
  drawing.append(svg("line", { x1: 0, x2: "100%", y1: "50%", y2: "50%", class: "track-line" }));
  if (spread !== null) {
    const [from, to] = [at(mean - spread), at(mean + spread)];
    drawing.append(
      svg("rect", {
        x: percent(from),
        width: percent(to - from),
        y: 2,
        height: 12,
        rx: 4,
        class: "track-band",
      }),
    );
  }
  drawing.append(svg("circle", { cx: percent(at(mean)), cy: "50%", r: 6, class: "track-mean" }));
  return drawing;
}
