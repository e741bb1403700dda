/** The server, asked again until it answers: a lost network or a restart delays, and loses nothing. */

import type { Backend, How } from "./backend";
import { type Ending, type GivenAnswer, type Joined, Refused, type Session } from "./messages";
import { type Sleep, sleeping } from "./sleep";

/** Milliseconds after which a request without an answer is given up and sent again. */
const TIMEOUT = 15_000;
const FIRST_WAIT = 500;
const LONGEST_WAIT = 8_000;

export interface Waiting {
  /** Called while the server does not answer, and when it does again. */
  onLost: () => void;
  onFound: () => void;
}

export class Server implements Backend {
  token = "";

  constructor(
    readonly waiting: Waiting,
    readonly sleep: Sleep = sleeping,
  ) {}

  async join(source: string, participant: string): Promise<Joined> {
    const { token, ...joined } = await this.#ask<Joined & { token: string }>("POST", "join", {
      source,
      participant,
    });
    this.token = token;
    return joined;
  }

  session(): Promise<Session> {
    return this.#ask("GET", "session");
  }

  consent(): Promise<unknown> {
    return this.#ask("POST", "consent");
  }

  answer(answer: GivenAnswer): Promise<unknown> {
    return this.#ask("POST", "answers", answer);
  }

  end(how: How): Promise<Ending> {
    return this.#ask("POST", how);
  }

  /** Resolves with the answer, however long that takes; rejects with `Refused` where asking again is useless. */
  async #ask<T>(method: string, path: string, body?: unknown): Promise<T> {
    for (let attempt = 0; ; attempt++) {
      const found = await this.#once(method, path, body);
      if (found !== null) {
        if (attempt > 0) this.waiting.onFound();
        if (found.status < 400) return found.json as T;
        const { error, ...details } = found.json as { error?: string };
        throw new Refused(error ?? "unknown", details);
      }
      if (attempt === 1) this.waiting.onLost();
      await this.sleep(Math.min(FIRST_WAIT * 2 ** attempt, LONGEST_WAIT) * (0.75 + Math.random() / 2));
    }
  }

  /** Null where the server did not answer, could not store, was too busy, or did not hear the end of the request. */
  async #once(
    method: string,
    path: string,
    body?: unknown,
  ): Promise<{ status: number; json: unknown } | null> {
    try {
      const response = await fetch(`api/${path}`, {
        method,
        headers: {
          ...(this.token ? { authorization: `Bearer ${this.token}` } : {}),
          ...(body === undefined ? {} : { "content-type": "application/json" }),
        },
        body: body === undefined ? null : JSON.stringify(body),
        signal: AbortSignal.timeout(TIMEOUT),
        cache: "no-store",
      });
      if (response.status >= 500 || [408, 429].includes(response.status)) return null;
      return { status: response.status, json: await response.json() };
    } catch {
      return null; // no network, a time-out, or half an answer
    }
  }
}
