import { callAgent, path } from "./api.js";
import { announce, badge, copyButton, field, h, json, select } from "./dom.js";
import { ms } from "./format.js";
import { whileBusy } from "./problem.js";
import { table } from "./tables.js";

/** A form made from the graph's `inputSchema`, the call as curl, and what the endpoint answers. */
export function tryIt(server, onAnswer) {
  const endpoint = callableEndpoint(server);
  const needsKey = server.access === "key";
  const fields = fieldsOf(server.inputSchema);
  const raw = h("textarea", { rows: 8, class: "mono", spellcheck: "false" });
  let asJson = fields === null;
  raw.value = JSON.stringify(sampleOf(server.inputSchema), null, 2);
  const inputs = h("div", null);
  const curl = h("pre", { tabindex: 0 });
  const slot = h("div", null);
  const answer = h("div", null);
  const send = h("button", { class: "primary" }, "Send request");
  const toggle = h("button", { type: "button", class: "small", onclick: switchMode });

  const bodyText = () => (asJson ? raw.value : JSON.stringify(bodyOf(fields)));
  const writeCurl = () => curlOf(server.archestraEndpoint, bodyText(), needsKey);
  const update = () => {
    curl.textContent = writeCurl();
  };
  function switchMode() {
    if (!asJson) raw.value = JSON.stringify(bodyOf(fields), null, 2);
    asJson = !asJson;
    paint();
  }
  function paint() {
    toggle.textContent = asJson ? "Fill in a form" : "Write JSON";
    inputs.replaceChildren(...(asJson ? [field("Body as JSON", raw)] : fields.map((f) => f.element)));
    update();
  }
  function submit(event) {
    event.preventDefault();
    whileBusy(send, slot, async () => {
      const result = await callAgent(endpoint, bodyText(), needsKey);
      answer.replaceChildren(...answerParts(result, server.archestraAgentId));
      announce(`Answered ${result.status} in ${ms(result.tookMs)}`);
      onAnswer();
    });
  }
  paint();
  return h(
    "form",
    { novalidate: true, oninput: update, onsubmit: submit },
    inputs,
    h("div", { class: "row" }, endpoint ? send : null, fields ? toggle : null),
    needsKey ? h("p", { class: "hint" }, "This agent asks for a key: your own is sent with the call.") : null,
    endpoint ? null : h("p", { class: "hint" }, "This agent lives at another address; call it from a terminal."),
    slot,
    answer,
    h("details", null, h("summary", null, "The same with curl"), curl, copyButton("Copy curl", writeCurl)),
  );
}

/** This page may call its own origin alone. An agent of the edge lives there, whatever address it is published under. */
function callableEndpoint({ archestraEndpoint, deployment }) {
  const url = URL.parse(archestraEndpoint);
  if (url === null) return null;
  if (url.origin === location.origin) return url.href;
  return deployment.target === "edge" ? new URL(url.pathname, location.origin).href : null;
}

/** Null where the schema is not a plain object's: then only JSON will do. */
function fieldsOf(schema) {
  const properties = Object.entries(schema?.properties ?? {});
  if (properties.length === 0) return null;
  const required = new Set(Array.isArray(schema.required) ? schema.required : []);
  return properties.map(([name, spec]) => propertyField(name, spec ?? {}, required.has(name)));
}

/** `{ name, element, read }`; `read` gives undefined for what is left out. Faults are the endpoint's to find. */
function propertyField(name, spec, isRequired) {
  const control = controlFor(name, spec);
  const label = isRequired ? `${name} (required)` : name;
  const hint = [spec.description, describe(spec)].filter(Boolean).join(" · ");
  return { name, element: field(label, control, hint), read: () => readControl(control.value, spec) };
}

function controlFor(name, spec) {
  const common = { name, autocomplete: "off" };
  if (Array.isArray(spec.enum))
    return select(name, [["", "—"], ...spec.enum.map((v) => [JSON.stringify(v), String(v)])]);
  if (spec.type === "boolean") return select(name, [["", "—"], "true", "false"]);
  if (spec.type === "string") {
    const secret = name.toLowerCase().includes("password") || spec.writeOnly === true;
    const type = secret ? "password" : spec.format === "email" ? "email" : "text";
    return h("input", { ...common, type, autocomplete: secret ? "new-password" : "off", spellcheck: "false" });
  }
  if (spec.type === "integer" || spec.type === "number") return h("input", { ...common, inputmode: "decimal" });
  return h("textarea", { ...common, rows: 3, class: "mono", placeholder: "JSON" });
}

function describe({ type, format, minLength, maxLength, minimum, maximum }) {
  const range = (low, high, unit) => {
    if (low === undefined && high === undefined) return "";
    if (low === undefined) return `at most ${high}${unit}`;
    return high === undefined ? `at least ${low}${unit}` : `${low} to ${high}${unit}`;
  };
  const kind = format ?? (typeof type === "string" ? type : "JSON");
  return [kind, range(minLength, maxLength, " characters"), range(minimum, maximum, "")].filter(Boolean).join(", ");
}

/** What does not read as its type goes out as the text it is, so that the endpoint's own refusal can be seen. */
function readControl(text, spec) {
  if (text === "") return undefined;
  if (spec.type === "string" && !Array.isArray(spec.enum)) return text;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function bodyOf(fields) {
  return Object.fromEntries(fields.map(({ name, read }) => [name, read()]).filter(([, value]) => value !== undefined));
}

const SAMPLES = { string: "", integer: 0, number: 0, boolean: false, array: [], object: {} };

/** An input of this schema with what it requires, and nothing in it. */
export function sampleOf(schema) {
  const names = Array.isArray(schema?.required) ? schema.required : [];
  return Object.fromEntries(names.map((name) => [name, SAMPLES[schema.properties?.[name]?.type] ?? null]));
}

/** For a POSIX shell. The key is named, never written out. */
function curlOf(endpoint, body, needsKey) {
  const quote = (text) => `'${text.replaceAll("'", `'\\''`)}'`;
  return [
    `curl -i ${quote(endpoint)}`,
    `-H 'Content-Type: application/json'`,
    ...(needsKey ? [`-H "X-API-Key: $ORCHESTRIX_KEY"`] : []),
    `-d ${quote(body)}`,
  ].join(" \\\n  ");
}

function answerParts({ status, statusText, headers, runId, text, tookMs }, agentId) {
  const kind = status < 400 ? "ok" : status < 500 ? "refused" : "failed";
  return [
    h(
      "div",
      { class: "row answer" },
      badge(kind, `${status} ${statusText}`.trim()),
      h("span", { class: "muted" }, ms(tookMs)),
      runId ? h("a", { href: `/dashboard${path("agents", agentId, "runs", runId)}` }, "See the run's trace") : null,
    ),
    json(pretty(text) || "(empty body)"),
    h("details", null, h("summary", null, `Headers (${headers.length})`), table(["Name", "Value"], headers)),
  ];
}

function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
