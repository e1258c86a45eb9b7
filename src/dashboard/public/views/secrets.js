import { ownerParam, path, request } from "../api.js";
import { announce, card, copyButton, empty, field, h } from "../dom.js";
import { ago } from "../format.js";
import { pagedList, whileBusy } from "../problem.js";
import { openRemoval } from "../removal-dialog.js";

/** As the API asks for it; the API has the last word. */
const NAME_PATTERN = "[A-Za-z_][A-Za-z0-9_]{0,63}";
const VALUE_MIN_CHARS = 8;
const NAME_HINT = "Letters, digits and _, beginning with a letter or _.";

/** An owner's secrets by name. A value goes in and never comes out again. */
export function secretsView({ signal }) {
  const list = h("div", null);
  const form = secretForm(signal, refresh);
  function refresh() {
    list.replaceChildren(
      pagedList({
        tag: "ul",
        props: { class: "list" },
        signal,
        fetchPage: (cursor) => request("GET", "/secrets", { signal, query: { ...ownerParam(), cursor } }),
        render: (secret) =>
          secretRow(
            secret,
            () => form.replace(secret.name),
            () => deleteDialog(secret, signal, refresh),
          ),
        whenEmpty: empty("No secrets yet", "Keep API keys here, so that no graph holds one."),
      }),
    );
  }
  refresh();
  return [
    h("div", { class: "page-head" }, h("h1", null, "Secrets")),
    h(
      "p",
      { class: "lead" },
      "Graphs use a secret as ",
      h("code", null, "{{secrets.NAME}}"),
      ". It is stored encrypted, and masked wherever it would show.",
    ),
    h("div", { class: "columns secrets" }, list, card("Set a secret", null, form.element)),
  ];
}

function secretRow({ name, version, createdAt, updatedAt }, replace, remove) {
  const when = version === 1 ? ["set ", ago(createdAt)] : [`version ${version}, set `, ago(updatedAt)];
  const labelled = (text, props) =>
    h("button", { type: "button", class: "small", "aria-label": `${text} ${name}`, ...props }, text);
  return h(
    "li",
    { class: "key" },
    h("div", { class: "grow" }, h("p", { class: "strong mono" }, name), h("p", { class: "muted" }, when)),
    h(
      "div",
      { class: "row" },
      copyButton("Copy reference", () => `{{secrets.${name}}}`, { "aria-label": `Copy reference to ${name}` }),
      labelled("Replace", { onclick: replace }),
      labelled("Delete", { class: "small danger", onclick: remove }),
    ),
  );
}

function secretForm(signal, refresh) {
  const name = h("input", {
    name: "secret-name",
    required: true,
    pattern: NAME_PATTERN,
    title: NAME_HINT,
    autocomplete: "off",
    spellcheck: "false",
    autocapitalize: "off",
    class: "mono",
  });
  const value = h("input", {
    name: "secret-value",
    type: "password",
    required: true,
    minlength: VALUE_MIN_CHARS,
    autocomplete: "off",
    spellcheck: "false",
  });
  const slot = h("div", null);
  const button = h("button", { class: "primary" }, "Store secret");
  const submit = (event) => {
    event.preventDefault();
    whileBusy(button, slot, async () => {
      const body = { value: value.value, ...ownerParam() };
      const { version } = await request("PUT", path("secrets", name.value), { body, signal });
      announce(version === 1 ? `${name.value} is stored` : `${name.value} has a new value`);
      element.reset();
      name.focus();
      refresh();
    });
  };
  const element = h(
    "form",
    { onsubmit: submit, autocomplete: "off" },
    field("Name", name, `${NAME_HINT} A name that is there already gets a new value.`),
    field(
      "Value",
      value,
      `At least ${VALUE_MIN_CHARS} characters. Never shown again. Values with line breaks go by the API.`,
    ),
    slot,
    button,
  );
  return {
    element,
    replace(given) {
      name.value = given;
      value.value = "";
      value.focus();
    },
  };
}

function deleteDialog({ name }, signal, refresh) {
  const removal = {
    title: `Delete ${name}?`,
    warning: "Runs that need it fail from then on. This can't be undone.",
    action: "Delete secret",
    url: path("secrets", name),
    told: `${name} is deleted`,
  };
  openRemoval(removal, signal, refresh);
}
