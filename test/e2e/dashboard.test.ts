import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type LaunchedServer, launch } from "../../scripts/launch.ts";
import { OFFLINE, UNLIMITED } from "../support/launched.ts";

const CANDIDATES = [
  process.env.CHROMIUM_PATH,
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
];
const ARGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"];

const executablePath = CANDIDATES.find((path) => path && existsSync(path));
const MISSING = "no Chromium: install it (apt-get install chromium), or name it with CHROMIUM_PATH=…";
if (!executablePath) {
  if (process.env.CI) throw new Error(MISSING);
  console.warn(`The dashboard is NOT tested: ${MISSING}`);
}

let stateDir = "";
let server: LaunchedServer;
let browser: Browser;
let page: Page;
/** Whatever a person would find in the console, and every request that leaves the product. */
const surprises: string[] = [];

beforeAll(async () => {
  if (!executablePath) return;
  stateDir = await mkdtemp(join(tmpdir(), "orchestrix-dashboard-"));
  server = await launch({ stateDir, variables: { ...OFFLINE, ...UNLIMITED } });
  browser = await chromium.launch({ executablePath, args: ARGS });
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
  if (stateDir !== "") await rm(stateDir, { recursive: true, force: true });
});

test.skipIf(!executablePath)(
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

test.skipIf(!executablePath)("they try the agent out, and see the run in the log and its trace", async () => {
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

test.skipIf(!executablePath)("they redeploy the server, and undeploy it after being asked", async () => {
  await page.goBack();
  await page.getByRole("button", { name: "Redeploy" }).click();
  await page.getByText("deployment_complete").nth(1).waitFor();
  await page.getByRole("button", { name: "Undeploy", exact: true }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Undeploy it" }).click();
  await page.getByText("No endpoint yet").waitFor();
  expect(await page.getByRole("button", { name: "Deploy to Archestra" }).isEnabled()).toBe(true);
});

test.skipIf(!executablePath)("they put a document into the index and find it", async () => {
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

test.skipIf(!executablePath)(
  "nothing went wrong in the browser, nothing was loaded from elsewhere, and no key was in a URL",
  () => {
    expect(surprises).toEqual([]);
  },
);
