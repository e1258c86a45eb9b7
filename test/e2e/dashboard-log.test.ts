import type { Browser, Page, Request } from "playwright-core";
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from "vitest";
import { hasBrowser, launchBrowser } from "../support/browser.ts";
import { call, launchForTests, type TestLaunch } from "../support/launched.ts";
import { startTcpProxy } from "../support/mongodb/tcp-proxy.ts";

const OWNER = "user-123";
/** Logs are read once a second; the rest is for slow machines. */
const SOON = { timeout: 8_000, interval: 50 };
const GRAPH = { tools: [{ toolId: "input", name: "input", config: {} }], executionOrder: ["input"] };

let launched: TestLaunch;
let browser: Browser;
let page: Page;
/** Whatever a person would find in the console. */
const surprises: string[] = [];

beforeAll(async () => {
  if (!hasBrowser) return;
  launched = await launchForTests();
  browser = await launchBrowser();
});

afterAll(async () => {
  await browser?.close();
  await launched?.stop();
});

beforeEach(async () => {
  if (!hasBrowser) return;
  page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
  page.setDefaultTimeout(15_000);
  page.on("pageerror", (error) => surprises.push(String(error)));
  const opened = page;
  onTestFinished(() => opened.close());
});

/** A server of its own, and the page of it. `origin` where it is not the Worker's own. */
async function openServer(serverId: string, { origin = launched.server.url, key = "", prepare = async () => {} } = {}) {
  const body = { ...GRAPH, serverId, ownerId: OWNER, name: "v0" };
  expect((await call(launched.server, "POST", "/mcp/servers", body)).status).toBe(201);
  await prepare();
  await page.goto(`${origin}/dashboard/servers/${serverId}`);
  await page.getByLabel("API key").fill(key || launched.server.adminApiKey);
  if (key === "") await page.getByLabel("Owner").fill(OWNER);
  await page.keyboard.press("Enter");
  await card().getByText("server_created").waitFor();
}

const card = () => page.getByRole("region", { name: "Execution log" });
const follow = (name: string) => card().getByRole("button", { name, exact: true });

/** Each change is an event. The versions that a server has then are `from + 1` to `from + count`. */
async function change(serverId: string, from: number, count: number): Promise<void> {
  for (let version = from; version < from + count; version++) {
    const answer = await call(launched.server, "PATCH", `/mcp/servers/${serverId}`, { version, name: `v${version}` });
    expect(answer.status).toBe(200);
  }
}

const rowsShown = () => card().locator("[data-event]").count();
const idsShown = () =>
  card()
    .locator("[data-event]")
    .evaluateAll((rows) => rows.map((row: any) => row.dataset.event));

async function idsOfLog(serverId: string): Promise<string[]> {
  const ids: string[] = [];
  for (let cursor = ""; ; ) {
    const { body } = await call(launched.server, "GET", `/mcp/servers/${serverId}/logs?limit=100${cursor}`);
    ids.push(...body.items.map((event: { id: string }) => event.id));
    if (body.nextCursor === null) return ids;
    cursor = `&cursor=${body.nextCursor}`;
  }
}

/** What the page asks of the log: its pages, its streams, and the most streams that were open at once. */
function watchLog() {
  const seen = { pages: 0, streams: [] as Request[], ended: [] as Request[], most: 0 };
  const isStream = (request: Request) => request.headers().accept === "text/event-stream";
  page.on("request", (request) => {
    if (!new URL(request.url()).pathname.endsWith("/logs")) return;
    if (!isStream(request)) seen.pages++;
    else seen.streams.push(request);
    seen.most = Math.max(seen.most, seen.streams.length - seen.ended.length);
  });
  const end = (request: Request) => isStream(request) && seen.ended.push(request);
  page.on("requestfailed", end);
  page.on("requestfinished", end);
  return seen;
}

/** As a browser does with the page of a tab in the background. */
async function setHidden(isHidden: boolean): Promise<void> {
  await page.evaluate((hidden) => {
    const { document, Event } = globalThis as any;
    Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
    Object.defineProperty(document, "visibilityState", { value: hidden ? "hidden" : "visible", configurable: true });
    document.dispatchEvent(new Event("visibilitychange"));
  }, isHidden);
}

test.skipIf(!hasBrowser)("what happens while the page is open shows up, is said, and takes no focus", async () => {
  const seen = watchLog();
  await openServer("log-live");
  await expect.poll(() => seen.streams.length, SOON).toBe(1);
  const input = page.getByLabel("Input as JSON");
  await input.focus();
  await change("log-live", 1, 1);
  await card().getByText("server_updated").waitFor({ timeout: SOON.timeout });
  expect(await idsShown()).toEqual(await idsOfLog("log-live"));
  const newest = card().locator("[data-event]").first();
  const message = await newest.locator("summary span").textContent();
  await expect.poll(() => card().locator("[aria-live=polite]").textContent(), SOON).toBe(message);
  expect(await input.evaluate((element) => element === (globalThis as any).document.activeElement)).toBe(true);
  expect({ pages: seen.pages, streams: seen.streams.length, ended: seen.ended.length }).toEqual({
    pages: 1,
    streams: 1,
    ended: 0,
  });
  expect(await seen.streams[0]?.headerValue("authorization")).toBe(`Bearer ${launched.server.adminApiKey}`);
});

test.skipIf(!hasBrowser)(
  "a connection that breaks is taken up again: nothing is lost, nothing shown twice",
  async () => {
    const proxy = await startTcpProxy(Number(new URL(launched.server.url).port));
    onTestFinished(() => proxy.close());
    const seen = watchLog();
    await openServer("log-cut", { origin: `http://127.0.0.1:${proxy.port}` });
    await follow("Live").waitFor();
    await change("log-cut", 1, 2);
    await expect.poll(rowsShown, SOON).toBe(3);
    for (const version of [3, 8]) {
      proxy.cut();
      await follow("Reconnecting…").waitFor();
      await change("log-cut", version, 5);
      await follow("Live").waitFor();
      await expect.poll(rowsShown, SOON).toBe(version + 5);
    }
    await change("log-cut", 13, 1);
    await expect.poll(rowsShown, SOON).toBe(14);
    expect(await idsShown()).toEqual(await idsOfLog("log-cut"));
    const from = await Promise.all(seen.streams.map((request) => request.headerValue("last-event-id")));
    expect(from).toHaveLength(3);
    expect(from.every((id) => id?.startsWith("log_"))).toBe(true);
    expect(new Set(from).size).toBe(3);
    expect(seen.most).toBe(1);
  },
);

test.skipIf(!hasBrowser)("who leaves the view ends its connection, and who comes back has one", async () => {
  const seen = watchLog();
  await openServer("log-left");
  await expect.poll(() => seen.streams.length, SOON).toBe(1);
  await page.getByRole("link", { name: "Search" }).click();
  await expect.poll(() => seen.ended, SOON).toEqual(seen.streams);
  await change("log-left", 1, 1);
  await page.goBack();
  await card().getByText("server_updated").waitFor();
  await expect.poll(() => seen.streams.length, SOON).toBe(2);
  expect(seen.most).toBe(1);
});

test.skipIf(!hasBrowser)("a page that nobody sees, or that is paused, has no connection, and catches up", async () => {
  const seen = watchLog();
  await openServer("log-hidden");
  await expect.poll(() => seen.streams.length, SOON).toBe(1);
  await setHidden(true);
  await expect.poll(() => seen.ended.length, SOON).toBe(1);
  await change("log-hidden", 1, 3);
  expect(await rowsShown()).toBe(1);
  await setHidden(false);
  await expect.poll(rowsShown, SOON).toBe(4);
  await follow("Live").click();
  await follow("Paused").waitFor();
  await expect.poll(() => seen.ended.length, SOON).toBe(2);
  await setHidden(true);
  await setHidden(false);
  await change("log-hidden", 4, 2);
  expect(await rowsShown()).toBe(4);
  await follow("Paused").click();
  await expect.poll(rowsShown, SOON).toBe(6);
  expect(await idsShown()).toEqual(await idsOfLog("log-hidden"));
  expect({ streams: seen.streams.length, most: seen.most }).toEqual({ streams: 3, most: 1 });
});

test.skipIf(!hasBrowser)("a busy log keeps to its room, and gives the older ones back without a gap", async () => {
  await openServer("log-busy", { prepare: () => change("log-busy", 1, 20) });
  await follow("Live").waitFor();
  await change("log-busy", 21, 230);
  await expect.poll(() => idsShown().then(([newest]) => newest), SOON).toBe((await idsOfLog("log-busy"))[0]);
  expect(await rowsShown()).toBe(200);
  const more = card().getByRole("button", { name: "Load more" });
  await more.click();
  await expect.poll(rowsShown, SOON).toBe(251);
  expect(await more.count()).toBe(0);
  expect(await idsShown()).toEqual(await idsOfLog("log-busy"));
  const focused = page.locator("[data-event]:focus-within");
  expect(await focused.getAttribute("data-event")).toBe((await idsShown())[200]);
  // What a person asked for stays, and what they stand on longest.
  await change("log-busy", 251, 1);
  await expect.poll(rowsShown, SOON).toBe(251);
  expect(await focused.count()).toBe(1);
});

test.skipIf(!hasBrowser)("who follows with a key that is revoked is told so", async () => {
  const body = { name: "reader", scopes: ["servers:read"], ownerId: OWNER };
  const created = await call(launched.server, "POST", "/keys", body);
  expect(created.status).toBe(201);
  await openServer("log-revoked", { key: created.body.key });
  await follow("Live").waitFor();
  const revoked = await call(launched.server, "DELETE", `/keys/${created.body.id}?ownerId=${OWNER}`);
  expect(revoked.status).toBeLessThan(300);
  await page.getByText("The API no longer takes this key").waitFor({ timeout: 45_000 });
  await page.getByLabel("API key").waitFor();
});

test.skipIf(!hasBrowser)("a log that is gone says so, and can be asked for again", async () => {
  await openServer("log-gone");
  await follow("Live").waitFor();
  await follow("Live").click();
  await page.route("**/logs", (route) =>
    route.fulfill({ status: 404, json: { code: "NOT_FOUND", title: "Not found", detail: "There is no such server" } }),
  );
  await follow("Paused").click();
  await follow("Not live").waitFor();
  await card().getByText("There is no such server").waitFor();
  await page.unroute("**/logs");
  await card().getByRole("button", { name: "Try again" }).click();
  await follow("Live").waitFor();
  await change("log-gone", 1, 1);
  await card().getByText("server_updated").waitFor({ timeout: SOON.timeout });
  expect(await card().getByRole("alert").count()).toBe(0);
});

test.skipIf(!hasBrowser)("no page of these made a mistake", () => {
  expect(surprises).toEqual([]);
});
