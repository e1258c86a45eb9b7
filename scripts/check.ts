import { spawn } from "node:child_process";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { ROOT } from "./build.ts";

const HELP = `Checks the code without running it: format and lint, types, unused code, import boundaries.

Usage: npm run check [-- options]

Options
  --json  print the results as JSON
  --help  print this`;

interface Check {
  readonly name: string;
  readonly command: readonly [tool: string, ...args: string[]];
  /** Looks at what a tool that found nothing printed: null, or why that is not to be trusted. */
  readonly distrust?: (output: string) => string | null;
}

const CHECKS: readonly Check[] = [
  { name: "format and lint", command: ["biome", "check", "--error-on-warnings", "--colors=off"] },
  { name: "types", command: ["tsc", "-p", "."] },
  { name: "unused code", command: ["knip"] },
  {
    name: "import boundaries",
    command: ["depcruise", "src", "--config", ".dependency-cruiser.cjs"],
    // Without a parser for this TypeScript it would see no module, and pass.
    distrust(output) {
      const [, modules = "0", dependencies = "0"] = /\((\d+) modules, (\d+) dependencies cruised\)/.exec(output) ?? [];
      return Number(modules) > 0 && Number(dependencies) > 0 ? null : "no module was seen";
    },
  },
];

async function main(): Promise<boolean> {
  const { values: flags } = parseArgs({ options: { json: { type: "boolean" }, help: { type: "boolean" } } });
  if (flags.help) {
    console.log(HELP);
    return true;
  }
  const results = await Promise.all(CHECKS.map(run));
  if (flags.json) console.log(JSON.stringify(results));
  else {
    for (const { name, ok, seconds, output } of results) {
      console.log(`${ok ? "✓" : "✗"} ${name.padEnd(20)} ${seconds.toFixed(1)} s${ok ? "" : `\n${output}`}`);
    }
  }
  return results.every((result) => result.ok);
}

async function run({ name, command: [tool, ...args], distrust }: Check) {
  const startedAt = performance.now();
  const child = spawn(join(ROOT, "node_modules/.bin", tool), args, { cwd: ROOT, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk) => {
      output += chunk;
    });
  }
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  const doubt = code === 0 ? (distrust?.(output) ?? null) : null;
  return {
    name,
    ok: code === 0 && doubt === null,
    seconds: (performance.now() - startedAt) / 1000,
    output: doubt ?? output.trim(),
  };
}

process.exitCode = (await main()) ? 0 : 1;
