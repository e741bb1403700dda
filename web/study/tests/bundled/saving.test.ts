import { afterEach, expect, test, vi } from "vitest";
import { DataPipe, Download } from "../../src/bundled/saving";
import { Pages } from "../../src/pages";

afterEach(() => {
  vi.unstubAllGlobals();
  document.body.replaceChildren();
});

const FILE = { name: "p-1-0.json", trials: [] };

function pages() {
  const root = document.createElement("main");
  document.body.append(root);
  return new Pages(root);
}

/** Answers as DataPipe gives them, in order. */
function service(...given: (readonly [status: number, body: object] | Error)[]) {
  const asked: [url: string, body: Record<string, unknown>][] = [];
  vi.stubGlobal("fetch", async (url: string, request: RequestInit) => {
    asked.push([url, JSON.parse(String(request.body))]);
    const next = given.shift();
    if (next === undefined || next instanceof Error) throw next ?? new TypeError("no more");
    return new Response(JSON.stringify(next[1]), { status: next[0] });
  });
  return asked;
}

function pipe(shown = pages()) {
  const settings = { service: "https://pipe.example/api", experiment: "ABC", every: null };
  return new DataPipe(settings, shown, async () => {
    await new Promise((resolve) => setTimeout(resolve));
  });
}

const DOWN = [400, { error: "OSF_UPLOAD_ERROR" }] as const;
const SAVED = [201, { message: "Success" }] as const;

test("a file is sent until it is acknowledged, and the participant is told when that lasts", async () => {
  const shown = pages();
  const asked = service(DOWN, new TypeError("network"), DOWN, DOWN, SAVED);
  const show = vi.spyOn(shown, "show");
  await pipe(shown).save(FILE);
  expect(asked).toHaveLength(5);
  expect(asked[0]).toEqual([
    "https://pipe.example/api/data/",
    { experimentID: "ABC", filename: "p-1-0.json", data: "[]" },
  ]);
  expect(new Set(asked.map((each) => JSON.stringify(each))).size).toBe(1);
  expect(show).toHaveBeenCalledTimes(3);
  expect(document.body.textContent).toContain("not saved yet");
  expect(document.body.textContent).toContain("OSF_UPLOAD_ERROR");
});

test("what the participant downloads meanwhile is everything that is not saved", async () => {
  const given: Blob[] = [];
  const keep = (blob: Blob) => `blob:${given.push(blob)}`;
  vi.stubGlobal("URL", Object.assign(URL, { createObjectURL: keep, revokeObjectURL: () => {} }));
  vi.spyOn(HTMLAnchorElement.prototype, "click").mockImplementation(() => {});
  service(DOWN, DOWN, SAVED);
  const shown = pages();
  vi.spyOn(shown, "show").mockImplementation((_heading, _text, buttons = []) => buttons[1]?.click());
  const trials = (name: string) => [{ answer_id: name }] as never;
  await pipe(shown).save({ name: "0", trials: trials("a") }, [{ name: "1", trials: trials("b") }]);
  expect(await given[0]?.text()).toBe('[{"answer_id":"a"},{"answer_id":"b"}]');
});

test("a lost acknowledgement counts once: the name belongs to the content", async () => {
  const asked = service(new TypeError("network"), [400, { error: "OSF_FILE_EXISTS" }]);
  await pipe().save(FILE);
  expect(asked).toHaveLength(2);
});

test("in the background there is one attempt", async () => {
  const asked = service(DOWN, SAVED);
  const sending = pipe();
  expect(await sending.offer(FILE)).toBe(false);
  expect(await sending.offer(FILE)).toBe(true);
  expect(asked).toHaveLength(2);
});

test("conditions are counted by the service", async () => {
  const asked = service([400, { error: "CONDITION_ASSIGNMENT_NOT_ACTIVE" }], [200, { condition: 7 }]);
  expect(await pipe().condition()).toBe(7);
  expect(asked[1]).toEqual(["https://pipe.example/api/condition/", { experimentID: "ABC" }]);
});

test("a download is over when the participant says that the file is there", async () => {
  const clicked: string[] = [];
  vi.stubGlobal("URL", Object.assign(URL, { createObjectURL: () => "blob:x", revokeObjectURL: () => {} }));
  vi.spyOn(HTMLAnchorElement.prototype, "click").mockImplementation(function (this: HTMLAnchorElement) {
    clicked.push(this.download);
  });
  const shown = pages();
  const press = async (label: string) => {
    await vi.waitFor(() => {
      const found = [...document.querySelectorAll("button")].find((each) => each.textContent === label);
      if (!found) throw new Error(label);
      found.click();
    });
  };
  const saved = new Download(shown).save(FILE);
  for (const label of ["Download my answers", "Download it again", "Yes, I have the file"])
    await press(label);
  await saved;
  expect(clicked).toEqual(["p-1-0.json", "p-1-0.json"]);
});
