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
