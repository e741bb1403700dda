import { beforeEach, expect, test, vi } from "vitest";
import { attributes } from "../src/attributes";
import { clipList, closeness } from "../src/clip-list";
import { asCsv, asJson } from "../src/lists";
import { server } from "../src/server";
import { table } from "./table";

beforeEach(() => {
  document.body.replaceChildren();
  vi.stubGlobal("matchMedia", () => ({ matches: true }));
});

test("a saved list is a stimuli.csv, with quotes where they are needed", () => {
  const found = table({ ids: ['a "b", c.mp4', "b.mp4", "long.mp4#t=3.00,5.50"] });
  expect(asCsv(found, [{ clip: 0, distance: 0.25 }, { clip: 2 }]).split("\n")).toEqual([
    "stimulus_id,video,start,end,x,y,distance",
    '"a ""b"", c.mp4","/films/park/a ""b"", c.mp4",,,0,0,0.25',
    '"long.mp4#t=3.00,5.50",/films/park/long.mp4,3,5.5,2,0,',
    "",
  ]);
  expect(JSON.parse(asJson(found, [{ clip: 1 }]))).toMatchObject({
    model: "run:/runs/one",
    clips: [{ stimulus_id: "b.mp4" }],
  });
});

test("arrow keys go through a list, and a click opens a clip", () => {
  const events = { open: vi.fn(), point: vi.fn() };
  document.body.append(clipList(table(), [{ clip: 2 }, { clip: 0, distance: 0.5 }], events));
  const [first, next] = [...document.querySelectorAll<HTMLButtonElement>("button.entry")];
  expect(next?.getAttribute("aria-label")).toBe("a/Hug.mp4, distance 0.500");
  first?.focus();
  const press = (key: string) =>
    document.activeElement?.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
  press("ArrowDown");
  expect(document.activeElement).toBe(next);
  press("ArrowDown");
  expect(document.activeElement).toBe(next);
  press("Home");
  expect(document.activeElement).toBe(first);
  next?.click();
  expect(events.open).toHaveBeenCalledWith(0);
});

test("long lists are made in parts", () => {
  const near = Array.from({ length: 100 }, () => ({ clip: 0 }));
  document.body.append(clipList(table(), near, { open: vi.fn(), point: vi.fn() }));
  expect(document.querySelectorAll("li")).toHaveLength(60);
  document.querySelector<HTMLButtonElement>("button:not(.entry)")?.click();
  expect(document.querySelectorAll("li")).toHaveLength(100);
});

test("names of files are never HTML", () => {
  const hostile = table({ ids: ["<img src=x onerror=alert(1)>.mp4", "b", "c"] });
  document.body.append(clipList(hostile, [{ clip: 0 }], { open: vi.fn(), point: vi.fn() }));
  expect(document.querySelectorAll("img")).toHaveLength(1); // the thumbnail
});

test("attributes are shown with intervals, and with a warning far from what was seen", () => {
  expect(attributes({})).toEqual([]);
  const scale: [number, number] = [-1, 1];
  const valence = { name: "valence", value: -0.5, low: -0.8, high: 0.1, scale, r_squared: 0.3 };
  const weak = { ...valence, name: "arousal", low: null, high: null, r_squared: -0.1 };
  const [shown] = attributes({
    attributes: [valence, weak],
    level: 0.9,
    far: true,
    data: "film",
    simulated: true,
  });
  expect(shown?.textContent).toContain("90 % intervals, as in film (SIMULATED)");
  expect(shown?.textContent).toContain("−0.50 (−0.80 to 0.10)");
  expect(shown?.textContent).toContain("no better than the mean");
  expect(shown?.querySelectorAll(".range")).toHaveLength(1);
  expect(shown?.querySelector(".far")).not.toBeNull();
});

test("closeness is a probability where the model can say", () => {
  expect(closeness({ clip: 0, distance: 0.123, together: 0.716 })).toBe("kept together by 72 %");
  expect(closeness({ clip: 0 })).toBe("");
});

test("what goes wrong is one line", async () => {
  vi.stubGlobal(
    "fetch",
    async () => new Response('{"error": "this model has no text side"}', { status: 422 }),
  );
  await expect(server.sentence("a hug")).rejects.toThrow("this model has no text side");
  vi.stubGlobal("fetch", async () => {
    throw new TypeError("Failed to fetch");
  });
  await expect(server.map()).rejects.toThrow("is `bgs browse` still running?");
});
