import { currentSession, ownerParam, path, request } from "../api.js";
import { badge, card, copyButton, empty, field, h, openDialog, select } from "../dom.js";
import { ago } from "../format.js";
import { pagedList, whileBusy } from "../problem.js";
import { openRemoval } from "../removal-dialog.js";

const SCOPES = {
  "servers:read": "see servers, logs and runs",
  "servers:write": "create and change servers, revoke keys",
  deploy: "deploy servers",
  search: "search and fill the index",
  "agents:run": "call agents that ask for a key",
  admin: "everything, for every owner",
};
const DEFAULT_SCOPES = ["servers:read", "servers:write", "deploy", "search", "agents:run"];
const LIFETIMES = [
  ["", "Never"],
  ["30", "In 30 days"],
  ["90", "In 90 days"],
  ["365", "In a year"],
];
const DAY_MS = 86_400_000;

export function keysView({ signal }) {
  const list = h("div", null);
  const refresh = () =>
    list.replaceChildren(
      pagedList({
        tag: "ul",
        props: { class: "list" },
        signal,
        fetchPage: (cursor) => request("GET", "/keys", { signal, query: { ...ownerParam(), cursor } }),
        render: (key) => keyRow(key, signal, refresh),
        whenEmpty: empty("No keys yet", "Make one for each program that calls the API."),
      }),
    );
  refresh();
  return [
    h("div", { class: "page-head" }, h("h1", null, "Keys")),
    h(
      "div",
      { class: "columns" },
      list,
      currentSession().admin
        ? card("New key", null, newKeyForm(signal, refresh))
        : card(
            "New key",
            null,
            h("p", { class: "muted" }, "New keys are made with an admin key. Sign in with one to see the form."),
          ),
    ),
  ];
}

function stateOf({ revokedAt, expiresAt }) {
  if (revokedAt !== null) return ["revoked", "revoked ", ago(revokedAt)];
  if (expiresAt === null) return ["active", "never expires"];
  const isOver = Date.parse(expiresAt) <= Date.now();
  return [isOver ? "expired" : "active", isOver ? "expired " : "expires ", ago(expiresAt)];
}

function keyRow(key, signal, refresh) {
  const [state, ...when] = stateOf(key);
  return h(
    "li",
    { class: "key" },
    h(
      "div",
      { class: "grow" },
      h("p", { class: "row" }, h("span", { class: "strong" }, key.name), badge(state)),
      h("p", { class: "muted" }, key.ownerId, " · made ", ago(key.createdAt), " · ", when),
      h(
        "p",
        { class: "row chips" },
        key.scopes.map((scope) => h("code", null, scope)),
      ),
      h("p", { class: "fine muted" }, h("code", null, key.id)),
    ),
    state === "active"
      ? h(
          "button",
          {
            type: "button",
            class: "small danger",
            "aria-label": `Revoke ${key.name}`,
            onclick: () => revokeDialog(key, signal, refresh),
          },
          "Revoke",
        )
      : null,
  );
}

function revokeDialog(key, signal, refresh) {
  const removal = {
    title: `Revoke ${key.name}?`,
    warning: "Whatever uses it stops working within 30 seconds. This can't be undone.",
    action: "Revoke key",
    url: path("keys", key.id),
    told: "The key is revoked",
  };
  openRemoval(removal, signal, refresh);
}

function newKeyForm(signal, refresh) {
  const slot = h("div", null);
  const button = h("button", { class: "primary" }, "Make key");
  const submit = (event) => {
    event.preventDefault();
    const form = event.currentTarget;
    whileBusy(button, slot, async () => {
      const made = await request("POST", "/keys", { body: keyBody(new FormData(form)), signal });
      form.reset();
      showOnce(made);
      refresh();
    });
  };
  return h(
    "form",
    { onsubmit: submit },
    field("Name", h("input", { name: "name", required: true, maxlength: 200, placeholder: "ci, laptop, billing…" })),
    field(
      "Owner",
      h("input", { name: "ownerId", required: true, maxlength: 128, value: currentSession().owner ?? "" }),
    ),
    h(
      "fieldset",
      null,
      h("legend", null, "Scopes"),
      Object.entries(SCOPES).map(([scope, may]) =>
        h(
          "label",
          { class: "check" },
          h("input", { type: "checkbox", name: "scopes", value: scope, checked: DEFAULT_SCOPES.includes(scope) }),
          h("span", null, h("code", null, scope), h("span", { class: "muted" }, ` ${may}`)),
        ),
      ),
    ),
    field("Expires", select("days", LIFETIMES)),
    h(
      "details",
      null,
      h("summary", null, "Limits of its own"),
      h("p", { class: "hint" }, "Left empty, the deployment's limits hold."),
      h(
        "div",
        { class: "options" },
        field("Per second", limitInput("burst")),
        field("Per minute", limitInput("perMinute")),
        field("Per hour", limitInput("perHour")),
      ),
    ),
    slot,
    button,
  );
}

function limitInput(name) {
  return h("input", { name, type: "number", min: 1, max: 100_000_000 });
}

function keyBody(form) {
  const limits = ["burst", "perMinute", "perHour"].flatMap((name) =>
    form.get(name) ? [[name, Number(form.get(name))]] : [],
  );
  const days = Number(form.get("days"));
  return {
    ownerId: form.get("ownerId"),
    name: form.get("name"),
    scopes: form.getAll("scopes"),
    expiresAt: days > 0 ? new Date(Date.now() + days * DAY_MS).toISOString() : null,
    ...(limits.length > 0 ? { limits: Object.fromEntries(limits) } : {}),
  };
}

function showOnce({ key, name }) {
  openDialog("Copy this key now", (close) => [
    h("p", null, `It is the only time that the key of “${name}” is shown. Only a hash of it is stored.`),
    h("pre", { tabindex: 0 }, key),
    h(
      "div",
      { class: "row end" },
      copyButton("Copy key", () => key),
      h("button", { type: "button", class: "primary small", onclick: close }, "Done"),
    ),
  ]);
}
