import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as z from "zod";
import { ROOT } from "../../scripts/build.ts";

const PACKAGE = join(ROOT, "node_modules/@modelcontextprotocol/conformance");

const checks = z.array(z.object({ id: z.string(), status: z.string(), errorMessage: z.string().optional() }));

/** What the suite requires of a server of this revision. */
export async function scoredScenarios(revision: string): Promise<readonly string[]> {
  const yaml = await readFile(join(PACKAGE, "requirements", `${revision}.yaml`), "utf8");
  const list = /^server:\n((?: {2}- [\w-]+\n)+)/m.exec(yaml)?.[1];
  if (list === undefined) throw new Error(`the requirements of ${revision} have no list of server scenarios`);
  return [...list.matchAll(/- ([\w-]+)/g)].map(([, scenario = ""]) => scenario);
}

/** Runs the suite against a server, and gives the faults of each scenario that was run: none where it passed. */
export async function runSuite(url: string, revision: string): Promise<ReadonlyMap<string, readonly string[]>> {
  const results = await mkdtemp(join(tmpdir(), "orchestrix-conformance-"));
  try {
    const args = [join(PACKAGE, "dist/index.js"), "server", "--url", url, "--requirements", revision, "-o", results];
    // What it says by its exit code is in the files too, and there by scenario.
    await new Promise<void>((resolve) => execFile(process.execPath, args, { cwd: results }, () => resolve()));
    const faults = new Map<string, readonly string[]>();
    for (const folder of await readdir(results)) {
      const scenario = /^server-(.+)-\d{4}-\d\d-\d\dT/.exec(folder)?.[1];
      if (scenario === undefined) continue;
      const found = checks.parse(JSON.parse(await readFile(join(results, folder, "checks.json"), "utf8")));
      const failed = found.filter(({ status }) => status === "FAILURE");
      faults.set(
        scenario,
        failed.map(({ id, errorMessage = "" }) => `${id}: ${errorMessage}`),
      );
    }
    return faults;
  } finally {
    await rm(results, { recursive: true, force: true });
  }
}
