import { ignoreUnlessBug, path, request } from "../api.js";
import { deploymentBanner, paintDeployButton, showDeployed } from "../deployment.js";
import { deploymentActions } from "../deployment-actions.js";
import { announce, badge, card, empty, h } from "../dom.js";
import { executionLog } from "../execution-log.js";
import { ago, ms } from "../format.js";
import { drawGraph } from "../graph.js";
import { policyFacts } from "../policy.js";
import { fillFrom, whileBusy } from "../problem.js";
import { testRun } from "../test-run.js";
import { tryIt } from "../try-it.js";

/** While a deploy goes on that this page did not begin: one that is cut off writes nothing into the log. */
const WATCH_MS = 2_500;
/** Longer than any deploy holds its claim: what still says "deploying" then was cut off, and may be deployed again. */
const DEPLOY_OVERDUE_MS = 45_000;

export function serverView({ signal, settle }, serverId) {
  const page = h("div", null);
  const crumb = h("p", { class: "crumb" }, h("a", { href: "/dashboard" }, "Servers"), " / ", serverId);
  const read = () => request("GET", path("mcp", "servers", serverId), { signal });
  fillFrom(page, signal, read, (server) => serverPage(server, signal)).then(() => signal.aborted || settle());
  return [crumb, page];
}

function serverPage(first, signal) {
  let server = first;
  let isDeploying = false;
  let seenAt = Date.now();
  let painted = "";
  const address = path("mcp", "servers", server.serverId);
  const parts = {
    trouble: h("div", { class: "trouble" }),
    banner: h("div", null),
    actions: h("div", { class: "row end actions" }),
    button: h("button", { type: "button", class: "primary deploy", onclick: deploy }),
    state: h("span", null),
    stats: h("div", null),
    trial: h("div", null),
  };
  const { trouble, banner, actions, button, state, stats, trial } = parts;
  const log = executionLog(server.serverId, signal, reload);
  const readStats = () => request("GET", `${address}/status`, { signal });
  const showStats = ({ runs }) => statTiles(runs, server.archestraAgentId);

  /** Only what has changed is drawn again, so that nobody loses the place or the focus to a refresh. */
  function paint() {
    const { deployment, archestraAgentId } = server;
    const isUnderway = deployment.state === "deploying" && Date.now() - seenAt < DEPLOY_OVERDUE_MS;
    const looks = JSON.stringify([deployment, server.version, archestraAgentId, isDeploying, isUnderway]);
    if (looks === painted) return;
    painted = looks;
    state.replaceChildren(badge(deployment.state));
    banner.replaceChildren(...deploymentBanner(server));
    actions.replaceChildren(...deploymentActions(server, trouble, signal, reload));
    paintDeployButton(button, deployment.state, isDeploying || isUnderway);
    trial.replaceChildren(archestraAgentId ? tryIt(server, reload) : noEndpoint());
  }
  async function reload() {
    try {
      const was = server.deployment.state;
      server = await request("GET", address, { signal });
      if (server.deployment.state !== was) seenAt = Date.now();
      paint();
      stats.replaceChildren(showStats(await readStats()));
    } catch (error) {
      ignoreUnlessBug(error);
    }
  }
  function deploy() {
    whileBusy(button, trouble, async () => {
      isDeploying = true;
      paint();
      log.note("🚀 Deploying to Archestra...");
      try {
        const deployed = await request("POST", `${address}/deploy`, { body: { ownerId: server.ownerId }, signal });
        log.note("✅ Deployed successfully!");
        announce("Deployed successfully");
        showDeployed(deployed, () => banner.firstChild?.focus());
      } finally {
        isDeploying = false;
        await reload();
        paint();
        if (!button.disabled) button.focus();
      }
    });
  }
  const watch = setInterval(() => {
    if (document.visibilityState === "visible" && server.deployment.state.endsWith("ing")) reload();
  }, WATCH_MS);
  signal.addEventListener("abort", () => clearInterval(watch));
  paint();
  fillFrom(stats, signal, readStats, showStats);
  return layOut(server, parts, testRun(server, signal), log.element);
}

const noEndpoint = () => empty("No endpoint yet", "Deploy the server, then call it from here.");

function layOut(server, { trouble, banner, actions, button, state, stats, trial }, test, log) {
  return [
    h("div", { class: "page-head" }, h("div", { class: "title" }, h("h1", null, server.name), state), button),
    h("p", { class: "lead" }, server.description),
    factsOf(server),
    trouble,
    banner,
    actions,
    h(
      "div",
      { class: "columns" },
      h("div", null, card("Graph", null, drawGraph(server)), card("Test run", null, test), card("Try it", null, trial)),
      h("div", null, card("Runs", null, stats), card("Policy", null, policyFacts(server)), log),
    ),
  ];
}

function factsOf({ serverId, version, access, ownerId, createdAt, updatedAt }) {
  const facts = [
    ["Id", h("code", null, serverId)],
    ["Owner", ownerId],
    ["Version", version],
    ["Access", access === "key" ? "with a key" : "public"],
    ["Created", ago(createdAt)],
    ["Updated", ago(updatedAt)],
  ];
  return h(
    "dl",
    { class: "meta facts-line" },
    facts.map(([name, value]) => h("div", null, h("dt", null, name), h("dd", null, value))),
  );
}

function statTiles({ total, failed, p50Ms, p99Ms }, agentId) {
  const tiles = [
    ["Runs", total.toLocaleString("en")],
    ["Failed", failed.toLocaleString("en"), failed > 0 ? "bad" : null],
    ["p50", ms(p50Ms)],
    ["p99", ms(p99Ms)],
  ];
  return h(
    "div",
    null,
    h(
      "dl",
      { class: "tiles" },
      tiles.map(([name, value, kind]) => h("div", { class: kind }, h("dt", null, name), h("dd", null, value))),
    ),
    agentId && total > 0
      ? h("a", { class: "fine", href: `/dashboard${path("agents", agentId)}` }, "See every run")
      : null,
  );
}
