/** What the server says of an index: clips are known by their position. */

export interface Beside {
  model: string;
  /** Positions in the first index of the clips that both share; the other columns go with them. */
  clips: number[];
  x: number[];
  y: number[];
  /** Share of the ten nearest clips that are the same under both models. */
  kept: number[];
}

export interface ClipTable {
  /** Null where clips were given as arrays, without files. */
  folder: string | null;
  model: string;
  ids: string[];
  urls: string[];
  starts: (number | null)[];
  ends: (number | null)[];
  x: number[];
  y: number[];
  /** Of the variance of all vectors, on the two axes. */
  shares: [number, number];
  beside: Beside | null;
}

export interface Near {
  clip: number;
  /** Cosine distance, 0 to 2; absent where a clip was chosen by its name or on the map. */
  distance?: number;
  /** Probability that people would keep the two together, where the model can say. */
  together?: number;
}

export interface Attribute {
  name: string;
  value: number;
  /** Null where there were too few clips for an interval. */
  low: number | null;
  high: number | null;
  /** Lowest and highest rating of any clip. */
  scale: [number, number];
  /** On clips that the model has not seen; at or below 0 the mean of all clips predicts as well. */
  r_squared: number | null;
}

/** What a model's readout says of a clip; empty where it has none. */
export interface Described {
  attributes?: Attribute[];
  /** Of the intervals, e.g. 0.9. */
  level?: number;
  /** Whether the clip is far from anything that the model was trained on. */
  far?: boolean;
  data?: string;
  simulated?: boolean;
}

/** The address of a clip; of a piece of a long video, with its times. */
export function address(table: ClipTable, clip: number): string {
  const [start, end] = [table.starts[clip], table.ends[clip]];
  const piece = start === null || end === null || start === undefined || end === undefined;
  return `${table.urls[clip]}${piece ? "" : `#t=${start},${end}`}`;
}

export function thumbnail(clip: number): string {
  return `thumbnails/${clip}.jpg`;
}

/** The file of a clip, relative to the folder. */
export function fileOf(id: string): string {
  return id.replace(/#t=[\d.,]*$/, "");
}

/** The name of the folder that was indexed. */
export function folderName(table: ClipTable): string {
  return table.folder?.replace(/\/+$/, "").split("/").at(-1) || "Clips";
}

/** A name that fits: the file, and the times of a piece. */
export function shortName(id: string): string {
  const [path = "", times] = id.split("#t=");
  const file = path.slice(path.lastIndexOf("/") + 1);
  if (times === undefined) return file;
  const [from = "", to = ""] = times.split(",");
  return `${file} ${clock(Number(from))}–${clock(Number(to))}`;
}

/** Seconds as 1:02:03. */
export function clock(seconds: number): string {
  const whole = Math.round(seconds);
  const two = (value: number) => String(value).padStart(2, "0");
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  return hours > 0 ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
}

/** Clips whose name holds every word, whatever the case; the earliest match of the first word first. */
export function named(table: ClipTable, text: string, most = 50): Near[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const first = words[0];
  if (first === undefined) return [];
  const found: { clip: number; at: number }[] = [];
  table.ids.forEach((id, clip) => {
    const lower = id.toLowerCase();
    if (words.every((word) => lower.includes(word))) found.push({ clip, at: lower.indexOf(first) });
  });
  return found
    .sort((a, b) => a.at - b.at || a.clip - b.clip)
    .slice(0, most)
    .map(({ clip }) => ({ clip }));
}

/** So many clips, as a title: 1 surrounded clip, 1,200 surrounded clips. */
export function counted(clips: number, how: string): string {
  return `${clips.toLocaleString("en")} ${how} ${clips === 1 ? "clip" : "clips"}`;
}
