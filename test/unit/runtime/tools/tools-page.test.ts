import { Hono } from "hono";
import { expect, test } from "vitest";
import * as z from "zod";
import type { JsonObject } from "../../../../src/core/json.ts";
import { ok } from "../../../../src/core/result.ts";
import type { AppEnv } from "../../../../src/http/context.ts";
import { mountEndpoints } from "../../../../src/http/endpoint.ts";
import { planConfig } from "../../../../src/runtime/graph/step-config.ts";
import { type Registry, toolRegistry } from "../../../../src/runtime/registry.ts";
import type { Tool } from "../../../../src/runtime/tool.ts";
import { jwtVerifyTool } from "../../../../src/runtime/tools/jwt-verify.ts";
import { toolExamples } from "../../../../src/runtime/tools-examples.ts";
import { describeTools, toolDescription } from "../../../../src/runtime/tools-page.ts";
import { createToolsEndpoints } from "../../../../src/runtime/tools-routes.ts";

const BODY_LIMIT_BYTES = 1_024;

const tools = [...toolRegistry.values()];
const described = (registry: Registry = toolRegistry) =>
  new Map(describeTools(registry).map((description) => [description.name, description]));

test.each(tools)("$name has an example that its own checks let pass", (tool) => {
  const example = toolExamples.get(tool.name);
  expect(example).toBeDefined();
  expect(planConfig(example ?? {}, tool).faults).toEqual([]);
});

test.each(tools)("$name goes by settings that are JSON, as the policy's rules read them", (tool) => {
  const example = JSON.stringify(toolExamples.get(tool.name));
  const resolved = example.replaceAll(/\{\{[^}]+\}\}/g, "somebody.with.a.long.name@example.com");
  const bound = tool.bind(JSON.parse(resolved) as JsonObject);
  if (!bound.ok) throw new Error(JSON.stringify(bound.error));
  expect(JSON.parse(JSON.stringify(bound.value.settings))).toStrictEqual(bound.value.settings);
});

test.each(tools)("$name is described by JSON Schemas that say what it takes", (tool) => {
  expect(described().get(tool.name)).toEqual({
    name: tool.name,
    description: expect.stringMatching(/^[A-Z].{20,}\.$/),
    effect: tool.effect,
    config: expect.any(Object),
    output: expect.any(Object),
    example: expect.any(Object),
  });
  expect(JSON.stringify(described().get(tool.name)?.config)).toContain('"type":"object"');
});

test("settings, defaults and needs are in the schema", () => {
  expect(described().get("dbFind")?.config).toMatchObject({
    required: ["collection", "filter"],
    additionalProperties: false,
    properties: { filter: { type: "object" }, limit: { default: 20, maximum: 100 } },
  });
  expect(described().get("jwtGenerate")?.config).toMatchObject({ properties: { expiresIn: { default: "1h" } } });
  expect(described().get("dbInsert")?.effect).toBe("write");
});

function serve(path: string, registry: Registry = toolRegistry): Promise<Response> {
  const app = new Hono<AppEnv>();
  app.use(async (c, next) => {
    c.set("event", {});
    await next();
  });
  app.route(
    "/",
    mountEndpoints(createToolsEndpoints(registry), async () => ok(null), BODY_LIMIT_BYTES),
  );
  return Promise.resolve(app.request(path));
}

test("machines get every tool as JSON", async () => {
  const response = await serve("/docs/tools.json");
  expect(response.status).toBe(200);
  const body = z.object({ tools: z.array(toolDescription) }).parse(await response.json());
  expect(body.tools.map(({ name }) => name)).toEqual([...toolRegistry.keys()]);
});

test("people get a page with every tool, which runs no script and loads nothing", async () => {
  const response = await serve("/docs/tools");
  expect(response.headers.get("content-type")).toBe("text/html; charset=utf-8");
  expect(response.headers.get("content-security-policy")).toBe(
    "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
  );
  const page = await response.text();
  for (const name of toolRegistry.keys()) expect(page).toContain(`<h2 id="${name}"><code>${name}</code></h2>`);
  expect(page).not.toMatch(/<script|src=|href="http/);
});

test("the page says by itself how expressions compute and what they can call", async () => {
  const page = await (await serve("/docs/tools")).text();
  const [, section = ""] = page.split('<h2 id="expressions">');
  for (const part of ["7 / 2", "has(a.b)", "url.encode(text)", "base64.decode(text)"]) expect(section).toContain(part);
  expect(page).toContain("a reference is encoded as one segment");
});

test("the page says what surprises: of null, of what is left out, of time, of an agent's policy", async () => {
  const page = (await (await serve("/docs/tools")).text()).replaceAll(/\s+/g, " ");
  expect(page).toContain("inside a longer text it is the word <code>null</code>");
  expect(page).toContain("under the policy of the agent that is called, not of the one that calls");
  expect(page).toContain("An optional reference to nothing takes with it what holds it");
  expect(page).toContain(
    "Work that computes without a wait, such as the hash of a password in dbInsert, is not broken off",
  );
});

test("what a tool says of itself is text on the page, not markup", async () => {
  const tool: Tool = { ...jwtVerifyTool, name: "<img src=x>", description: 'a <b>bold</b> & "quoted" word' };
  const page = await (await serve("/docs/tools", new Map([[tool.name, tool]]))).text();
  expect(page).toContain("&lt;b&gt;bold&lt;/b&gt; &amp; &quot;quoted&quot;");
  expect(page).not.toMatch(/<img|<b>/);
});

test("a tool without an example is described without one", () => {
  const tool: Tool = { ...jwtVerifyTool, name: "newTool" };
  expect(described(new Map([[tool.name, tool]])).get("newTool")).toMatchObject({ example: null });
});
