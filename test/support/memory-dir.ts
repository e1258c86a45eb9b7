import { mkdtempSync, rmSync, statfsSync } from "node:fs";
import { join } from "node:path";

/** Where Linux keeps files in memory. */
const MEMORY = "/dev/shm";
/** Many times what the tests leave there at once; a container may have 64 MiB only. */
const ROOM_BYTES = 2 * 1024 ** 3;

/** A folder in memory that goes with this process; null where there is none, or too little room. */
export function makeMemoryDir(): string | null {
  try {
    const { bavail, bsize } = statfsSync(MEMORY);
    if (bavail * bsize < ROOM_BYTES) return null;
    const dir = mkdtempSync(join(MEMORY, "orchestrix-test-"));
    process.once("exit", () => rmSync(dir, { recursive: true, force: true, maxRetries: 3 }));
    return dir;
  } catch {
    return null;
  }
}
