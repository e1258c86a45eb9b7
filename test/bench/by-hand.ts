import { Hono } from "hono";

export * from "./unused-objects.ts";

interface Order {
  readonly name: string;
  readonly items: readonly { readonly price: number; readonly count: number }[];
}

function isOrder(value: unknown): value is Order {
  if (typeof value !== "object" || value === null) return false;
  const { name, items } = value as Partial<Order>;
  return (
    typeof name === "string" &&
    Array.isArray(items) &&
    items.every(({ price, count }) => typeof price === "number" && Number.isInteger(count))
  );
}

/**
 * The order's graph as one would write it by hand, for itself alone: no limits, no policy, no trace, no other agent. What
 * a Worker that reads a body can come to on this machine at most.
 */
const app = new Hono();
app.post("*", async (c) => {
  const order: unknown = await c.req.json();
  if (!isOrder(order)) return c.json({ code: "VALIDATION_FAILED" }, 400);
  const total = order.items.reduce((sum, { price, count }) => sum + price * count, 0);
  return c.json({ greeting: `Hello ${order.name}`, total });
});
export default app;
