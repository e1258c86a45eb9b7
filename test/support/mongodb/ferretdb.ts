import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { access, mkdir, mkdtemp, readFile, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { ROOT } from "../../../scripts/build.ts";
import { findFreePort } from "../../../scripts/server.ts";
import { type ServerProcess, startServer } from "./processes.ts";

const SOURCE = join(ROOT, "test/support/mongodb/ferretdb");
const CACHE = join(ROOT, "node_modules/.cache/orchestrix/ferretdb");

/** Where Go's own installer puts it; looked at after the PATH. */
const GO_BIN = "/usr/local/go/bin";

/** Only SQLite is needed; without these the build takes less. */
const BUILD_TAGS = "ferretdb_no_postgresql,ferretdb_no_mysql,ferretdb_no_hana";

export interface DatabaseServer extends ServerProcess {
  readonly uri: string;
}

/**
 * Builds the test database once for each state of its sources, and gives the path of the program.
 * @throws Error that says what to install.
 */
export async function buildFerretDb(): Promise<string> {
  const sources = await Promise.all(["main.go", "go.mod", "go.sum"].map((name) => readFile(join(SOURCE, name))));
  const hash = sources.reduce((digest, source) => digest.update(source), createHash("sha256")).digest("hex");
  const program = join(CACHE, `ferretdb-${hash.slice(0, 16)}`);
  if (await exists(program)) return program;
  await mkdir(CACHE, { recursive: true });
  const building = await mkdtemp(join(CACHE, "build-"));
  try {
    await runGo(["build", "-trimpath", "-tags", BUILD_TAGS, "-o", join(building, "ferretdb"), "."]);
    await rename(join(building, "ferretdb"), program);
  } finally {
    await rm(building, { recursive: true, force: true });
  }
  return program;
}

/** Starts the test database, on the port and data of an earlier one where given. */
export async function startFerretDb(
  program: string,
  options: { readonly port?: number; readonly dataDir?: string; readonly atomic?: boolean } = {},
): Promise<DatabaseServer & { readonly dataDir: string }> {
  const port = options.port ?? (await findFreePort("127.0.0.1"));
  const dataDir = options.dataDir ?? (await mkdtemp(join(tmpdir(), "ferretdb-")));
  const args = ["-listen", `127.0.0.1:${port}`, "-data", dataDir, `-atomic=${options.atomic ?? true}`];
  const server = await startServer(program, args, port);
  return { ...server, dataDir, uri: `mongodb://127.0.0.1:${port}/` };
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

async function runGo(args: readonly string[]): Promise<void> {
  const child = spawn("go", args, {
    cwd: SOURCE,
    env: { ...process.env, CGO_ENABLED: "0", PATH: `${process.env.PATH ?? ""}${delimiter}${GO_BIN}` },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk) => {
      output += chunk;
    });
  }
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("error", () =>
      reject(
        new Error(
          "the tests need a MongoDB server: install Go (https://go.dev/dl) to build the one that comes with them, " +
            "or put mongod on the PATH, or set MONGODB_TEST_URI",
        ),
      ),
    );
    child.once("close", resolve);
  });
  if (code !== 0) throw new Error(`go ${args[0]} failed:\n${output.trim()}`);
}
