import { ownerParam, path, request } from "../api.js";
import { badge, empty, field, h, icon, openDialog, select } from "../dom.js";
import { ago, plural } from "../format.js";
import { fillFrom, pagedList, whileBusy } from "../problem.js";

const STATES = ["draft", "deploying", "deployed", "failed", "undeploying"];

export function serversView({ signal, go }) {
  const list = h("div", null);
  const filter = select("state", [["", "Every state"], ...STATES], { "aria-label": "State", onchange: refresh });
  const create = () => openDialog("New server", (close) => newServerForm(signal, close, go));
  function refresh() {
    const state = filter.value;
    list.replaceChildren(
      pagedList({
        tag: "ul",
        props: { class: "list" },
        signal,
        fetchPage: (cursor) => request("GET", "/mcp/servers", { signal, query: { ...ownerParam(), state, cursor } }),
        render: serverRow,
        whenEmpty: state
          ? empty(`No server is ${state}`, "Choose another state to see the others.")
          : empty("No servers yet", "Start from a template: it takes one click to deploy.", newButton()),
      }),
    );
  }
  function newButton() {
    return h("button", { type: "button", class: "primary", onclick: create }, icon("plus"), "New from template");
  }
  refresh();
  return [
    h("div", { class: "page-head" }, h("h1", null, "Servers"), h("div", { class: "row" }, filter, newButton())),
    list,
  ];
}

function serverRow(server) {
  const { state, target } = server.deployment;
  return h(
    "li",
    null,
    h(
      "a",
      { class: "server", href: `/dashboard${path("servers", server.serverId)}` },
      h(
        "span",
        { class: "grow" },
        h("span", { class: "strong" }, server.name),
        h("span", { class: "muted clip" }, server.description || "No description"),
      ),
      h(
        "span",
        { class: "facts" },
        h("code", null, server.serverId),
        h("span", null, plural(server.tools.length, "step")),
      ),
      h("span", { class: "facts" }, badge(state), h("span", null, target ? `${target} · ` : "", ago(server.updatedAt))),
    ),
  );
}

/** Choose a template, look at its definition or change it, create. */
function newServerForm(signal, close, go) {
  const form = h("div", null);
  const readAll = async () => {
    const { items } = await request("GET", "/mcp/templates", { signal });
    return Promise.all(items.map(({ template }) => request("GET", path("mcp", "templates", template), { signal })));
  };
  const done = (serverId) => {
    close();
    go(`/dashboard${path("servers", serverId)}`);
  };
  fillFrom(form, signal, readAll, (templates) => createForm(templates, signal, done));
  return form;
}

function createForm(templates, signal, done) {
  const name = h("input", { name: "name", required: true, maxlength: 200 });
  const serverId = h("input", {
    name: "serverId",
    placeholder: "made for you",
    spellcheck: "false",
    autocomplete: "off",
  });
  const access = select("access", [
    ["public", "Public: anybody may call it"],
    ["key", "Key: callers need a key of its owner"],
  ]);
  const definition = h("textarea", { name: "definition", rows: 12, spellcheck: "false", class: "mono" });
  const slot = h("div", null);
  const button = h("button", { class: "primary" }, "Create server");
  const choose = (template) => {
    name.value = template.name;
    definition.value = JSON.stringify(template, null, 2);
    definition.setCustomValidity("");
  };
  const submit = (event) => {
    event.preventDefault();
    whileBusy(button, slot, async () => {
      const graph = parseDefinition(definition);
      if (graph === null) return;
      const given = serverId.value.trim() ? { serverId: serverId.value.trim() } : {};
      const body = { ...graph, ...given, ...ownerParam(), name: name.value, access: access.value };
      const server = await request("POST", "/mcp/servers", { body, signal });
      done(server.serverId);
    });
  };
  if (templates.length > 0) choose(templates[0]);
  return h(
    "form",
    { onsubmit: submit },
    h("fieldset", null, h("legend", null, "Template"), templates.map(templateChoice(choose))),
    field("Name", name),
    h("div", { class: "two" }, field("Server id (optional)", serverId), field("Who may call it", access)),
    h("details", null, h("summary", null, "Definition"), field("Graph as JSON", definition, "Change it as you like.")),
    slot,
    h("div", { class: "row end" }, button),
  );
}

function templateChoice(choose) {
  return (template, i) =>
    h(
      "label",
      { class: "choice" },
      h("input", { type: "radio", name: "template", checked: i === 0, onchange: () => choose(template) }),
      h(
        "span",
        null,
        h("span", { class: "strong" }, template.name),
        h("span", { class: "muted" }, template.description),
        h("span", { class: "muted mono" }, template.executionOrder.flat().join(" → ")),
      ),
    );
}

/** Null, with the fault told at the control, where it is no JSON. */
function parseDefinition(control) {
  control.setCustomValidity("");
  try {
    return JSON.parse(control.value);
  } catch (error) {
    control.closest("details").open = true;
    control.setCustomValidity(`Not JSON: ${error.message}`);
    control.addEventListener("input", () => control.setCustomValidity(""), { once: true });
    control.reportValidity();
    return null;
  }
}
