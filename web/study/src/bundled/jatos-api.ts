/** What the study uses of jatos.js: https://www.jatos.org/jatos.js-Reference.html */

export interface Jatos {
  onLoad(loaded: () => void): void;
  studyResultId: string | number;
  workerId: string | number;
  /** `Jatos` for the researcher, who runs the study from JATOS's own pages. */
  workerType: string;
  /** Of the link by which the participant came. */
  urlQueryParameters?: Record<string, string>;
  /** Of this study run, through reloads. */
  studySessionData?: Record<string, unknown>;
  setStudySessionData(data: Record<string, unknown>): PromiseLike<unknown>;
  /** Of all runs of the batch. A change that rests on an old version is rejected. */
  batchSession: {
    get(name: string): unknown;
    add(path: string, value: unknown): PromiseLike<unknown>;
    replace(path: string, value: unknown): PromiseLike<unknown>;
    remove(path: string): PromiseLike<unknown>;
  };
  appendResultData(data: string): PromiseLike<unknown>;
  /** Goes to the end page of JATOS, or to where the study's properties say. */
  endStudy(successful: boolean, message: string): void;
  endStudyWithoutRedirect(successful: boolean, message: string): PromiseLike<unknown>;
}

declare global {
  interface Window {
    jatos?: Jatos;
  }
}

/** JATOS, once it is ready; null where the page does not come from it. */
export function readyJatos(): Promise<Jatos | null> {
  const { jatos } = window;
  if (!jatos) return Promise.resolve(null);
  return new Promise((resolve) => jatos.onLoad(() => resolve(jatos)));
}

/** Query of the page's address, as it would be without JATOS; its worker is who comes, where the link names nobody. */
export function queryOf(jatos: Jatos): string {
  const given = new URLSearchParams(jatos.urlQueryParameters);
  if (jatos.workerType === "Jatos") given.set("preview", "1");
  const named = given.has("PROLIFIC_PID") || given.has("participant");
  if (!named) given.set("participant", `jatos worker ${jatos.workerId}`);
  return given.toString();
}
