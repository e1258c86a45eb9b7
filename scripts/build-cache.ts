import { createHash } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";

const recordSchema = z.object({ inputs: z.array(z.string()), digest: z.string() });

interface Build {
  /** What decides about the outputs beside the inputs: options, variables. */
  readonly command: readonly (string | null)[];
  /** Paths of all files that are read. One that is not there counts as that. */
  readonly inputs: readonly string[];
  /** Paths of the files that are made. */
  readonly outputs: readonly string[];
}

/**
 * Makes files out of others, unless they are there already and making them again would change nothing: by the contents
 * of all that was read and made, not by times. Puts each in place whole, so several may do this at once.
 */
export async function makeOnce(wanted: {
  readonly folder: string;
  /** Names of the files. */
  readonly outputs: readonly string[];
  readonly command: readonly (string | null)[];
  /** Makes the files in this folder, which nobody else uses; gives the paths of all that it read. */
  readonly make: (building: string) => Promise<readonly string[]>;
}): Promise<void> {
  const { folder, outputs, command, make } = wanted;
  const outputsIn = (place: string) => outputs.map((name) => join(place, name));
  const record = join(folder, `${outputs[0]}.build.json`);
  if (await isCurrent(record, { command, outputs: outputsIn(folder) })) return;
  await mkdir(folder, { recursive: true });
  const building = await mkdtemp(join(folder, "build-"));
  try {
    const { ctimeMs: begunAt } = await stat(building);
    const inputs = await make(building);
    const draft = join(building, "record.json");
    const digest = digestOf({ command, inputs, outputs: outputsIn(building) });
    await writeFile(draft, JSON.stringify({ inputs, digest }));
    for (const name of outputs) await rename(join(building, name), join(folder, name));
    // Of a file that was written meanwhile nobody knows which content was read.
    if (!haveChangedSince(begunAt, inputs)) await rename(draft, record);
  } finally {
    await rm(building, { recursive: true, force: true });
  }
}

async function isCurrent(record: string, build: Omit<Build, "inputs">): Promise<boolean> {
  const known = await readRecord(record);
  return known !== null && digestOf({ ...build, inputs: known.inputs }) === known.digest;
}

async function readRecord(path: string): Promise<z.output<typeof recordSchema> | null> {
  try {
    return recordSchema.safeParse(JSON.parse(await readFile(path, "utf8"))).data ?? null;
  } catch {
    return null;
  }
}

/** By the time at which the file system noted a change: a copied file brings its own time of writing along. */
function haveChangedSince(timeMs: number, paths: readonly string[]): boolean {
  return paths.some((path) => (statSync(path, { throwIfNoEntry: false })?.ctimeMs ?? 0) > timeMs);
}

/** Reads one file after the other: a thousand take a fifth of the CPU time that reading all at once takes. */
function digestOf({ command, inputs, outputs }: Build): string {
  const hash = createHash("sha256").update(JSON.stringify([command, inputs]));
  for (const path of [...inputs, ...outputs]) {
    const content = readIfThere(path);
    hash.update(`\n${content?.length ?? "absent"}\n`).update(content ?? "");
  }
  return hash.digest("hex");
}

function readIfThere(path: string): Buffer | null {
  try {
    return readFileSync(path);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return null;
    throw error;
  }
}
