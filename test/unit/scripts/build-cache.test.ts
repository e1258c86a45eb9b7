import { mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { makeOnce } from "../../../scripts/build-cache.ts";

const OUTPUTS = ["both.txt", "length.txt"];

/** Two sources, and files that are made of them. */
async function makeScene() {
  const root = await mkdtemp(join(tmpdir(), "orchestrix-build-cache-"));
  onTestFinished(() => rm(root, { recursive: true, force: true }));
  const folder = join(root, "out");
  const sources = [join(root, "a.txt"), join(root, "b.txt")] as const;
  for (const [i, path] of sources.entries()) await writeFile(path, `source ${i}`);
  let made = 0;
  const read = () => Promise.all(sources.map((path) => readFile(path, "utf8").catch(() => "nothing")));
  return {
    folder,
    sources,
    times: () => made,
    read: () => readFile(join(folder, "both.txt"), "utf8"),
    async make(options: { readonly minify?: string; readonly meanwhile?: () => Promise<void> } = {}): Promise<void> {
      await makeOnce({
        folder,
        outputs: OUTPUTS,
        command: ["join", options.minify ?? null],
        async make(building) {
          made++;
          const both = (await read()).join(", ");
          await writeFile(join(building, "both.txt"), both);
          await writeFile(join(building, "length.txt"), String(both.length));
          await options.meanwhile?.();
          return sources;
        },
      });
    },
  };
}

test("what is there already is not made again, nor because of a file that was only written again", async () => {
  const scene = await makeScene();
  await scene.make();
  await scene.make();
  const [first] = scene.sources;
  await writeFile(first, "source 0");
  await utimes(first, new Date(0), new Date(0));
  await scene.make();
  expect(scene.times()).toBe(1);
  expect(await scene.read()).toBe("source 0, source 1");
});

test("a source with another content is made anew, of whatever length and time, and back", async () => {
  const scene = await makeScene();
  const [, second] = scene.sources;
  await scene.make();
  await writeFile(second, "source X");
  await utimes(second, new Date(0), new Date(0));
  await scene.make();
  expect(await scene.read()).toBe("source 0, source X");
  await writeFile(second, "source 1");
  await scene.make();
  expect(await scene.read()).toBe("source 0, source 1");
  expect(scene.times()).toBe(3);
});

test("a source that went, and one that came, make it anew", async () => {
  const scene = await makeScene();
  const [first] = scene.sources;
  await rm(first);
  await scene.make();
  await scene.make();
  expect(scene.times()).toBe(1);
  await writeFile(first, "");
  await scene.make();
  expect(await scene.read()).toBe(", source 1");
  await rm(first);
  await scene.make();
  expect(await scene.read()).toBe("nothing, source 1");
});

test("other options make it anew", async () => {
  const scene = await makeScene();
  for (const minify of ["true", "true", "false", "true"]) await scene.make({ minify });
  expect(scene.times()).toBe(3);
});

test.each(OUTPUTS)("%s is made anew when it is gone, or is not what was made", async (name) => {
  const scene = await makeScene();
  await scene.make();
  const path = join(scene.folder, name);
  const made = await readFile(path, "utf8");
  await rm(path);
  await scene.make();
  expect(await readFile(path, "utf8")).toBe(made);
  await writeFile(path, made.slice(0, -1));
  await scene.make();
  expect(await readFile(path, "utf8")).toBe(made);
  expect(scene.times()).toBe(3);
});

test.each(["", "{", "null", '{"inputs":[]}', '{"inputs":[],"digest":""}'])(
  "a record that says %j is none",
  async (text) => {
    const scene = await makeScene();
    await scene.make();
    await writeFile(join(scene.folder, "both.txt.build.json"), text);
    await scene.make();
    expect(scene.times()).toBe(2);
    await scene.make();
    expect(scene.times()).toBe(2);
  },
);

test("a source that is written while it is read is not trusted: the next time reads it again", async () => {
  const scene = await makeScene();
  const [first] = scene.sources;
  async function meanwhile(): Promise<void> {
    await writeFile(first, "source 2");
    const { ctimeMs } = await stat(first);
    // Until the file system's clock has ticked.
    do await writeFile(first, "source 2");
    while ((await stat(first)).ctimeMs <= ctimeMs);
  }
  await scene.make({ meanwhile });
  await scene.make();
  expect(scene.times()).toBe(2);
  expect(await scene.read()).toBe("source 2, source 1");
});

test("what fails leaves what was there, and nothing half made", async () => {
  const scene = await makeScene();
  await scene.make();
  await writeFile(scene.sources[0], "broken");
  const fail = async () => {
    throw new Error("no");
  };
  await expect(scene.make({ meanwhile: fail })).rejects.toThrow("no");
  expect(await scene.read()).toBe("source 0, source 1");
  expect((await readdir(scene.folder)).sort()).toEqual([...OUTPUTS, "both.txt.build.json"].sort());
  await scene.make();
  expect(await scene.read()).toBe("broken, source 1");
});

test("several at once leave one whole result", async () => {
  const scene = await makeScene();
  await Promise.all(Array.from({ length: 10 }, () => scene.make()));
  expect(await scene.read()).toBe("source 0, source 1");
  expect((await readdir(scene.folder)).sort()).toEqual([...OUTPUTS, "both.txt.build.json"].sort());
  const before = scene.times();
  await scene.make();
  expect(scene.times()).toBe(before);
});
