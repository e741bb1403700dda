/** Numbers in words, the same on every page and for screen readers. */

import type { Scale } from "./practice-data";

export function percent(share: number): string {
  return Number.isFinite(share) ? `${Math.round(100 * share)} %` : "–";
}

/** A value on a scale, with as many digits as the scale has room for. */
export function onScale(value: number, { low, high }: Scale): string {
  const range = high - low;
  return value.toFixed(range >= 20 ? 0 : range >= 2 ? 1 : 2);
}

/** How many chose a clip; of a model, with what probability. */
export function chosenBy(share: number, people: number): string {
  if (people === 0) return `model: ${percent(share)}`;
  const others = people === 1 ? "1 person" : `${people.toLocaleString("en")} people`;
  return `${Math.round(share * people).toLocaleString("en")} of ${others}`;
}

/** What a choice is worth, in a sentence or two. */
export function verdict(shares: readonly number[], slot: number, people: number): string {
  const best = Math.max(...shares);
  const mine = shares[slot] ?? 0;
  const most = shares.indexOf(best);
  const asMost = mine === best;
  if (people === 0) {
    const own = `You chose clip ${slot + 1}, to which a model gives ${percent(mine)}.`;
    return asMost ? own : `${own} It gives clip ${most + 1} the most: ${percent(best)}.`;
  }
  const own = `You chose clip ${slot + 1}. ${alike(mine, people)}.`;
  return asMost ? own : `${own} Most, ${chosenBy(best, people)}, chose clip ${most + 1}.`;
}

function alike(share: number, people: number): string {
  if (Math.round(share * people) > 0) return `So did ${chosenBy(share, people)}`;
  return people === 1 ? "The one person asked did not" : `None of ${people.toLocaleString("en")} people did`;
}

export function listed(names: readonly string[]): string {
  return names.length < 2
    ? (names[0] ?? "")
    : `${names.slice(0, -1).join(", ")} and ${names[names.length - 1]}`;
}
