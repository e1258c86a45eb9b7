import { html } from "hono/html";
import { isJsonObject, type Json, type JsonObject } from "../core/json.ts";
import { htmlPage, jsonBlock } from "./html-page.ts";

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
  const body = html`
<p>Machines read <a href="/openapi.json">openapi.json</a>. A key travels as <code>Authorization: Bearer …</code> or
<code>X-API-Key: …</code>; failures are problem details (RFC 9457) with a <code>code</code>. What graphs are made of:
<a href="/docs/tools">the tools</a>.</p>
${tags.map(
  (tag) => html`<h2>${tag}</h2>${operations.filter(({ operation }) => tagOf(operation) === tag).map(renderOperation)}`,
)}
<h2>Schemas</h2>
${Object.entries(objectAt(objectAt(api, "components"), "schemas")).map(
  ([name, schema]) =>
    html`<details id="${name}"><summary><code>${name}</code></summary><div>${jsonBlock(schema)}</div></details>`,
)}`;
  return htmlPage("Orchestrix API", body);
}

function renderOperation(entry: { path: string; method: string; operation: JsonObject }) {
  const { operation } = entry;
  const parameters = Array.isArray(operation.parameters) ? operation.parameters.filter(isJsonObject) : [];
  return html`<details>
<summary><span class="method">${entry.method}</span><code>${entry.path}</code> <span>${text(operation.summary)}</span>
<span class="scope">${text(operation["x-scope"] ?? (isOpen(operation) ? "open" : "any key"))}</span></summary>
<div>
${operation.description === undefined ? "" : html`<p>${text(operation.description)}</p>`}
${parameters.length === 0 ? "" : html`<h4>Parameters</h4><table>${parameters.map(renderParameter)}</table>`}
${operation.requestBody === undefined ? "" : html`<h4>Body</h4>${jsonBlock(schemaIn(operation.requestBody))}`}
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

/** One of the ways to be let in is to bring nothing. */
function isOpen({ security }: JsonObject): boolean {
  return Array.isArray(security) && security.some((way) => isJsonObject(way) && Object.keys(way).length === 0);
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

function objectAt(value: JsonObject, name: string): JsonObject {
  const inner = value[name];
  return isJsonObject(inner) ? inner : {};
}

function text(value: Json | undefined): string {
  return typeof value === "string" ? value : "";
}
