import type { Jatos } from "../../src/bundled/jatos-api";

/** A JATOS server with one batch, as jatos.js 3.10 and its server behave. */
export class JatosServer {
  batch: Record<string, unknown> = {};
  version = 1;
  readonly results = new Map<string, string>();
  readonly sessions = new Map<string, string>();
  readonly ended = new Map<string, [successful: boolean, message: string]>();
  readonly runs: FakeJatos[] = [];
  /** Requests that fail before, and that fail after they were done. */
  failing = 0;
  losing = 0;

  /** A study run; the same one again after a reload. */
  run(id: string, query: Record<string, string> = {}, workerType = "GeneralSingle"): FakeJatos {
    const run = new FakeJatos(this, id, query, workerType);
    this.runs.push(run);
    return run;
  }

  async request(work: () => void): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve));
    if (this.failing > 0) {
      this.failing--;
      throw new Error("POST failed: 503");
    }
    work();
    if (this.losing > 0) {
      this.losing--;
      throw new Error("POST failed: timeout");
    }
  }

  /** Refuses a change that rests on an old version; tells everybody of one that is made. */
  async patch(version: number, change: (data: Record<string, unknown>) => void): Promise<void> {
    await this.request(() => {
      if (version !== this.version) throw new Error("Batch session update failed");
      const data = structuredClone(this.batch);
      change(data);
      this.batch = data;
      this.version++;
      setTimeout(() => {
        for (const run of this.runs) run.hear();
      });
    });
  }
}

export class FakeJatos implements Jatos {
  studySessionData: Record<string, unknown>;
  workerId = "7";
  left: string | null = null;
  #batch: Record<string, unknown> = {};
  #version = 0;
  #patching = false;

  constructor(
    readonly server: JatosServer,
    readonly studyResultId: string,
    readonly urlQueryParameters: Record<string, string>,
    readonly workerType: string,
  ) {
    this.studySessionData = JSON.parse(server.sessions.get(studyResultId) ?? "{}");
    this.hear();
  }

  hear(): void {
    this.#batch = this.server.batch;
    this.#version = this.server.version;
  }

  onLoad(loaded: () => void): void {
    loaded();
  }

  setStudySessionData(data: Record<string, unknown>): Promise<void> {
    this.studySessionData = data;
    const text = JSON.stringify(data);
    return this.server.request(() => this.server.sessions.set(this.studyResultId, text));
  }

  appendResultData(data: string): Promise<void> {
    return this.server.request(() => {
      const { results } = this.server;
      results.set(this.studyResultId, (results.get(this.studyResultId) ?? "") + data);
    });
  }

  readonly batchSession = {
    get: (name: string) => structuredClone(this.#batch[name]),
    add: (path: string, value: unknown) => this.#patch(path, (parent, name) => (parent[name] = value)),
    replace: (path: string, value: unknown) =>
      this.#patch(path, (parent, name) => {
        if (!(name in parent)) throw new Error("Batch session update failed");
        parent[name] = value;
      }),
    remove: (path: string) =>
      this.#patch(path, (parent, name) => {
        if (!(name in parent)) throw new Error("Batch session update failed");
        delete parent[name];
      }),
  };

  endStudy(successful: boolean, message: string): void {
    this.server.ended.set(this.studyResultId, [successful, message]);
    this.left = "end page";
  }

  async endStudyWithoutRedirect(successful: boolean, message: string): Promise<void> {
    this.server.ended.set(this.studyResultId, [successful, message]);
  }

  async #patch(path: string, change: (parent: Record<string, unknown>, name: string) => void): Promise<void> {
    if (this.#patching) throw new Error("Can send only one batch session patch at a time");
    this.#patching = true;
    try {
      await this.server.patch(this.#version, (data) => {
        const names = path.slice(1).split("/");
        const name = names.pop() as string;
        change(
          names.reduce((at, each) => at[each] as Record<string, unknown>, data),
          name,
        );
      });
    } finally {
      this.#patching = false;
    }
  }
}
