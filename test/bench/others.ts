import { readMachineCpuUs, readProcessTree } from "./processes.ts";

/**
 * Watches what else the machine does from now on: the answer is how many cores other programs kept busy, on average;
 * null where the system does not tell.
 */
export function watchOthers(): () => number | null {
  const start = readFigures();
  return function coresOfOthers() {
    const end = readFigures();
    if (start === null || end === null) return null;
    const othersUs = end.machineUs - start.machineUs - (end.ownUs - start.ownUs);
    return Math.max(0, othersUs / (end.atUs - start.atUs));
  };
}

const US_PER_MS = 1_000;

function readFigures() {
  const machineUs = readMachineCpuUs();
  const own = readProcessTree(process.pid);
  return machineUs === null || own === null
    ? null
    : { machineUs, ownUs: own.cpuUs, atUs: performance.now() * US_PER_MS };
}
