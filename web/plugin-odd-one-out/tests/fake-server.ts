/** A server of clips behind `fetch`: what it answers is set by URL, what it was asked is kept. */

import { vi } from "vitest";
import type { FakeClip } from "./fake-media";

type Answer = { clip: FakeClip } | { status: number; retryAfter?: number } | "offline" | "silent" | "trickle";

export class FakeServer {
  readonly asked: string[] = [];
  readonly requests: RequestInit[] = [];
  /** Requests that are under way. */
  open = 0;
  most = 0;
  readonly #answers = new Map<string, Answer[]>();

  constructor() {
    vi.stubGlobal("fetch", (url: string, request: RequestInit = {}) => this.#fetch(url, request));
  }

  /** The answers to a URL, one after the other; the last one stays. */
  answer(url: string, ...answers: Answer[]): void {
    this.#answers.set(url, answers);
  }

  async #fetch(url: string, request: RequestInit): Promise<Response> {
    this.asked.push(url);
    this.requests.push(request);
    const signal = request.signal as AbortSignal;
    if (signal.aborted) throw signal.reason;
    this.most = Math.max(this.most, ++this.open);
    try {
      return await this.#respond(this.#next(url), signal);
    } finally {
      this.open--;
    }
  }

  #next(url: string): Answer {
    const answers = this.#answers.get(url) ?? [{ clip: { duration: 1000 } }];
    return (answers.length > 1 ? answers.shift() : answers[0]) as Answer;
  }

  async #respond(answer: Answer, signal: AbortSignal): Promise<Response> {
    if (answer === "silent") return interrupted(new Promise(() => {}), signal);
    await interrupted(new Promise<void>((resolve) => setTimeout(resolve, 10)), signal);
    if (answer === "offline") throw new TypeError("Failed to fetch");
    if (answer === "trickle") return new Response(trickle(signal));
    if ("status" in answer) {
      const headers = answer.retryAfter === undefined ? undefined : { "retry-after": `${answer.retryAfter}` };
      return new Response(null, { status: answer.status, headers });
    }
    return new Response(JSON.stringify(answer.clip), { headers: { "content-type": "video/mp4" } });
  }
}

function interrupted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = () => reject(signal.reason);
    signal.addEventListener("abort", stop);
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", stop));
  });
}

/** A clip in ten pieces, one a second. */
function trickle(signal: AbortSignal): ReadableStream<Uint8Array> {
  const bytes = new TextEncoder().encode(JSON.stringify({ duration: 1000 }).padEnd(100));
  let sent = 0;
  return new ReadableStream({
    async pull(controller) {
      await interrupted(new Promise<void>((resolve) => setTimeout(resolve, 1000)), signal);
      controller.enqueue(bytes.slice(sent, sent + 10));
      sent += 10;
      if (sent >= 100) controller.close();
    },
  });
}
