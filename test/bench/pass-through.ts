import { Hono } from "hono";

export * from "./unused-objects.ts";

/** What any Hono Worker costs that asks an upstream: the body goes on unread, the answer comes back unread. */
const app = new Hono<{ Bindings: { readonly TAVILY_BASE_URL: string; readonly TAVILY_API_KEY: string } }>();
app.post("/search", (c) =>
  fetch(`${c.env.TAVILY_BASE_URL}/search`, {
    method: "POST",
    headers: { "Content-Type": "application/json", Authorization: `Bearer ${c.env.TAVILY_API_KEY}` },
    body: c.req.raw.body,
  }),
);
export default app;
