/** The researcher's page: counts, which pairs were seen, and how long choices took. It asks again every ten seconds. */

import "./study.css";
import { element } from "./pages";

interface Status {
  title: string;
  progress: Record<string, number | null | Record<string, number>>;
  coverage: number[][];
  /** Whose rows and columns these are: ids of clips, or the first and last of several. */
  clips: string[];
  seconds: { from: number[]; count: number[] };
}

const EVERY = 10_000;
const COUNTS: readonly (readonly [key: string, label: string, of?: string])[] = [
  ["complete", "blocks complete", "blocks"],
  ["active", "blocks in somebody's hands"],
  ["abandoned", "blocks abandoned, to be given out again"],
  ["free", "blocks free"],
  ["answers", "answers that count", "planned"],
  ["pairs", "pairs of clips seen", "pairs_planned"],
  ["participants", "participants"],
  ["consented", "of these agreed"],
];

const root = document.getElementById("admin") as HTMLElement;

function login(message = ""): void {
  const form = element("form", "page");
  const label = element("label", "page-text", "Admin token (shown when the study was first served)");
  const token = element("input", "admin-token");
  token.type = "password";
  token.autocomplete = "off";
  label.append(token);
  const button = element("button", "page-button page-first", "Show progress");
  form.append(element("h1", "page-heading", "Progress"), label, element("p", "page-text", message), button);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void follow(token.value.trim());
  });
  root.replaceChildren(form);
  token.focus();
}

async function follow(token: string): Promise<void> {
  for (;;) {
    try {
      const response = await fetch("api/admin/status", { headers: { authorization: `Bearer ${token}` } });
      if (response.status === 401) return login("This is not the token.");
      if (response.ok) show((await response.json()) as Status);
    } catch {
      // the server is away; what was shown last stays
    }
    await new Promise((resolve) => setTimeout(resolve, EVERY));
  }
}

function show(status: Status): void {
  document.title = `Progress: ${status.title}`;
  const page = element("section", "admin-page");
  page.append(
    element("h1", "page-heading", status.title),
    counts(status),
    element("h2", "admin-heading", "How often each pair of clips was seen"),
    heatMap(status.coverage, status.clips),
    element("h2", "admin-heading", "Time of a choice in seconds"),
    histogram(status.seconds),
    element("p", "page-contact", `As of ${new Date().toLocaleTimeString()}; asked again every ten seconds.`),
  );
  root.replaceChildren(page);
}

function counts({ progress }: Status): HTMLElement {
  const table = element("table", "admin-table");
  const line = (label: string, value: string) => {
    const row = table.insertRow();
    row.append(element("th", "", label), element("td", "", value));
  };
  for (const [key, label, of] of COUNTS) {
    const value = Number(progress[key]);
    const whole = of === undefined ? 0 : Number(progress[of]);
    const share = whole ? ` of ${whole.toLocaleString()} (${Math.round((100 * value) / whole)}\u00a0%)` : "";
    line(label, value.toLocaleString() + share);
  }
  if (progress.simulated) line("of these SIMULATED observers", Number(progress.simulated).toLocaleString());
  for (const [reason, number] of Object.entries((progress.excluded ?? {}) as Record<string, number>)) {
    line(`excluded: ${reason}`, number.toLocaleString());
  }
  const rt = progress.rt_ms;
  line("median time of a choice", typeof rt === "number" ? `${(rt / 1000).toFixed(1)} s` : "–");
  return table;
}

/** One square for a pair: white where it was not seen, darker the more often it was, grey where a clip meets itself. */
function heatMap(coverage: number[][], clips: string[]): HTMLElement {
  const canvas = element("canvas", "admin-map");
  const n = coverage.length;
  canvas.width = canvas.height = n;
  const most = Math.max(1, ...coverage.flat());
  const context = canvas.getContext("2d");
  const image = context?.createImageData(n, n);
  if (context && image) {
    coverage.flat().forEach((count, k) => {
      const share = count / most;
      const itself = k % (n + 1) === 0;
      // From white to the blue of the buttons: readable for the colour-blind, and in print.
      const colour = itself ? [176, 176, 176] : [255 - 255 * share, 255 - 141 * share, 255 - 77 * share];
      image.data.set([...colour, 255], 4 * k);
    });
    context.putImageData(image, 0, 0);
  }
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", `Pairs of ${n} clips; the most often seen one ${most} times`);
  canvas.addEventListener("pointermove", ({ offsetX, offsetY }) => {
    const at = (offset: number, length: number) => Math.min(n - 1, Math.floor((n * offset) / length));
    const [row, column] = [at(offsetY, canvas.clientHeight), at(offsetX, canvas.clientWidth)];
    canvas.title =
      row === column ? `${clips[row]}` : `${clips[row]} and ${clips[column]}: ${coverage[row]?.[column]}`;
  });
  const figure = element("figure", "admin-figure");
  const key = `White: not yet. Darkest: ${most} times. Grey: a clip and itself.`;
  const axes = `Rows from the top, and columns from the left: ${clips[0]} to ${clips[n - 1]}, in the order of stimuli.csv. Point at a square for its clips.`;
  figure.append(canvas, element("figcaption", "page-contact", key), element("p", "page-contact", axes));
  return figure;
}

function histogram({ from, count }: Status["seconds"]): HTMLElement {
  const table = element("table", "admin-table");
  const most = Math.max(1, ...count);
  count.forEach((number, k) => {
    const row = table.insertRow();
    const bar = element("meter", "admin-bar");
    bar.max = most;
    bar.value = number;
    bar.setAttribute("aria-label", `${number} choices from ${from[k]} s`);
    const cell = element("td", "admin-bar-cell");
    cell.append(bar);
    row.append(element("th", "", `from ${from[k]}`), cell, element("td", "", number.toLocaleString()));
  });
  return table;
}

login();
