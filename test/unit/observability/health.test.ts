import { Hono } from "hono";
import { expect, test } from "vitest";
import { ok } from "../../../src/core/result.ts";
import type { AppEnv } from "../../../src/http/context.ts";
import { mountEndpoints } from "../../../src/http/endpoint.ts";
import { createReadiness, type Probe, type Readiness } from "../../../src/observability/health.ts";
import { createHealthEndpoints } from "../../../src/observability/routes.ts";
import { createFakeClock } from "../../support/fake-clock.ts";

const answers: Probe["probe"] = async () => {};
const fails: Probe["probe"] = () => Promise.reject(new Error("mongodb://user:s3cret@db/ is down"));
const hangs: Probe["probe"] = () => new Promise(() => {});

test("all that is needed answers: ready, whatever else is missing", async () => {
  const ready = createReadiness(
    [
      { name: "documents", required: true, probe: answers },
      { name: "cache", required: false, probe: fails },
      { name: "tavily", required: false, probe: null },
      { name: "jina", required: false, probe: "not_asked" },
    ],
    createFakeClock(),
  );
  const report = await ready();
  expect(report.status).toBe("ready");
  expect(Object.entries(report.checks).map(([name, { status }]) => [name, status])).toEqual([
    ["documents", "ok"],
    ["cache", "failed"],
    ["tavily", "not_configured"],
    ["jina", "configured"],
  ]);
  expect(JSON.stringify(report)).not.toContain("s3cret");
});

test("a part that hangs is given up, and where it is needed we are not ready", async () => {
  const clock = createFakeClock();
  const ready = createReadiness([{ name: "documents", required: true, probe: hangs }], clock);
  const report = ready();
  await clock.advance(2_000);
  expect(await report).toMatchObject({
    status: "not_ready",
    checks: { documents: { status: "failed", latencyMs: 2_000 } },
  });
});

test("many who ask soon after each other cost one look", async () => {
  const clock = createFakeClock();
  let looks = 0;
  const ready = createReadiness([{ name: "documents", required: true, probe: async () => ++looks }], clock);
  for (let i = 0; i < 20; i++) await ready();
  expect(looks).toBe(1);
  await clock.advance(2_000);
  await ready();
  expect(looks).toBe(2);
});

test("who is not ready says when to ask again", async () => {
  const answer = async (status: Readiness["status"]) => {
    const ready = async () => ({ status, checks: {} });
    const endpoints = createHealthEndpoints({ version: "1", ready });
    const app = new Hono<AppEnv>();
    app.use(async (c, next) => {
      c.set("event", {});
      await next();
    });
    app.route(
      "/",
      mountEndpoints(endpoints, async () => ok(null), 1_000),
    );
    const response = await app.request("/ready");
    return [response.status, response.headers.get("retry-after")];
  };
  expect(await answer("not_ready")).toEqual([503, "2"]);
  expect(await answer("ready")).toEqual([200, null]);
});
