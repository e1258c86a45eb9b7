/**
 * Handles the items, at most `width` at a time. One that fails ends its lane; the others go on, and then its reason is
 * thrown.
 */
export async function inLanes<T>(
  items: readonly T[],
  width: number,
  handle: (item: T) => Promise<void>,
): Promise<void> {
  const queue = items.values();
  const lanes = Array.from({ length: width }, async () => {
    for (const item of queue) await handle(item);
  });
  const [failed] = (await Promise.allSettled(lanes)).filter((lane) => lane.status === "rejected");
  if (failed !== undefined) throw failed.reason;
}
