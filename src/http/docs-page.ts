import { html, raw } from "hono/html";
import { isJsonObject, type Json, type JsonObject } from "../core/json.ts";

const STYLE = `
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 60rem; margin: 0 auto; padding: 1.5rem; }
h2 { margin: 2.5rem 0 .5rem; border-bottom: 1px solid color-mix(in srgb, currentColor 25%, transparent); }
details { border: 1px solid color-mix(in srgb, currentColor 20%, transparent); border-radius: .5rem; margin: .5rem 0; }
summary { cursor: pointer; padding: .5rem .75rem; display: flex; gap: .75rem; flex-wrap: wrap; align-items: baseline; }
details > div { padding: 0 .75rem .75rem; }
code { font: .9rem ui-monospace, monospace; overflow-wrap: anywhere; }
.method { font-weight: 700; min-width: 4rem; }
.scope { margin-left: auto; opacity: .7; font-size: .85rem; }
pre { overflow-x: auto; padding: .75rem; border-radius: .5rem; background: color-mix(in srgb, currentColor 8%, transparent); }
table { border-collapse: collapse; } td { padding: .15rem 1rem .15rem 0; vertical-align: top; }
`;

/** The API's page: plain HTML made from the description, no script, nothing loaded from anywhere. */
export async function renderDocsPage(api: JsonObject): Promise<Response> {
  const operations = Object.entries(objectAt(api, "paths")).flatMap(([path, methods]) =>
    Object.entries(isJsonObject(methods) ? methods : {}).map(([method, operation]) => ({
      path,
      method: method.toUpperCase(),
      operation: isJsonObject(operation) ? operation : {},
    })),
  );
  const tags = [...new Set(operations.map(({ operation }) => tagOf(operation)))];
  const page = html`<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Orchestrix API</title>
<style>${raw(STYLE)}</style></head>
<body>
<h1>Orchestrix API</h1>
<p>Machines read <a href="/openapi.json">openapi.json</a>. A key travels as <code>Authorization: Bearer …</code> or
<code>X-API-Key: …</code>; failures are problem details (RFC 9457) with a <code>code</code>.</p>
${tags.map(
  (tag) => html`<h2>${tag}</h2>${operations.filter(({ operation }) => tagOf(operation) === tag).map(renderOperation)}`,
)}
<h2>Schemas</h2>
${Object.entries(objectAt(objectAt(api, "components"), "schemas")).map(
  ([name, schema]) =>
    html`<details id="${name}"><summary><code>${name}</code></summary><div>${code(schema)}</div></details>`,
)}
</body></html>`;
  return new Response(String(await page), {
    headers: {
      "Content-Type": "text/html; charset=utf-8",
      "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    },
  });
}

function renderOperation(entry: { path: string; method: string; operation: JsonObject }) {
  const { operation } = entry;
  const parameters = Array.isArray(operation.parameters) ? operation.parameters.filter(isJsonObject) : [];
  return html`<details>
<summary><span class="method">${entry.method}</span><code>${entry.path}</code> <span>${text(operation.summary)}</span>
<span class="scope">${text(operation["x-scope"] ?? "open")}</span></summary>
<div>
${operation.description === undefined ? "" : html`<p>${text(operation.description)}</p>`}
${parameters.length === 0 ? "" : html`<h4>Parameters</h4><table>${parameters.map(renderParameter)}</table>`}
${operation.requestBody === undefined ? "" : html`<h4>Body</h4>${code(schemaIn(operation.requestBody))}`}
<h4>Answers</h4><table>${Object.entries(objectAt(operation, "responses")).map(
    ([status, response]) =>
      html`<tr><td><code>${status}</code></td><td>${text(isJsonObject(response) ? response.description : "")}</td>
<td>${reference(schemaIn(response))}</td></tr>`,
  )}</table>
</div></details>`;
}

function renderParameter(parameter: JsonObject) {
  return html`<tr><td><code>${text(parameter.name)}</code></td><td>${text(parameter.in)}</td>
<td>${parameter.required === true ? "required" : ""}</td><td><code>${JSON.stringify(parameter.schema)}</code></td></tr>`;
}

function tagOf(operation: JsonObject): string {
  const tags = operation.tags;
  return Array.isArray(tags) ? text(tags[0]) : "";
}

/** The schema of the first content type of a body or an answer. */
function schemaIn(holder: Json | undefined): Json {
  const content = isJsonObject(holder) ? Object.values(objectAt(holder, "content"))[0] : undefined;
  return (isJsonObject(content) ? content.schema : undefined) ?? null;
}

function reference(schema: Json) {
  const ref = isJsonObject(schema) ? schema.$ref : undefined;
  if (typeof ref !== "string") return "";
  const name = ref.split("/").at(-1);
  return html`<a href="#${name}"><code>${name}</code></a>`;
}

function code(schema: Json) {
  return html`<pre><code>${JSON.stringify(schema, null, 2)}</code></pre>`;
}

function objectAt(value: JsonObject, name: string): JsonObject {
  const inner = value[name];
  return isJsonObject(inner) ? inner : {};
}

function text(value: Json | undefined): string {
  return typeof value === "string" ? value : "";
}
