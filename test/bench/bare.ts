import { Hono } from "hono";

export * from "./unused-objects.ts";

/** What any Hono Worker costs: one handler that answers a constant. */
const app = new Hono();
app.all("*", (c) => c.json({ status: "ok" }));
export default app;
