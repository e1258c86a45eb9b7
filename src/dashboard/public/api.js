/** The API as this page speaks it. The key lives in this tab's session storage and travels in a header, never in a URL. */

const STORE = "orchestrix.session";

/** `{ key, owner, admin }`: `owner` is whom an admin key acts for, null for an owner's own key. */
let session = readSession();
let whenRefused = () => {};

export class ApiError extends Error {
  /** @param problem problem details (RFC 9457), or what stands for them where no answer came */
  constructor(problem, status, retryAfterSeconds) {
    super(problem.detail);
    this.problem = problem;
    this.status = status;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

export function currentSession() {
  return session;
}

export function setSession(next) {
  session = next;
  if (next === null) sessionStorage.removeItem(STORE);
  else sessionStorage.setItem(STORE, JSON.stringify(next));
}

/** Called when the API no longer takes the session's key. */
export function onRefusedKey(listener) {
  whenRefused = listener;
}

function readSession() {
  try {
    const { key, owner, admin } = JSON.parse(sessionStorage.getItem(STORE));
    return typeof key === "string" ? { key, owner: owner ?? null, admin: admin === true } : null;
  } catch {
    return null;
  }
}

/** The owner to name in a query or a body: an admin key's; an owner's key needs none. */
export function ownerParam() {
  return session?.owner ? { ownerId: session.owner } : {};
}

/** The answer's JSON, null for an empty one. Throws `ApiError`, or the signal's reason once the view is left. */
export async function request(method, path, { query, body, signal, key } = {}) {
  const url = new URL(path, location.origin);
  for (const [name, value] of Object.entries(query ?? {})) {
    if (value !== undefined && value !== null && value !== "") url.searchParams.set(name, value);
  }
  const sent = key ?? session?.key;
  const headers = { Authorization: `Bearer ${sent}` };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  const response = await send(url, { method, headers, signal, body: body && JSON.stringify(body) });
  const data = response.status === 204 ? null : await response.json().catch(() => undefined);
  if (response.ok && data !== undefined) return data;
  throw refused(response, data, sent);
}

/** The bytes of a stream of events, once it has begun. `lastEventId` may be empty. Throws as `request` does. */
export async function openStream(path, { lastEventId, signal }) {
  const sent = session?.key;
  const headers = { Authorization: `Bearer ${sent}`, Accept: "text/event-stream" };
  if (lastEventId !== "") headers["Last-Event-ID"] = lastEventId;
  const response = await send(new URL(path, location.origin), { method: "GET", headers, signal });
  if (response.ok && response.body !== null) return response.body;
  throw refused(response, await response.json().catch(() => undefined), sent);
}

function refused(response, data, sent) {
  if (response.status === 401 && sent === session?.key) whenRefused();
  return new ApiError(
    typeof data?.detail === "string" ? data : unreadable(response),
    response.status,
    Number(response.headers.get("Retry-After")) || null,
  );
}

async function send(url, init) {
  try {
    return await fetch(url, { ...init, credentials: "omit", cache: "no-store" });
  } catch (cause) {
    if (init.signal?.aborted) throw cause;
    throw new ApiError({ code: "NETWORK", title: "No answer", detail: "The Worker did not answer." }, 0, null);
  }
}

function unreadable(response) {
  return {
    code: `HTTP ${response.status}`,
    title: "Unexpected answer",
    detail: "The answer was not what this page expects.",
    requestId: response.headers.get("X-Request-Id"),
  };
}

/** Finds out what a key is before it is kept. `needsOwner` where an admin key names nobody to act for. */
export async function checkKey(key, owner) {
  const list = (ownerId) => request("GET", "/mcp/servers", { key, query: { limit: 1, ownerId } });
  try {
    await list(owner);
    if (owner === "") return { key, owner: null, admin: false };
    return { key, owner, admin: await isAdmin(list) };
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (owner === "" && asksForOwner(error)) return { needsOwner: true };
    // A key for searching or deploying alone may not list servers, and is good for its own part.
    if (owner === "" && error.status === 403) return { key, owner: null, admin: false };
    throw error;
  }
}

async function isAdmin(list) {
  try {
    await list("");
    return false;
  } catch (error) {
    return asksForOwner(error);
  }
}

function asksForOwner(error) {
  return error.status === 400 && (error.problem.errors ?? []).some((e) => e.path === "ownerId");
}

export const path = (...parts) => `/${parts.map(encodeURIComponent).join("/")}`;

/** `/ready` answers 503 with its report, which is no failure of asking. */
export async function readiness(signal) {
  const response = await send(new URL("/ready", location.origin), { method: "GET", signal });
  return response.json();
}

/** Calls an agent as its users do. Any status is an answer. */
export async function callAgent(endpoint, body, asOwner) {
  const headers = { "Content-Type": "application/json", ...(asOwner ? { "X-API-Key": session.key } : {}) };
  const startedAt = performance.now();
  const response = await send(new URL(endpoint), { method: "POST", headers, body });
  const text = await response.text();
  return {
    status: response.status,
    statusText: response.statusText,
    headers: [...response.headers],
    runId: response.headers.get("X-Run-Id"),
    text,
    tookMs: performance.now() - startedAt,
  };
}

/** For a request in the background, whose failure something else on the page tells already. */
export function ignoreUnlessBug(error) {
  if (!(error instanceof ApiError) && error.name !== "AbortError") throw error;
}
