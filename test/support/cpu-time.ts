/**
 * Gives the milliseconds of CPU that this process has taken since then, whatever it did. Not by the clock on the wall,
 * which other processes share: a busy machine does not change it.
 */
export function startCpuTimer(): () => number {
  const before = process.cpuUsage();
  return () => {
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1_000;
  };
}
