import { currentSession, onRefusedKey, readiness, setSession } from "./api.js";
import { badge, h, logo, openDialog } from "./dom.js";
import { ms } from "./format.js";
import { table } from "./tables.js";
import { agentView } from "./views/agent.js";
import { keysView } from "./views/keys.js";
import { searchView } from "./views/search.js";
import { secretsView } from "./views/secrets.js";
import { serverView } from "./views/server.js";
import { serversView } from "./views/servers.js";
import { signInView } from "./views/sign-in.js";

const ROUTES = [
  { pattern: /^\/dashboard\/?$/, view: serversView, nav: "/dashboard" },
  { pattern: /^\/dashboard\/servers\/([^/]+)$/, view: serverView, nav: "/dashboard" },
  { pattern: /^\/dashboard\/agents\/([^/]+)(?:\/runs\/([^/]+))?$/, view: agentView },
  { pattern: /^\/dashboard\/search$/, view: searchView, nav: "/dashboard/search" },
  { pattern: /^\/dashboard\/secrets$/, view: secretsView, nav: "/dashboard/secrets" },
  { pattern: /^\/dashboard\/keys$/, view: keysView, nav: "/dashboard/keys" },
];
const NAV = [
  ["/dashboard", "Servers"],
  ["/dashboard/search", "Search"],
  ["/dashboard/secrets", "Secrets"],
  ["/dashboard/keys", "Keys"],
];

const main = document.getElementById("main");
let leave = new AbortController();

/** Goes to a page of the dashboard. */
function go(address) {
  history.pushState(null, "", address);
  show();
}

/** Draws the page that the address names. `notice` is told at sign-in. */
function show(notice) {
  leave.abort();
  leave = new AbortController();
  const page = currentSession() === null ? { view: signInView, parts: [notice] } : match(location.pathname);
  renderTop(page.nav);
  const context = { signal: leave.signal, go, show, settle };
  main.replaceChildren(...[page.view(context, ...page.parts)].flat());
  main.focus();
  scrollTo(0, 0);
  settle();
}

/** Titles the page by its heading and takes the focus there. A view whose heading comes later calls it again. */
function settle() {
  const heading = main.querySelector("h1");
  document.title = heading ? `${heading.textContent} · Orchestrix` : "Orchestrix";
  heading?.setAttribute("tabindex", "-1");
  if (document.activeElement === main) (main.querySelector("[autofocus]") ?? heading ?? main).focus();
}

function match(pathname) {
  for (const route of ROUTES) {
    const parts = route.pattern.exec(pathname)?.slice(1);
    if (parts) return { ...route, parts: parts.map((part) => part && decode(part)) };
  }
  return { view: missingView, parts: [] };
}

function decode(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

function missingView() {
  return [h("h1", null, "There is no such page"), h("p", null, h("a", { href: "/dashboard" }, "Back to the servers"))];
}

function renderTop(active) {
  const session = currentSession();
  const top = document.getElementById("top");
  const brand = h("a", { class: "brand", href: "/dashboard" }, logo(), "Orchestrix");
  if (session === null) {
    top.replaceChildren(brand);
    return;
  }
  top.replaceChildren(
    brand,
    h(
      "nav",
      { "aria-label": "Main" },
      NAV.map(([href, text]) => h("a", { href, "aria-current": href === active ? "page" : null }, text)),
    ),
    h(
      "span",
      { class: "who", title: "Whose things are shown" },
      session.admin ? `${session.owner} · admin` : "owner key",
    ),
    h("button", { type: "button", class: "quiet", onclick: signOut }, "Sign out"),
  );
}

function signOut() {
  setSession(null);
  history.replaceState(null, "", "/dashboard");
  show("You are signed out.");
}

/** The foot of every page: is the system ready, and where the API is described. */
async function renderBottom() {
  const dot = h("button", { type: "button", class: "quiet health" }, "Checking…");
  document.getElementById("bottom").replaceChildren(dot, h("a", { href: "/docs" }, "API reference"));
  try {
    const report = await readiness();
    dot.textContent = report.status === "ready" ? "All systems ready" : "Not ready";
    dot.classList.add(report.status === "ready" ? "ok" : "failed");
    dot.addEventListener("click", () => openDialog("System", () => readinessTable(report)));
  } catch {
    dot.textContent = "Health unknown";
  }
}

function readinessTable({ checks }) {
  return table(
    ["Part", "State", "Answered in"],
    Object.entries(checks).map(([name, { status, latencyMs }]) => [
      name,
      badge(status, status.replace("_", " ")),
      status === "ok" ? ms(latencyMs) : "—",
    ]),
  );
}

/** Links inside the dashboard change the page without loading it again. */
document.addEventListener("click", (event) => {
  const link = event.target instanceof Element ? event.target.closest("a[href^='/dashboard']") : null;
  if (!link || link.target || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey) return;
  event.preventDefault();
  document.querySelector("dialog[open]")?.close();
  go(link.getAttribute("href"));
});
addEventListener("popstate", () => show());
onRefusedKey(() => {
  setSession(null);
  show("The API no longer takes this key: it is expired, revoked or unknown.");
});

renderBottom();
show();
