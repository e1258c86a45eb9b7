import { existsSync } from "node:fs";
import { type Browser, chromium } from "playwright-core";

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

export const hasBrowser = executablePath !== undefined;

export function launchBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: executablePath ?? "", args: ARGS });
}
