import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, Locator, Page } from "playwright-core";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { type LaunchedServer, launch } from "../../scripts/launch.ts";
import { hasBrowser, launchBrowser } from "../support/browser.ts";
import { call, OFFLINE, UNLIMITED } from "../support/launched.ts";
import { startTcpProxy } from "../support/mongodb/tcp-proxy.ts";
import { listen, type NodeListener } from "../support/node-listener.ts";

let stateDir = "";
let server: LaunchedServer;
let browser: Browser;
let page: Page;
/** What graphs read with `httpRequest`. It answers once `opened` is kept. */
let site: NodeListener;
let siteCalls = 0;
let opened = Promise.resolve();
/** Whatever a person would find in the console, and every request that leaves the product. */
const surprises: string[] = [];

beforeAll(async () => {
  if (!hasBrowser) return;
  stateDir = await mkdtemp(join(tmpdir(), "orchestrix-dashboard-"));
  site = await listen(async () => {
    siteCalls++;
    await opened;
    return new Response("<h1>Tides & moons</h1>", { headers: { "Content-Type": "text/html" } });
  });
  const variables = { ...OFFLINE, ...UNLIMITED, OUTBOUND_PRIVATE_HOSTS: new URL(site.url).host };
  server = await launch({ stateDir, variables });
  browser = await launchBrowser();
  page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
  page.setDefaultTimeout(15_000);
  page.on("pageerror", (error) => surprises.push(String(error)));
  page.on("console", (message) => {
    // A refused call is logged by the browser itself; what the page makes of it is asserted where it happens.
    if (message.type() === "error" && !message.text().startsWith("Failed to load resource"))
      surprises.push(message.text());
  });
  page.on("request", (request) => {
    const url = new URL(request.url());
    if (url.origin !== server.url || request.url().includes(server.adminApiKey)) surprises.push(request.url());
  });
});

afterAll(async () => {
  await browser?.close();
  await server?.stop();
  await site?.close();
  if (stateDir !== "") await rm(stateDir, { recursive: true, force: true });
});

test.skipIf(!hasBrowser)(
  "a person signs in, creates a server, deploys it, and finds it deployed after a reload",
  async () => {
    await page.goto(server.dashboard);
    await page.getByLabel("API key").fill("no-key-of-anybody");
    await page.keyboard.press("Enter");
    await page.getByText("unknown, expired or revoked").first().waitFor();
    await page.getByLabel("API key").fill(server.adminApiKey);
    await page.getByLabel("Owner").fill("user-123");
    await page.keyboard.press("Enter");
    await page.getByText("No servers yet").waitFor();
    await page.getByRole("button", { name: "New from template" }).first().click();
    await page.getByRole("button", { name: "Create server" }).click();
    await page.waitForURL("**/servers/mcp_*");
    await page.getByRole("button", { name: "Deploy" }).first().click();
    await page.getByRole("dialog").waitFor();
    await page.getByRole("button", { name: "Done" }).click();
    await page.reload();
    await page.getByRole("button", { name: "Deployed" }).waitFor();
    expect(await page.getByRole("button", { name: "Deployed" }).isDisabled()).toBe(true);
    expect(await page.getByText(`${server.url}/agents/agent_`).first().isVisible()).toBe(true);
  },
);

test.skipIf(!hasBrowser)("they try the agent out, and see the run in the log and its trace", async () => {
  await page.getByLabel("email (required)").fill("ada@example.com");
  await page.getByLabel("password (required)").fill("correct horse battery");
  const send = page.getByRole("button", { name: "Send request" });
  await send.click();
  await page.getByText("200 OK").waitFor();
  await send.click();
  await page.getByText("409 Conflict").waitFor();
  await page.getByText("run_complete").first().waitFor();
  await page.getByRole("link", { name: "Open dashboard" }).click();
  await page.waitForURL("**/dashboard/agents/agent_*");
  await page.getByText("200").first().waitFor();
});

test.skipIf(!hasBrowser)("they redeploy the server, and undeploy it after being asked", async () => {
  await page.goBack();
  await page.getByRole("button", { name: "Redeploy" }).click();
  await page.getByText("deployment_complete").nth(1).waitFor();
  await page.getByRole("button", { name: "Undeploy", exact: true }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Undeploy it" }).click();
  await page.getByText("No endpoint yet").waitFor();
  expect(await page.getByRole("button", { name: "Deploy to Archestra" }).isEnabled()).toBe(true);
});

test.skipIf(!hasBrowser)("they put a document into the index and find it", async () => {
  await page.getByRole("link", { name: "Search" }).click();
  await page.getByText("Add a document").click();
  await page.getByLabel("Title").fill("Orchestrix <b>manual</b>");
  await page.getByLabel("Address").fill("https://example.com/manual");
  await page.getByLabel("Content").fill("Orchestrix deploys tool graphs as agents.");
  await page.getByRole("button", { name: "Add document" }).click();
  // Said in passing: the words stay in the page when they are no longer shown.
  await page.locator("#toast", { hasText: "The document is in the index" }).waitFor({ state: "attached" });
  await page.getByLabel("Question").fill("what deploys tool graphs");
  await page.keyboard.press("Enter");
  await page
    .getByRole("link", { name: /Orchestrix/ })
    .first()
    .waitFor();
  await page.getByText("Attempts (").waitFor();
});

/** Where an element stands on the page, in pixels. */
async function placeOf(locator: Locator) {
  const box = await locator.boundingBox();
  if (box === null) throw new Error("not shown");
  return { ...box, right: box.x + box.width, bottom: box.y + box.height };
}

async function isWiderThanScreen(): Promise<boolean> {
  return page.evaluate(() => (globalThis as any).document.documentElement.scrollWidth > (globalThis as any).innerWidth);
}

const WIDE = { width: 1280, height: 900 };
const NARROW = { width: 360, height: 800 };
const QUESTION = "what deploys tool graphs";

test.skipIf(!hasBrowser)("a graph shows what runs at once side by side, and under what condition", async () => {
  await page.getByRole("link", { name: "Servers" }).click();
  await page.getByRole("button", { name: "New from template" }).first().click();
  await page.getByRole("radio", { name: /Research Brief API/ }).check();
  await page.getByRole("button", { name: "Create server" }).click();
  await page.waitForURL("**/servers/mcp_*");
  const graph = page.getByRole("region", { name: "Graph" });
  const group = graph.getByRole("list", { name: "2 steps at the same time" });
  const search = group.getByRole("button", { name: /^search webSearch/ });
  const reading = group.getByRole("button", {
    name: /^page httpRequest.*when has\(validation\.page\).*on error go on/,
  });
  const [left, right] = [await placeOf(search), await placeOf(reading)];
  expect(right.x).toBeGreaterThanOrEqual(left.right);
  expect(right.y).toBe(left.y);
  const before = await placeOf(graph.getByRole("button", { name: /^validation/ }));
  const after = await placeOf(graph.getByRole("button", { name: /^brief/ }));
  expect(before.bottom).toBeLessThan(left.y);
  expect(after.y).toBeGreaterThan(Math.max(left.bottom, right.bottom));
  expect(await reading.getByTitle("Runs only when has(validation.page)").isVisible()).toBe(true);

  await reading.focus();
  await page.keyboard.press("Enter");
  expect(await reading.getAttribute("aria-expanded")).toBe("true");
  await graph.getByText("A failure does not end the run: the step's output is null then").waitFor();
  await page.keyboard.press("Enter");
  expect(await reading.getAttribute("aria-expanded")).toBe("false");

  await page.setViewportSize(NARROW);
  expect(await isWiderThanScreen()).toBe(false);
  await page.setViewportSize(WIDE);
});

test.skipIf(!hasBrowser)("a test run says what is wrong with its input", async () => {
  const card = page.getByRole("region", { name: "Test run" });
  const input = card.getByLabel("Input as JSON");
  await input.fill("{topic: 1}");
  await card.getByRole("button", { name: "Run test" }).click();
  await card.getByRole("alert").filter({ hasText: "This is not JSON" }).waitFor();
  expect(await input.getAttribute("aria-invalid")).toBe("true");
  await input.fill('{"page": 3}');
  expect(await input.getAttribute("aria-invalid")).toBeNull();
  await card.getByRole("button", { name: "Run test" }).click();
  const faults = card.getByRole("alert").getByRole("listitem");
  await faults.first().waitFor();
  expect(await faults.allTextContents()).toEqual(expect.arrayContaining([expect.stringMatching(/^topic /)]));
  expect(await faults.allTextContents()).toEqual(expect.arrayContaining([expect.stringMatching(/^page /)]));
});

test.skipIf(!hasBrowser)("a dry run asks nobody, and a test run shows the answer and each step", async () => {
  const card = page.getByRole("region", { name: "Test run" });
  await card.getByLabel("Input as JSON").fill(JSON.stringify({ topic: QUESTION, page: site.url }));
  await card.getByLabel("Dry run").check();
  await card.getByRole("button", { name: "Run test" }).click();
  await card.getByText("dry run: nothing was written, sent or called").waitFor();
  expect(siteCalls).toBe(0);
  await card.getByLabel("Dry run").uncheck();
  await card.getByRole("button", { name: "Run test" }).click();
  await card.getByText("dry run: nothing").waitFor({ state: "detached" });
  await card.getByText('"type": "text/html"').first().waitFor();
  expect(siteCalls).toBe(1);
  const steps = card.locator(".waterfall > li");
  expect(await steps.count()).toBe(6);
  await steps.filter({ hasText: "httpRequest" }).locator("summary").click();
  await card.getByText("<h1>Tides & moons</h1>").waitFor();
  expect(await card.locator("h1").count()).toBe(0);
});

test.skipIf(!hasBrowser)("an agent's runs show up while they run, and their traces when they end", async () => {
  await page.getByRole("button", { name: "Deploy to Archestra" }).click();
  await page.getByRole("dialog").getByRole("link", { name: "Open dashboard" }).click();
  await page.getByText("No runs yet").waitFor();
  const agentId = new URL(page.url()).pathname.split("/").at(-1) ?? "";
  let open = () => {};
  opened = new Promise((resolve) => {
    open = resolve;
  });
  const running = call(server, "POST", `/agents/${agentId}`, { topic: QUESTION, page: site.url });
  const runs = page.getByRole("region", { name: "Runs" });
  await runs.getByText("running").waitFor();
  await runs.getByRole("link").click();
  const trace = page.getByRole("region", { name: "Trace" });
  await trace.getByText("still running").waitFor();
  open();
  expect((await running).status).toBe(200);
  await runs.getByText("200").waitFor();
  expect(await runs.getByRole("link").count()).toBe(1);
  await trace.getByText("httpRequest").waitFor();
  const barOf = (name: string) => placeOf(trace.getByRole("listitem").filter({ hasText: name }).locator("rect"));
  const [search, reading] = [await barOf("webSearch"), await barOf("httpRequest")];
  expect(reading.x).toBeLessThanOrEqual(search.right);
  expect(search.x).toBeLessThanOrEqual(reading.right);
  expect(reading.width).toBeGreaterThan(search.width);
  await trace.locator("summary").filter({ hasText: "httpRequest" }).click();
  await trace.getByText("<h1>Tides & moons</h1>").waitFor();
  expect(await trace.locator("h1").count()).toBe(0);
  expect(page.url()).toMatch(/\/runs\/run_\w+$/);
});

test.skipIf(!hasBrowser)("runs that came while nobody followed are there when following goes on", async () => {
  const agentId = /agent_\w+/.exec(page.url())?.[0] ?? "";
  const runs = page.getByRole("region", { name: "Runs" });
  await runs.getByRole("button", { name: "Live" }).click();
  await runs.getByRole("button", { name: "Paused" }).waitFor();
  expect((await call(server, "POST", `/agents/${agentId}`, { topic: QUESTION })).status).toBe(200);
  expect((await call(server, "POST", `/agents/${agentId}`, { page: 3 })).status).toBe(400);
  expect(await runs.getByRole("link").count()).toBe(1);
  const resumed = page.waitForRequest((request) => (request.headers()["last-event-id"] ?? "").startsWith("run_"));
  await runs.getByRole("button", { name: "Paused" }).click();
  await resumed;
  await runs.getByText("400").waitFor();
  expect(await runs.getByRole("link").count()).toBe(3);
  await runs.getByRole("link").nth(1).click();
  const trace = page.getByRole("region", { name: "Trace" });
  await trace.getByRole("listitem").filter({ hasText: "httpRequest" }).getByText("skipped", { exact: true }).waitFor();
  await page.setViewportSize(NARROW);
  expect(await isWiderThanScreen()).toBe(false);
  await page.setViewportSize(WIDE);
});

test.skipIf(!hasBrowser)("following goes on by itself after the connection broke", async () => {
  const agentId = /agent_\w+/.exec(page.url())?.[0] ?? "";
  const proxy = await startTcpProxy(Number(new URL(server.url).port));
  const other = await browser.newPage();
  onTestFinished(async () => {
    await other.close();
    await proxy.close();
  });
  await other.goto(`http://127.0.0.1:${proxy.port}/dashboard/agents/${agentId}`);
  await other.getByLabel("API key").fill(server.adminApiKey);
  await other.getByLabel("Owner").fill("user-123");
  await other.keyboard.press("Enter");
  const runs = other.getByRole("region", { name: "Runs" });
  await runs.getByRole("link").nth(2).waitFor();
  await runs.getByRole("button", { name: "Live" }).waitFor();
  const resumed = other.waitForRequest((request) => (request.headers()["last-event-id"] ?? "").startsWith("run_"));
  proxy.cut();
  await runs.getByRole("button", { name: "Reconnecting…" }).waitFor();
  expect((await call(server, "POST", `/agents/${agentId}`, { topic: QUESTION })).status).toBe(200);
  await resumed;
  await runs.getByRole("button", { name: "Live" }).waitFor();
  await runs.getByRole("link").nth(3).waitFor();
  expect(await runs.getByRole("link").count()).toBe(4);
});

test.skipIf(!hasBrowser)("a policy is shown, and what it refuses stands in the trace with its rule", async () => {
  await page.getByRole("link", { name: "Research Brief API" }).click();
  await page.waitForURL("**/servers/mcp_*");
  const serverId = new URL(page.url()).pathname.split("/").at(-1) ?? "";
  const policy = page.getByRole("region", { name: "Policy" });
  await policy.getByText("No rules of its own").waitFor();
  const rule = { name: "no pages", when: "tool.name == 'httpRequest'" };
  const patched = await call(server, "PATCH", `/mcp/servers/${serverId}?ownerId=user-123`, {
    version: 1,
    policy: { deny: [rule], maxCalls: 9, allowedHosts: ["*.example.com"] },
  });
  expect(patched.status).toBe(200);
  await page.reload();
  await policy.getByText(rule.when).waitFor();
  await policy.getByText("*.example.com").waitFor();
  await policy.getByText("at most 9").waitFor();
  await page.getByLabel("Input as JSON").fill(JSON.stringify({ topic: QUESTION, page: site.url }));
  await page.getByRole("button", { name: "Run test" }).click();
  const card = page.getByRole("region", { name: "Test run" });
  const refused = card.locator(".waterfall > li").filter({ hasText: "httpRequest" });
  await refused.getByText("refused", { exact: true }).waitFor();
  await refused.getByText("no pages", { exact: true }).waitFor();
  await card.getByText("403").first().waitFor();
});

test.skipIf(!hasBrowser)("graphs of one step and of a hundred fit on the page", async () => {
  const input = { toolId: "input", name: "input", config: {}, retry: { attempts: 3 }, onError: "s98" };
  const step = (i: number) => ({ toolId: `s${i}`, name: "transform", config: { expression: "input" } });
  const steps = Array.from({ length: 99 }, (_, i) => step(i));
  const group = steps.slice(0, 40).map(({ toolId }) => toolId);
  const rest = steps.slice(40).map(({ toolId }) => toolId);
  const graphs = [
    { serverId: "one-step", tools: [{ ...input, onError: "fail" }], executionOrder: ["input"] },
    { serverId: "hundred-steps", tools: [input, ...steps], executionOrder: ["input", group, ...rest] },
  ];
  for (const graph of graphs) {
    const body = { ...graph, ownerId: "user-123", name: graph.serverId };
    expect((await call(server, "POST", "/mcp/servers", body)).status).toBe(201);
    await page.goto(`${server.dashboard}/servers/${graph.serverId}`);
    const drawn = page.getByRole("region", { name: "Graph" });
    await drawn.getByRole("button").first().waitFor();
    expect(await drawn.getByRole("button").count()).toBe(graph.tools.length);
    expect(await isWiderThanScreen()).toBe(false);
    await page.setViewportSize(NARROW);
    expect(await isWiderThanScreen()).toBe(false);
    await page.setViewportSize(WIDE);
  }
  const said = page.getByRole("button", { name: /^input input.*up to 3 tries.*error goes to s98/ });
  expect(await said.isVisible()).toBe(true);
});

test.skipIf(!hasBrowser)("they store a secret, replace it and delete it, and never see its value", async () => {
  const value = "sk_never_shown_again_1";
  await page.getByRole("link", { name: "Secrets" }).click();
  await page.getByText("No secrets yet").waitFor();
  const field = page.getByLabel("Value");
  expect([await field.getAttribute("type"), await field.getAttribute("autocomplete")]).toEqual(["password", "off"]);
  await page.getByLabel("Name").fill("STRIPE_KEY");
  await field.fill(value);
  await page.keyboard.press("Enter");
  await page.getByText("set just now").waitFor();
  expect(await field.inputValue()).toBe("");
  await page.getByRole("button", { name: "Replace STRIPE_KEY" }).click();
  await page.keyboard.type(`${value}b`);
  await page.keyboard.press("Enter");
  await page.getByText("version 2").waitFor();
  expect(await page.content()).not.toContain(value);
  await page.getByRole("button", { name: "Delete STRIPE_KEY" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Delete secret" }).click();
  await page.getByText("No secrets yet").waitFor();
});

test.skipIf(!hasBrowser)("they make a key, see it once, and revoke it: it opens nothing then", async () => {
  await page.getByRole("link", { name: "Keys", exact: true }).click();
  await page.getByLabel("Name").fill("laptop");
  await page.getByRole("button", { name: "Make key" }).click();
  const key = (await page.getByRole("dialog").locator("pre").textContent()) ?? "";
  const listServers = async () => (await fetch(`${server.url}/mcp/servers`, { headers: { "X-API-Key": key } })).status;
  expect(await listServers()).toBe(200);
  await page.getByRole("button", { name: "Done" }).click();
  await page.reload();
  await page.getByText("never expires").waitFor();
  expect(await page.content()).not.toContain(key);
  await page.getByRole("button", { name: "Revoke laptop" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Keep it" }).click();
  expect(await listServers()).toBe(200);
  await page.getByRole("button", { name: "Revoke laptop" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Revoke key" }).click();
  await page.getByText("revoked just now").waitFor();
  expect(await page.getByRole("button", { name: "Revoke laptop" }).count()).toBe(0);
  await expect.poll(listServers, { timeout: 35_000, interval: 500 }).toBe(401);
});

test.skipIf(!hasBrowser)(
  "nothing went wrong in the browser, nothing was loaded from elsewhere, and no key was in a URL",
  () => {
    expect(surprises).toEqual([]);
  },
);
