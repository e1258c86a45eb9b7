import { ApiError, openStream } from "./api.js";

/** Until the server says otherwise. */
const RETRY_MS = 2_000;
const RETRY_MAX_MS = 30_000;
/** The API speaks every 5 s, if only a comment: after this the connection is dead, though nobody closed it. */
const SILENCE_MS = 20_000;

/**
 * Server-sent events with the key in a header, which `EventSource` cannot send: those after `lastEventId`, which may be
 * empty. Comes back with the last event's id whenever the stream ends, breaks or falls silent; rests while nobody sees
 * the page. `onState` is told `live`, `waiting`, or `failed` with the error where coming back is no use. `pause()` and
 * `resume()` are for the person at the page.
 */
export function followEvents(address, { signal, lastEventId: since, onEvent, onState }) {
  let lastEventId = since;
  let retryMs = RETRY_MS;
  let failures = 0;
  let isPaused = false;
  let connection = null;
  let timer;

  function connect() {
    clearTimeout(timer);
    if (connection !== null || isPaused || signal.aborted || document.visibilityState === "hidden") return;
    connection = new AbortController();
    follow(connection);
  }
  async function follow(mine) {
    const pauseMs = await read(AbortSignal.any([signal, mine.signal]));
    if (connection !== mine) return;
    connection = null;
    if (pauseMs === null || signal.aborted) return;
    timer = setTimeout(connect, pauseMs);
  }
  /** Reads until the stream ends. How long to wait before the next one; null for ever. */
  async function read(whileWanted) {
    const silence = watchSilence();
    try {
      await takeEvents(whileWanted, silence);
      return spread(retryMs);
    } catch (error) {
      return whileWanted.aborted ? null : pauseAfter(silence.signal.aborted ? brokenOff() : error);
    } finally {
      silence.stopWatching();
    }
  }
  async function takeEvents(whileWanted, silence) {
    const either = AbortSignal.any([whileWanted, silence.signal]);
    const stream = await openStream(address, { lastEventId, signal: either });
    if (whileWanted.aborted) return;
    failures = 0;
    onState("live");
    for await (const event of eventsOf(stream)) {
      if (whileWanted.aborted) return;
      silence.heard();
      lastEventId = event.id ?? lastEventId;
      retryMs = event.retryMs ?? retryMs;
      if (event.data !== "") onEvent(JSON.parse(event.data));
    }
  }
  function pauseAfter(error) {
    if (!mayPass(error)) {
      onState("failed", error);
      return null;
    }
    onState("waiting");
    failures += 1;
    if (error.retryAfterSeconds) return spread(error.retryAfterSeconds * 1_000);
    return spread(Math.min(retryMs * 2 ** (failures - 1), RETRY_MAX_MS));
  }
  function disconnect() {
    clearTimeout(timer);
    connection?.abort();
    connection = null;
  }
  document.addEventListener("visibilitychange", () => (document.hidden ? disconnect() : connect()), { signal });
  addEventListener("online", connect, { signal });
  signal.addEventListener("abort", () => clearTimeout(timer));
  connect();
  return {
    pause() {
      isPaused = true;
      disconnect();
    },
    resume() {
      isPaused = false;
      connect();
    },
  };
}

/** Never sooner, and up to half as much later: pages that lost the same server do not come back as one. */
function spread(pauseMs) {
  return pauseMs * (1 + Math.random() / 2);
}

/** Its signal aborts once nothing was heard for SILENCE_MS. */
function watchSilence() {
  const controller = new AbortController();
  let timer;
  function heard() {
    clearTimeout(timer);
    timer = setTimeout(() => controller.abort(), SILENCE_MS);
  }
  heard();
  return { signal: controller.signal, heard, stopWatching: () => clearTimeout(timer) };
}

function mayPass(error) {
  return error instanceof ApiError && (error.status === 0 || error.status === 429 || error.status >= 500);
}

/** The events of a body of bytes: `{ id, data, retryMs }`, undefined where the event has none. */
export async function* eventsOf(stream) {
  const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  let event = emptyEvent();
  try {
    for (;;) {
      const { done, value } = await readOn(reader);
      // What came of an event that is not ended counts for nothing.
      if (done) return;
      const lines = (rest + value).split("\n");
      rest = lines.pop();
      for (const line of lines) {
        const text = line.endsWith("\r") ? line.slice(0, -1) : line;
        if (text !== "") takeField(event, text);
        else {
          yield event;
          event = emptyEvent();
        }
      }
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}

const emptyEvent = () => ({ id: undefined, data: "", retryMs: undefined });

function takeField(event, line) {
  const [, name, value = ""] = /^([^:]*)(?:: ?(.*))?$/.exec(line) ?? [];
  if (name === "id") event.id = value;
  if (name === "retry" && /^\d+$/.test(value)) event.retryMs = Number(value);
  if (name === "data") event.data += event.data === "" ? value : `\n${value}`;
}

async function readOn(reader) {
  try {
    return await reader.read();
  } catch {
    throw brokenOff();
  }
}

function brokenOff() {
  return new ApiError({ code: "NETWORK", title: "Broken off", detail: "The stream broke off." }, 0, null);
}
