import { readdirSync, readFileSync } from "node:fs";

/** What Linux counts process times in, on every architecture. */
const TICK_US = 10_000;
const BYTES_PER_KIB = 1_024;

export interface ProcessFigures {
  /** User and system time since the start, in µs. */
  readonly cpuUs: number;
  /** Resident memory in bytes. */
  readonly rssBytes: number;
}

/**
 * What a process and all below it have used, those included that have ended and whose end was noticed; null where the system does not tell, or it is gone. */
export function readProcessTree(pid: number): ProcessFigures | null {
  let cpuUs = 0;
  let rssBytes = 0;
  for (const each of [pid, ...listDescendants(pid)]) {
    const stat = readStat(each);
    if (stat === null) continue;
    cpuUs += stat.cpuUs;
    rssBytes += readRss(each);
  }
  return rssBytes === 0 ? null : { cpuUs, rssBytes };
}

/** The processes that `pid` has started itself. Empty where the system does not tell. */
export function listChildren(pid: number): readonly number[] {
  return listProcesses().filter((each) => readStat(each)?.parent === pid);
}

function listDescendants(pid: number): readonly number[] {
  return listChildren(pid).flatMap((child) => [child, ...listDescendants(child)]);
}

function listProcesses(): readonly number[] {
  try {
    return readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name))
      .map(Number);
  } catch {
    return [];
  }
}

/**
 * CPU time that everything on this machine has used since it started, in µs; null where the system does not tell. The
 * time that a virtual machine's host kept for others counts too.
 */
export function readMachineCpuUs(): number | null {
  try {
    const [user, nice, system, _idle, _wait, irq, softIrq, steal] =
      /^cpu +(.+)$/m.exec(readFileSync("/proc/stat", "utf8"))?.[1]?.split(" ").map(Number) ?? [];
    const busy = [user, nice, system, irq, softIrq, steal].reduce<number>((sum, ticks) => sum + (ticks ?? 0), 0);
    return busy * TICK_US;
  } catch {
    return null;
  }
}

/** `man 5 proc`: the fields after the name, which may hold anything, parentheses too. */
function readStat(pid: number): { readonly parent: number; readonly cpuUs: number } | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
    return { parent: Number(fields[1]), cpuUs: ticks * TICK_US };
  } catch {
    return null;
  }
}

function readRss(pid: number): number {
  try {
    const kib = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0;
    return Number(kib) * BYTES_PER_KIB;
  } catch {
    return 0;
  }
}
