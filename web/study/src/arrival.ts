/** Who comes, and from where: read from the address of the page. */

import { browserStorage } from "./outbox";
import { randomId } from "./random-id";

export interface Arrival {
  source: "prolific" | "link" | "preview";
  participant: string;
}

const NAME = "bgs-participant";

/** Prolific's participant, a preview, or a random name that this browser keeps. */
export function arrival(search: string, storage: Storage | null = browserStorage()): Arrival {
  const given = new URLSearchParams(search);
  const prolific = given.get("PROLIFIC_PID");
  if (given.has("preview")) return { source: "preview", participant: "preview" };
  if (prolific) return { source: "prolific", participant: prolific.slice(0, 200) };
  const linked = given.get("participant");
  if (linked) return { source: "link", participant: linked.slice(0, 200) };
  return { source: "link", participant: keptName(storage) };
}

function keptName(storage: Storage | null): string {
  const made = randomId();
  try {
    const known = storage?.getItem(NAME);
    if (known) return known;
    storage?.setItem(NAME, made);
  } catch {
    // without storage, coming back begins anew
  }
  return made;
}
