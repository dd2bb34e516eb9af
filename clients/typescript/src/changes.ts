/** The titles that change: server-sent events, read by fetch, so that a read key can be stated (EventSource cannot). */
import type { ChangedTitle } from "./openapi.js";
import { ApiError } from "./problem.js";

/**
 * `open`: from here on nothing is missed. `change`: ask for the title's part again if you show it. `missed`: changes
 * may have been lost, read anew what you show. `id`: where to go on, as `after`.
 */
export type ChangeEvent =
  | { readonly event: "open" | "missed"; readonly id: string }
  | ({ readonly event: "change"; readonly id: string } & ChangedTitle);

/** Asks for the events after an id. */
export type Listen = (after: string | undefined, signal: AbortSignal) => Promise<Response>;

const AGAIN_MS = 3_000;
/** The API says something every 15 seconds. */
const SILENT_MS = 45_000;

/**
 * The events without end: a connection that breaks or falls silent is made again, and goes on after the last event.
 * The first connection is not: whoever calls learns why there is none.
 */
export async function* follow(
  listen: Listen,
  after: string | undefined,
  signal: AbortSignal | undefined,
): AsyncGenerator<ChangeEvent, never, void> {
  let wasOpen = false;
  for (;;) {
    let againMs = AGAIN_MS * (0.5 + Math.random());
    const connection = new Connection(signal);
    try {
      const response = await listen(after, connection.signal);
      wasOpen = true;
      for await (const event of eventsOf(response.body!, connection)) {
        after = event.id;
        yield event;
      }
    } catch (problem) {
      signal?.throwIfAborted();
      if (!wasOpen || (problem instanceof ApiError && !problem.passing)) throw problem;
      if (problem instanceof ApiError) againMs += 1_000 * (problem.retryAfterS ?? 0);
    } finally {
      connection.close();
    }
    await pause(againMs, signal);
  }
}

/** Ends with the caller's signal, and by itself when nothing is heard. */
class Connection {
  readonly #controller = new AbortController();
  readonly #caller: AbortSignal | undefined;
  #silence: ReturnType<typeof setTimeout> | undefined;

  constructor(caller: AbortSignal | undefined) {
    caller?.throwIfAborted();
    this.#caller = caller;
    caller?.addEventListener("abort", this.close);
    this.heard();
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  heard(): void {
    clearTimeout(this.#silence);
    const silent = new DOMException(`the API said nothing for ${SILENT_MS / 1_000} seconds`, "TimeoutError");
    this.#silence = setTimeout(() => this.#controller.abort(silent), SILENT_MS);
  }

  close = (): void => {
    clearTimeout(this.#silence);
    this.#caller?.removeEventListener("abort", this.close);
    this.#controller.abort();
  };
}

async function* eventsOf(body: ReadableStream<Uint8Array>, connection: Connection): AsyncGenerator<ChangeEvent> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    connection.heard();
    const blocks = (rest + decoder.decode(value, { stream: true })).split("\n\n");
    rest = blocks.pop()!;
    for (const block of blocks) yield* eventIn(block);
  }
}

/** The event of a block of lines; none in a comment, or if it is one of a later version of the API. */
function* eventIn(block: string): Generator<ChangeEvent> {
  const { event, id = "", data = "" } = Object.fromEntries(
    block.split("\n").map((line) => line.split(/: ?(.*)/s, 2) as [string, string]),
  );
  if (event === "open" || event === "missed") yield { event, id };
  if (event === "change") yield { event, id, ...(JSON.parse(data) as ChangedTitle) };
}

function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", stop);
      resolve();
    }, ms);
    signal?.addEventListener("abort", stop, { once: true });
  });
}
