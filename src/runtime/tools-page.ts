import { html } from "hono/html";
import * as z from "zod";
import { STEP_TIMEOUT_MS } from "../config/limits.ts";
import type { JsonObject } from "../core/json.ts";
import { htmlPage, jsonBlock, type Markup } from "../http/html-page.ts";
import { object } from "./config-schemas.ts";
import type { Registry } from "./registry.ts";
import type { ToolEffect } from "./tool.ts";
import { toolExamples } from "./tools-examples.ts";

const jsonSchema = z.record(z.string(), z.json());

/** What is told of a tool. Its schemas are JSON Schema 2020-12. */
export const toolDescription = z
  .object({
    name: z.string(),
    description: z.string(),
    effect: z.enum(["none", "read", "write"]),
    /** Of a config whose references are resolved. */
    config: jsonSchema,
    output: jsonSchema,
    example: jsonSchema.nullable(),
  })
  .meta({ id: "ToolDescription" });

export interface ToolDescription {
  readonly name: string;
  readonly description: string;
  readonly effect: ToolEffect;
  readonly config: JsonObject;
  readonly output: JsonObject;
  /** Null for a tool that has none. */
  readonly example: JsonObject | null;
}

export function describeTools(registry: Registry): readonly ToolDescription[] {
  return [...registry.values()].map((tool) => ({
    name: tool.name,
    description: tool.description,
    effect: tool.effect,
    config: describeSchema(tool.config, "input"),
    output: describeSchema(tool.output, "output"),
    example: toolExamples.get(tool.name) ?? null,
  }));
}

function describeSchema(schema: z.ZodType, io: "input" | "output"): JsonObject {
  const { $schema: _, ...described } = z.toJSONSchema(schema, {
    io,
    unrepresentable: "any",
    reused: "inline",
    // Its check is a function, of which a description knows nothing.
    override: ({ zodSchema, jsonSchema }) => {
      if (zodSchema === object) jsonSchema.type = "object";
    },
  });
  return JSON.parse(JSON.stringify(described)) as JsonObject;
}

const EFFECTS = {
  none: "computes",
  read: "looks outside",
  write: "changes something; in a dry run it tells what it would do",
} as const satisfies Record<ToolEffect, string>;

/** What expressions can call, as it is written, and what it gives. */
export interface CallableForm {
  readonly form: string;
  readonly does: string;
}

export function renderToolsPage(
  tools: readonly ToolDescription[],
  expressions: readonly CallableForm[],
): Promise<Response> {
  return htmlPage(
    "Orchestrix tools",
    html`<p>The steps that a graph is made of: <code>name</code> picks one of these, <code>config</code> sets it up.
A string of a config may hold references such as <code>{{input.email}}</code>; one that is a reference as a whole keeps
the type of its value, so that it may stand where a number or an object is asked for. <code>{{a.b?}}</code> is optional:
without a value, the property that holds it is left out, and inside a longer text it is empty. Null is a value: it stays
null, and inside a longer text it is the word <code>null</code>, with and without the question mark. In a URL, behind the
host, a reference is encoded as one segment of the path or one value of the query. Beside steps there are
<code>request</code> (<code>method</code>, <code>headers</code>, their names in any case, <code>query</code>),
<code>run</code> (<code>id</code>, <code>error</code>), <code>agent.id</code>, <code>owner.id</code> and
<code>secrets</code>.</p>
<p>Once its <code>timeoutMs</code> (at most, and by itself, ${STEP_TIMEOUT_MS}) are over, a step ends where it waits. Work
that computes without a wait, such as the hash of a password in dbInsert, is not broken off: it may take longer, and the
step is what it comes to, with all that it changes.</p>
<p>In a dry run steps that would change, send or call something are checked as far as that can be done beforehand, and say
what they would do. What a call that was not made would have answered is not known: steps that read it are skipped, with
a note in the trace, and a response has null in its place. A response whose <code>when</code> reads one may end the run:
the steps behind it are tried as if it did not, with a note. Calls that were not made are taken to go well.</p>
<p><code>{{secrets.NAME}}</code> is a secret of the owner: for what httpRequest and emailSend send, but for a URL's host,
and as the whole of a token's <code>secret</code> or passwordVerify's <code>hash</code>. Anywhere else it is refused.</p>
<p>Machines read <a href="/docs/tools.json">tools.json</a>; <a href="/docs">the API</a> has a page of its own.</p>
${tools.map(renderTool)}
${renderExpressions(expressions)}`,
  );
}

function renderExpressions(forms: readonly CallableForm[]): Markup {
  return html`<h2 id="expressions">Expressions</h2>
<p><code>when</code>, <code>transform</code> and a policy's rules are written in
CEL (cel.dev) over the names that references know. A step whose id holds a <code>-</code>, or is a word of CEL's, is
<code>steps["my-step"]</code>. A field that is missing is a fault: ask <code>has(a.b)</code> first, or write
<code>a.?b.orValue("")</code>; null is a value like any other. Numbers of JSON are doubles, numbers written without a
point ints, and an int divided by an int is an int: <code>7 / 2</code> is 3, <code>input.n / 2</code> is 3.5 where
<code>n</code> is 7, and <code>int(input.n) / 2</code> is 3 again. A function is written <code>name(a, b)</code> or
<code>a.name(b)</code>; one with a dot in its name, such as <code>url.encode</code>, only as it stands. There are no
secrets and no current time. Work and results are bounded, and so is the work of a whole run with all that it calls: rules,
<code>when</code>, <code>transform</code> and <code>inputValidation</code> share about a second of computing. A step beyond it
fails, and the run with it, whatever <code>onError</code> says; a rule beyond it refuses.</p>
<p>A policy's rules also read <code>tool.id</code>, <code>tool.name</code>, <code>caller.kind</code>, <code>caller.id</code>
and <code>config</code>: the step's, with references filled in, defaults added and secrets masked. They are asked before
each attempt of each step of their own agent that is not skipped, and not inside agents that callAgent runs.</p>
<table>${forms.map(({ form, does }) => html`<tr><td><code>${form}</code></td><td>${does}</td></tr>`)}</table>`;
}

function renderTool(tool: ToolDescription): Markup {
  return html`<h2 id="${tool.name}"><code>${tool.name}</code></h2>
<p>${tool.description}</p>
<p>Effect: ${EFFECTS[tool.effect]}.</p>
${tool.example === null ? "" : jsonBlock(tool.example)}
<details><summary>Config</summary><div>${jsonBlock(tool.config)}</div></details>
<details><summary>Output</summary><div>${jsonBlock(tool.output)}</div></details>`;
}
