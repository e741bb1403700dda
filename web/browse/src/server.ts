/** Asks the server; what goes wrong is one line for people to read. */

import type { ClipTable, Described, Near } from "./clips";

export interface About {
  id: string;
  path: string;
  there: boolean;
}

async function ask<T>(path: string, options?: RequestInit): Promise<T> {
  let response: Response;
  try {
    response = await fetch(path, options);
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new Error("The server does not answer: is `bgs browse` still running?");
  }
  const found: unknown = await response.json().catch(() => null);
  if (!response.ok) {
    const said = (found as { error?: unknown } | null)?.error;
    throw new Error(typeof said === "string" ? said : `The server refused this (${response.status}).`);
  }
  return found as T;
}

export const server = {
  map: () => ask<ClipTable>("api/map"),
  about: (clip: number) => ask<About>(`api/clips/${clip}`),
  nearest: async (clip: number, count = 12) =>
    (await ask<{ clips: Near[] }>(`api/clips/${clip}/nearest?count=${count}`)).clips,
  attributes: (clip: number) => ask<Described>(`api/clips/${clip}/attributes`),
  sentence: async (text: string) =>
    (await ask<{ clips: Near[] }>(`api/sentence?text=${encodeURIComponent(text)}`)).clips,
  file: (file: File) =>
    ask<{ clips: Near[]; place: { x: number; y: number } }>(
      `api/file?name=${encodeURIComponent(file.name)}`,
      {
        method: "POST",
        body: file,
      },
    ),
};
