import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { buildWorker, ROOT } from "../../scripts/build.ts";

const DIST = join(ROOT, "dist");

test("a Worker is bundled once, and again when a file that it imports has changed", async () => {
  await mkdir(DIST, { recursive: true });
  const folder = await mkdtemp(join(DIST, "test-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const entry = join(folder, "worker.ts");
  const imported = join(folder, "greeting.ts");
  await writeFile(entry, 'export * from "../../src/index.ts";\nexport { default } from "./greeting.ts";\n');
  let builds = 0;
  async function build(): Promise<string> {
    return readFile(await buildWorker(entry, false, { outDir: join(folder, "out"), onBuild: () => builds++ }), "utf8");
  }

  await writeFile(imported, 'export default { fetch: () => new Response("good morning") };\n');
  const first = await build();
  expect(first).toContain("good morning");
  expect(await build()).toBe(first);
  expect(builds).toBe(1);
  await writeFile(imported, 'export default { fetch: () => new Response("good evening") };\n');
  const second = await build();
  expect(second).toContain("good evening");
  expect(second).not.toContain("good morning");
  expect(builds).toBe(2);
  await writeFile(imported, "export default ;\n");
  await expect(build()).rejects.toThrow("greeting.ts");
});

test("the product's bundle is known to be made of its sources, its settings and the installed packages", async () => {
  await buildWorker();
  const { inputs } = JSON.parse(await readFile(join(DIST, "index.js.build.json"), "utf8"));
  const own = ["src/index.ts", "src/compose.ts", "wrangler.toml", "package.json", "tsconfig.json", "package-lock.json"];
  expect(inputs).toEqual(expect.arrayContaining(own.map((path) => join(ROOT, path))));
  expect(inputs).toContain(join(ROOT, "node_modules/.package-lock.json"));
  expect(inputs.some((path: string) => path.endsWith("node_modules/zod/v4/core/core.js"))).toBe(true);
});
