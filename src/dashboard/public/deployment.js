import { copyButton, h, icon, openDialog, outLink } from "./dom.js";
import { ago } from "./format.js";

/** The button's three states: `busy` while a deploy goes on, this page's or another's. */
export function paintDeployButton(button, state, busy) {
  const isDeployed = state === "deployed" || state === "undeploying";
  button.disabled = isDeployed || busy;
  const spinner = h("i", { class: "spinner", "aria-hidden": "true" });
  const ready = isDeployed ? [icon("check"), "Deployed"] : ["Deploy to Archestra"];
  button.replaceChildren(...(busy ? [spinner, "Deploying..."] : ready));
}

/** The deployment, or why the last one failed. */
export function deploymentBanner({
  deployment,
  archestraAgentId,
  archestraEndpoint,
  archestraDashboardUrl,
  archestraDeployedAt,
}) {
  if (deployment.state === "failed") {
    return [
      h(
        "div",
        { class: "problem" },
        h("p", { class: "strong" }, "The last deploy failed"),
        h("p", null, deployment.error),
      ),
    ];
  }
  if (archestraAgentId === null) return [];
  const version = deployment.version === null ? "" : `version ${deployment.version} · `;
  return [
    h(
      "section",
      { class: "banner", "aria-label": "Deployment", tabindex: -1 },
      h(
        "div",
        { class: "grow" },
        h("p", { class: "strong" }, "Deployed to Archestra"),
        h("p", null, h("code", null, archestraAgentId)),
        h("p", { class: "fine" }, `${deployment.target ?? ""} · ${version}`, ago(archestraDeployedAt)),
        h("p", { class: "endpoint" }, h("code", null, archestraEndpoint)),
      ),
      h(
        "div",
        { class: "row" },
        copyButton("Copy endpoint", () => archestraEndpoint),
        dashboardLink(archestraDashboardUrl, deployment.target),
      ),
    ),
  ];
}

/** The edge's own agents are shown in this very page; another target has a dashboard elsewhere. */
function dashboardLink(address, target) {
  const label = ["Open dashboard", icon("out")];
  const url = URL.parse(address);
  const isOurs = url !== null && (target === "edge" || url.origin === location.origin);
  const link =
    isOurs && url.pathname.startsWith("/dashboard/") ? h("a", { href: url.pathname }, label) : outLink(address, label);
  link.classList.add("button", "small");
  return link;
}

export function showDeployed({ agentId, endpoint, dashboardUrl, target }, onClosed) {
  const content = (close) => [
    h("p", null, "Your agent is live. Anything that speaks HTTP can call it now."),
    h(
      "dl",
      { class: "stack" },
      h("dt", null, "Agent id"),
      h("dd", null, h("code", null, agentId)),
      h("dt", null, "Endpoint"),
      h("dd", null, h("code", null, endpoint)),
    ),
    h(
      "div",
      { class: "row end" },
      copyButton("Copy endpoint", () => endpoint),
      dashboardLink(dashboardUrl, target),
      h("button", { type: "button", class: "primary small", autofocus: true, onclick: close }, "Done"),
    ),
  ];
  openDialog("Deployed successfully", content, onClosed);
}
