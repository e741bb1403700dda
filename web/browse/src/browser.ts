/** The page: a map, and beside it whatever was chosen last. */

import { modelSwitch, mostChanged, second, shortModel, shownMoves } from "./beside";
import { card, failed } from "./card";
import { clipList, saving } from "./clip-list";
import { type ClipTable, counted, folderName, type Near, named, shortName } from "./clips";
import { colouring } from "./colours";
import { element } from "./dom";
import { type Direction, middlemost, type Places, step } from "./geometry";
import { Panel } from "./panel";
import { Preview } from "./preview";
import { Scatter } from "./scatter";
import { dropping, searchField } from "./search";
import { server } from "./server";
import { legend, toolbar } from "./tools";
import { touch } from "./touch";

export class Browser {
  private readonly canvas = element("canvas", {
    class: "map",
    tabindex: 0,
    role: "application",
    "aria-roledescription": "map of clips",
  });
  private readonly holder = element("div", { class: "holder" });
  private readonly spoken = element("p", { class: "visually-hidden", "aria-live": "polite" });
  private readonly panel = new Panel(() => this.close());
  private readonly preview: Preview;
  private readonly tools = toolbar({
    lasso: (wanted) => this.map?.lasso(wanted),
    zoom: (factor) => this.map?.zoom(factor),
    show: () => this.map?.show(),
  });
  private readonly places: [Places, Places];
  private map: Scatter | null = null;
  private cursor: number | null = null;
  /** Clips collected one by one on the keyboard, in this order. */
  private readonly collected = new Set<number>();
  /** Counts what was asked for, so that a late answer to an earlier question is dropped. */
  private asked = 0;

  constructor(
    private readonly table: ClipTable,
    root: HTMLElement,
  ) {
    this.places = [{ x: table.x, y: table.y }, second(table)];
    this.preview = new Preview(table);
    const colours = colouring(table);
    const label = `Map of ${table.ids.length} clips. Arrow keys go to the next clip in a direction, Enter opens it, Space collects it in a list, plus and minus zoom.`;
    this.canvas.setAttribute("aria-label", label);
    this.holder.append(this.canvas);
    this.holder.append(this.tools.shown, legend(colours), this.preview.shown);
    const stage = element("main", { class: "stage" }, this.holder);
    if (table.beside !== null) stage.append(this.switch());
    root.replaceChildren(this.header(), stage, this.panel.shown, this.spoken);
    dropping(document.body, (file) => this.file(file));
    document.addEventListener("keydown", (event) => event.key === "Escape" && this.close());
    this.canvas.addEventListener("keydown", (event) => this.key(event));
    this.welcome();
    this.draw(colours);
  }

  private draw(colours: ReturnType<typeof colouring>): void {
    try {
      this.map = new Scatter(
        this.canvas,
        this.holder,
        this.table.beside === null ? [this.places[0]] : this.places,
        colours,
        {
          over: (clip) => this.over(clip),
          out: () => this.preview.hide(),
          choose: (clip) => this.open(clip, false),
          surround: (clips) => this.surrounded(clips),
          nothing: () => this.close(),
        },
      );
    } catch (error) {
      console.warn(error);
      this.holder.append(
        element(
          "p",
          { class: "problem", role: "alert" },
          "This browser has no WebGL, which draws the map. Search and lists work without it.",
        ),
      );
      return;
    }
    touch(this.canvas, this.map);
    this.map.draw().then(() => document.body.classList.add("drawn"));
  }

  private header(): HTMLElement {
    const field = searchField({
      names: (text) => this.names(text),
      sentence: (text) => this.sentence(text),
      file: (file) => this.file(file),
    });
    return element(
      "header",
      { class: "top" },
      element("h1", { title: this.table.folder ?? "" }, folderName(this.table)),
      element(
        "p",
        { title: this.table.model },
        `${this.table.ids.length.toLocaleString("en")} clips · ${shortModel(this.table.model)}`,
      ),
      field,
    );
  }

  private switch(): HTMLElement {
    return modelSwitch(this.table, {
      model: (other) => {
        this.preview.hide();
        this.map?.move(this.places[other ? 1 : 0]);
      },
      lines: (wanted) => this.ways(wanted),
      changed: () =>
        this.list(
          "What changed most",
          mostChanged(this.table, shownMoves(this.table.beside?.clips.length ?? 0)).map((clip) => ({ clip })),
          false,
        ),
    });
  }

  private ways(wanted: boolean): void {
    if (this.map === null) return;
    const [from, to] = [this.map.at(this.places[0]), this.map.at(this.places[1])];
    const place = (all: Places, clip: number): [number, number] => [all.x[clip] ?? 0, all.y[clip] ?? 0];
    const lines = mostChanged(this.table, shownMoves(this.table.beside?.clips.length ?? 0)).map((clip) => ({
      from: place(from, clip),
      to: place(to, clip),
    }));
    this.map.connect(wanted ? lines : []);
  }

  private welcome(): void {
    const [first, other] = this.table.shares.map((share) => Math.round(100 * share));
    this.panel.show(
      "What lies near is alike",
      [
        element(
          "ul",
          { class: "help" },
          element("li", {}, "Point at a clip to watch it, click to see what is nearest."),
          element("li", {}, "Press Lasso and draw around clips, by mouse or finger, to list and save them."),
          element("li", {}, "Search by name, by a sentence, or drop a video file on the page."),
          element(
            "li",
            {},
            "On the keyboard: Tab to the map, arrow keys, Enter; Space collects clips in a list; Esc closes.",
          ),
        ),
        element(
          "p",
          { class: "hint" },
          `The map shows two of the model's many dimensions (${first} % and ${other} % of the variance). Lists of nearest scenes use all of them.`,
        ),
      ],
      false,
      false,
    );
  }

  private over(clip: number): void {
    const at = this.map?.screen(clip);
    if (at !== undefined) this.preview.show(clip, at, this.holder.clientWidth, this.holder.clientHeight);
  }

  /** Open a clip; the focus follows where the keyboard asked for it. */
  private open(clip: number, focus: boolean): void {
    const mine = ++this.asked;
    this.preview.hide();
    this.cursor = clip;
    this.map?.place(null);
    this.map?.mark([clip], true);
    this.map?.reach(clip);
    const { shown, near } = card(this.table, clip, this.listEvents);
    this.panel.show(shortName(this.table.ids[clip] ?? ""), [shown], focus);
    near.then((clips) => {
      if (mine === this.asked) this.map?.mark([clip, ...clips], true);
    });
  }

  private readonly listEvents = {
    open: (clip: number) => this.open(clip, true),
    point: (clip: number | null) => this.map?.hover(clip),
  };

  /** Show a list of clips, and mark them on the map. */
  private list(title: string, clips: Near[], focus: boolean): void {
    this.asked++;
    this.preview.hide();
    this.map?.mark(
      clips.map(({ clip }) => clip),
      false,
    );
    const content = clips.length
      ? [saving(this.table, clips, title), clipList(this.table, clips, this.listEvents)]
      : [element("p", { class: "hint" }, "No clip.")];
    this.panel.show(title, content, focus);
  }

  private surrounded(clips: number[]): void {
    this.tools.lassoEnded();
    const ordered = [...clips].sort((a, b) =>
      (this.table.ids[a] ?? "").localeCompare(this.table.ids[b] ?? "", "en", { numeric: true }),
    );
    this.list(
      counted(clips.length, "surrounded"),
      ordered.map((clip) => ({ clip })),
      true,
    );
  }

  /** Take a clip into the list of the keyboard, or out of it: what a lasso does for a pointer. */
  private collect(clip: number): void {
    const added = !this.collected.delete(clip);
    if (added) this.collected.add(clip);
    const title = counted(this.collected.size, "collected");
    this.list(
      title,
      [...this.collected].map((one) => ({ clip: one })),
      false,
    );
    this.spoken.textContent = `${this.table.ids[clip] ?? ""} ${added ? "added" : "removed"}, ${title}`;
  }

  private names(text: string): void {
    if (text === "") {
      this.close();
      return;
    }
    this.map?.place(null);
    const found = named(this.table, text, 200);
    this.list(found.length === 0 ? "No such name" : `Names with “${text}”`, found, false);
    if (found.length === 0)
      this.panel.show(
        "No such name",
        [
          element(
            "p",
            { class: "hint" },
            "Press Enter to search by meaning, where the model has a text side.",
          ),
        ],
        false,
      );
  }

  private sentence(text: string): void {
    this.ask(`Scenes like “${text}”`, "Reading the sentence…", async () => ({
      clips: await server.sentence(text),
      place: null,
    }));
  }

  private file(file: File): void {
    this.ask(`Scenes like ${file.name}`, `Embedding ${file.name}…`, () => server.file(file));
  }

  private async ask(
    title: string,
    waiting: string,
    question: () => Promise<{ clips: Near[]; place: { x: number; y: number } | null }>,
  ): Promise<void> {
    const mine = ++this.asked;
    this.map?.place(null);
    this.panel.show(title, [element("p", { class: "waiting", role: "status" }, waiting)], false);
    try {
      const { clips, place } = await question();
      if (mine !== this.asked) return;
      this.list(title, clips, true);
      this.map?.place(place);
    } catch (error) {
      if (mine === this.asked) this.panel.show(title, [failed(error as Error)], true);
    }
  }

  private close(): void {
    this.asked++;
    this.preview.hide();
    this.collected.clear();
    this.map?.place(null);
    this.map?.mark([], false);
    const inside = this.panel.shown.contains(document.activeElement);
    this.welcome();
    if (inside) this.canvas.focus({ preventScroll: true });
  }

  private key(event: KeyboardEvent): void {
    const { map } = this;
    if (map === null || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key.startsWith("Arrow")) {
      this.cursor =
        this.cursor === null ? middlemost(map.places) : step(map.places, this.cursor, event.key as Direction);
      map.reach(this.cursor);
      map.hover(this.cursor);
      this.over(this.cursor);
      this.spoken.textContent = this.table.ids[this.cursor] ?? "";
    } else if (event.key === "Enter" && this.cursor !== null) this.open(this.cursor, true);
    else if (event.key === " " && this.cursor !== null) this.collect(this.cursor);
    else if (event.key === "+" || event.key === "=") map.zoom(0.6);
    else if (event.key === "-") map.zoom(1 / 0.6);
    else if (event.key === "0") map.show();
    else return;
    event.preventDefault();
  }
}
