/** One attempt at a clip. */

export class FailedAttempt extends Error {
  constructor(
    readonly failure: string,
    readonly permanent = false,
    /** Milliseconds the server asks to wait. */
    readonly retryAfter = 0,
  ) {
    super(failure);
  }
}

/** The time-out starts anew with every piece that arrives: a slow line is not a fault, a silent one is. */
export async function fetchBlob(
  url: string,
  request: RequestInit,
  stopped: AbortSignal,
  timeout: number,
): Promise<Blob> {
  const attempt = new AbortController();
  const stop = () => attempt.abort(stopped.reason);
  if (stopped.aborted) stop();
  stopped.addEventListener("abort", stop, { once: true });
  const silent = () => attempt.abort(new FailedAttempt("timeout"));
  let timer = setTimeout(silent, timeout);
  try {
    const response = await fetch(url, { ...request, signal: attempt.signal });
    if (!response.ok) throw refusal(response);
    const pieces: BlobPart[] = [];
    const reader = response.body?.getReader();
    for (let piece = await reader?.read(); piece && !piece.done; piece = await reader?.read()) {
      clearTimeout(timer);
      timer = setTimeout(silent, timeout);
      pieces.push(piece.value);
    }
    const blob = new Blob(pieces, { type: response.headers.get("content-type") ?? "video/mp4" });
    if (blob.size === 0) throw new FailedAttempt("empty");
    return blob;
  } catch (error) {
    if (attempt.signal.aborted) throw attempt.signal.reason;
    throw error instanceof FailedAttempt ? error : new FailedAttempt("network");
  } finally {
    clearTimeout(timer);
    stopped.removeEventListener("abort", stop);
  }
}

/** A client's fault is final, but for those that time mends. */
function refusal(response: Response): FailedAttempt {
  const { status } = response;
  void response.body?.cancel();
  const permanent = status >= 400 && status < 500 && ![408, 425, 429].includes(status);
  const seconds = Number(response.headers.get("retry-after"));
  return new FailedAttempt(`http-${status}`, permanent, Number.isFinite(seconds) ? seconds * 1000 : 0);
}
