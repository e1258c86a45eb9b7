import { randomBytes } from "node:crypto";
import { appendFile, chmod, readFile } from "node:fs/promises";
import { parseEnv } from "node:util";

type Variables = Readonly<Record<string, string | undefined>>;

/** The variables of a `.dev.vars` file; none when there is no file. */
export async function readDevVars(path: string): Promise<Variables> {
  try {
    return parseEnv(await readFile(path, "utf8"));
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return {};
    throw error;
  }
}

/** Makes the two secrets that a first start needs, where neither the environment nor the file has them, and keeps them. */
export async function ensureSecrets(path: string, env: Variables): Promise<Variables> {
  const stored = await readDevVars(path);
  const made: Record<string, string> = {};
  if (!env.ADMIN_API_KEY && !stored.ADMIN_API_KEY) {
    made.ADMIN_API_KEY = `admin_${randomBytes(24).toString("base64url")}`;
  }
  if (!env.ENCRYPTION_KEY && !stored.ENCRYPTION_KEY) made.ENCRYPTION_KEY = randomBytes(32).toString("base64");
  const lines = Object.entries(made).map(([name, value]) => `${name}="${value}"\n`);
  if (lines.length > 0) {
    await appendFile(path, lines.join(""), { mode: 0o600 });
    await chmod(path, 0o600);
  }
  return { ...stored, ...made };
}
