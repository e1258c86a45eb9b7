import { path, request } from "./api.js";
import { announce, h, openDialog } from "./dom.js";
import { whileBusy } from "./problem.js";

/** What can be done to a deployed server: its current version put live, or its agent removed. */
export function deploymentActions(server, trouble, signal, onChanged) {
  const { serverId, ownerId, version, deployment } = server;
  if (deployment.state !== "deployed") return [];
  const address = `${path("mcp", "servers", serverId)}/deploy`;
  const change = (button, method, done) =>
    whileBusy(button, trouble, async () => {
      try {
        await request(method, address, { body: { ownerId }, signal });
        announce(done);
      } finally {
        await onChanged();
      }
    });
  const isStale = deployment.version !== null && deployment.version !== version;
  const redeploy = h(
    "button",
    {
      type: "button",
      class: isStale ? "primary small" : "small",
      onclick: () => change(redeploy, "PUT", `Version ${version} is live`),
    },
    isStale ? `Redeploy: version ${version} is newer` : "Redeploy",
  );
  const undeploy = h(
    "button",
    { type: "button", class: "small", onclick: () => confirmUndeploy(() => change(undeploy, "DELETE", "Undeployed")) },
    "Undeploy",
  );
  return [redeploy, undeploy];
}

function confirmUndeploy(onConfirmed) {
  openDialog("Undeploy this server?", (close) => [
    h("p", null, "Its agent is removed and its endpoint stops answering. The server and what it stored stay."),
    h(
      "div",
      { class: "row end" },
      h("button", { type: "button", class: "small", onclick: close }, "Keep it"),
      h(
        "button",
        {
          type: "button",
          class: "primary small",
          onclick: () => {
            close();
            onConfirmed();
          },
        },
        "Undeploy it",
      ),
    ),
  ]);
}
