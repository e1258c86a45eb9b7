import { Hono } from "hono";
import type { AppEnv } from "../http/context.ts";

const PAGE = "/index.html";

/** The page may load its own files and call its own origin, and nothing else. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join("; ");

const PAGE_HEADERS = {
  "Content-Security-Policy": CONTENT_SECURITY_POLICY,
  "Cross-Origin-Opener-Policy": "same-origin",
  "Referrer-Policy": "no-referrer",
  "X-Frame-Options": "DENY",
  // Views and files of one version belong together: ask each time, by ETag.
  "Cache-Control": "no-cache",
};

/** Serves the dashboard: its files by name, and its page for every view's path, so that links lead into it. */
export function createDashboardRouter(fetchAsset: (path: string) => Promise<Response>): Hono<AppEnv> {
  const router = new Hono<AppEnv>();
  router.get("/", function leadToDashboard(c) {
    return c.redirect("/dashboard");
  });
  router.on("GET", ["/dashboard", "/dashboard/*"], async function serveDashboard(c, next) {
    c.get("event").route = "GET /dashboard";
    const path = c.req.path.slice("/dashboard".length);
    const isFile = /\.[a-z0-9]+$/.test(path);
    const asset = await fetchAsset(isFile ? path : PAGE);
    if (!asset.ok) return next();
    const response = new Response(asset.body, asset);
    for (const [name, value] of Object.entries(PAGE_HEADERS)) response.headers.set(name, value);
    return response;
  });
  return router;
}
