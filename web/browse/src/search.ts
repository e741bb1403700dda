/** One field for names and sentences, and a place for files. */

import { element } from "./dom";

export interface Searches {
  names: (text: string) => void;
  sentence: (text: string) => void;
  file: (file: File) => void;
}

export function searchField(searches: Searches): HTMLElement {
  const input = element("input", {
    type: "search",
    id: "search",
    placeholder: "Name, or describe a scene",
    autocomplete: "off",
    spellcheck: "false",
    "aria-label": "Search by name, or describe a scene",
  });
  const describe = element(
    "button",
    { type: "submit", title: "Scenes nearest to this sentence (Enter)" },
    "By meaning",
  );
  const file = element("input", {
    type: "file",
    accept: "video/*,.mkv,.avi,.mts,.m2ts,.wmv,.flv",
    hidden: true,
  });
  const choose = element(
    "button",
    { type: "button", title: "Scenes nearest to a video file; or drop one here" },
    "By file…",
  );
  input.addEventListener("input", () => searches.names(input.value.trim()));
  choose.addEventListener("click", () => file.click());
  file.addEventListener("change", () => {
    const chosen = file.files?.[0];
    if (chosen) searches.file(chosen);
    file.value = "";
  });
  const form = element("form", { role: "search", class: "search" }, input, describe, choose, file);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (input.value.trim() !== "") searches.sentence(input.value.trim());
  });
  return form;
}

/** Lets a file be dropped anywhere on the page. */
export function dropping(target: HTMLElement, file: (file: File) => void): void {
  let depth = 0;
  const over = (change: number) => {
    depth = Math.max(0, depth + change);
    target.classList.toggle("dropping", depth > 0);
  };
  target.addEventListener("dragenter", () => over(1));
  target.addEventListener("dragleave", () => over(-1));
  target.addEventListener("dragover", (event) => event.preventDefault());
  target.addEventListener("drop", (event) => {
    event.preventDefault();
    depth = 0;
    over(0);
    const dropped = event.dataTransfer?.files[0];
    if (dropped) file(dropped);
  });
}
