import { expect, test } from "vitest";
import { createTestApp } from "../../support/app.ts";

test("the dashboard's page is served for each of its views, and may load nothing from elsewhere", async () => {
  const app = createTestApp();
  for (const path of ["/dashboard", "/dashboard/", "/dashboard/agents/agent_01h00000000000000000000000"]) {
    const page = await app.call("GET", path, { key: null });
    expect([path, page.status]).toEqual([path, 200]);
    expect(page.headers.get("content-type")).toContain("text/html");
    expect(page.headers.get("content-security-policy")).toContain("script-src 'self'");
    expect(page.headers.get("x-content-type-options")).toBe("nosniff");
  }
});

test("every file that the page names is there, with its type", async () => {
  const app = createTestApp();
  const { text } = await app.call("GET", "/dashboard", { key: null });
  const files = [...text.matchAll(/(?:src|href)="(\/dashboard\/[^"]+\.\w+)"/g)].map((match) => match[1] ?? "");
  expect(files.length).toBeGreaterThan(1);
  for (const file of files) {
    const { status, headers } = await app.call("GET", file, { key: null });
    expect([file, status]).toEqual([file, 200]);
    expect(headers.get("content-type")).toMatch(/javascript|css|svg/);
  }
});

test("a file that is not there is a problem, and nothing outside the dashboard's folder is served", async () => {
  const app = createTestApp();
  for (const path of ["/dashboard/no-such.js", "/dashboard/..%2f..%2fwrangler.toml", "/index.html", "/app.js"]) {
    const answer = await app.call("GET", path, { key: null });
    expect([path, answer.status, answer.body?.code]).toEqual([path, 404, "NOT_FOUND"]);
  }
});

test("the API's page shows every operation and carries its own style", async () => {
  const app = createTestApp();
  const { body: api } = await app.call("GET", "/openapi.json", { key: null });
  const page = await app.call("GET", "/docs", { key: null });
  expect(page.headers.get("content-security-policy")).toContain("style-src 'unsafe-inline'");
  for (const path of Object.keys(api.paths)) expect(page.text).toContain(`<code>${path}</code>`);
});

test("the description is OpenAPI 3.1 whose references all lead somewhere", async () => {
  const { text, body: api } = await createTestApp().call("GET", "/openapi.json", { key: null });
  expect(api.openapi).toBe("3.1.0");
  const references = new Set([...text.matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g)].map((match) => match[1]));
  expect(references.size).toBeGreaterThan(5);
  for (const name of references) expect(Object.keys(api.components.schemas)).toContain(name);
  const ids = Object.values(api.paths as Record<string, Record<string, { operationId: string }>>).flatMap((methods) =>
    Object.values(methods).map((operation) => operation.operationId),
  );
  expect(new Set(ids).size).toBe(ids.length);
});

test("the description says what is needed and what comes back, as the routes do it", async () => {
  const { body: api } = await createTestApp().call("GET", "/openapi.json", { key: null });
  const operation = (method: string, path: string) => api.paths[path][method];
  const typesOf = (described: { content: object }) => Object.keys(described.content).sort();
  const KEY = [{ bearer: [] }, { apiKey: [] }];
  expect(operation("post", "/mcp").security).toEqual(KEY);
  expect(operation("post", "/agents/{agentId}/mcp").security).toEqual([{}, ...KEY]);
  expect(operation("get", "/health").security).toEqual([{}]);
  const deploy = "/mcp/servers/{serverId}/deploy";
  const bodies = ["post", "put", "delete"].map((method) => operation(method, deploy).requestBody.required);
  expect(bodies).toEqual([true, false, false]);
  expect(operation("post", "/agents/{agentId}").requestBody.required).toBe(false);
  expect(typesOf(operation("patch", "/mcp/servers/{serverId}").requestBody)).toEqual([
    "application/json",
    "application/merge-patch+json",
  ]);
  for (const path of ["/agents/{agentId}/runs", "/mcp/servers/{serverId}/logs"]) {
    expect(typesOf(operation("get", path).responses[200])).toEqual(["application/json", "text/event-stream"]);
  }
  const { responses } = operation("post", "/agents/{agentId}");
  expect([responses[200], responses.default].map(typesOf)).toEqual([["*/*"], ["*/*"]]);
  expect(typesOf(responses[409])).toEqual(["*/*", "application/problem+json"]);
  const parameters = (path: string) =>
    Object.fromEntries(
      operation("get", path).parameters.map((p: { name: string; schema: object }) => [p.name, p.schema]),
    );
  expect(parameters("/mcp/servers").limit).toMatchObject({ type: "integer", minimum: 1, maximum: 100 });
  expect(parameters("/mcp/servers").limit).not.toHaveProperty("pattern");
  expect(parameters("/search").maxResults).toMatchObject({ type: "integer", minimum: 1, maximum: 20 });
  expect(parameters("/search").includeDomains.description).toContain("separated by commas");
});

test("the API's page tells open routes from those that take any key", async () => {
  const { text } = await createTestApp().call("GET", "/docs", { key: null });
  const scopeOf = (path: string) =>
    new RegExp(`<code>${path}</code>[^]*?<span class="scope">([^<]*)</span>`).exec(text)?.[1];
  expect([scopeOf("/mcp"), scopeOf("/health"), scopeOf("/search")]).toEqual(["any key", "open", "search"]);
});
