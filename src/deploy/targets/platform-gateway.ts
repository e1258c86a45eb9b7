import * as z from "zod";
import { err, ok, type Result } from "../../core/result.ts";
import { judgePost, makeOnce, type Posted } from "./attempts.ts";
import { failed, hostMessage, rawMessage } from "./host-failure.ts";
import { PLATFORM_MAX_PAGES, PLATFORM_PAGE_ITEMS } from "./limits.ts";
import { identified, type PlatformApi, readPosted } from "./platform-api.ts";
import type { Installed, PlatformTool } from "./platform-catalog.ts";
import type { Flavour } from "./platform-flavour.ts";
import { isLabelledFor, labelFilter, labelled, labelsOf } from "./platform-labels.ts";
import type { ServerRef } from "./target.ts";

const AGENTS = "/api/agents";
/** Tools that the platform gives to every new gateway. */
const BUILT_IN_TOOL = /^archestra__/i;

const gatewayItem = identified.extend(labelled.shape);
const assignedTool = identified.extend({ name: z.string() });
const assignments = z.object({ failed: z.array(z.object({ error: z.string().optional() })).default([]) });

export interface Gateway {
  readonly id: string;
}

/** The server's gateways: one, or none, unless a lost answer came late. The first is the one that counts. */
export async function findGateways(api: PlatformApi, server: ServerRef): Promise<Result<readonly Gateway[]>> {
  const found: Gateway[] = [];
  for (let page = 0; page < PLATFORM_MAX_PAGES; page++) {
    const query = new URLSearchParams({
      agentTypes: "mcp_gateway",
      labels: labelFilter(server),
      limit: String(PLATFORM_PAGE_ITEMS),
      offset: String(page * PLATFORM_PAGE_ITEMS),
    });
    const items = await api.list(`${AGENTS}?${query}`, gatewayItem);
    if (!items.ok) return items;
    found.push(...items.value.filter((item) => item.labels === undefined || isLabelledFor(item, server)));
    if (items.value.length < PLATFORM_PAGE_ITEMS) return ok(found);
  }
  return err(failed(api.platform.name, "it lists more gateways of one server than there can be").error);
}

/** `onRetired` is told of the other flavour where the platform no longer takes what it was said to take. */
export async function makeGateway(
  api: PlatformApi,
  server: ServerRef,
  name: string,
  flavour: Flavour,
  onRetired: (flavour: Flavour) => void,
): Promise<Result<Gateway>> {
  let spoken = flavour;
  const made = await makeOnce(
    api.platform,
    api.budget,
    async () => {
      const tried = await postGateway(api, gatewayBody(server, name, spoken));
      if (tried !== "retired") return tried;
      spoken = "1.4";
      onRetired(spoken);
      const again = await postGateway(api, gatewayBody(server, name, spoken));
      if (again !== "retired") return again;
      return judgePost(failed(api.platform.name, "it takes a gateway in neither of the forms known"));
    },
    async () => {
      const found = await findGateways(api, server);
      return found.ok ? ok(found.value[0] ?? null) : found;
    },
  );
  return made.ok ? made : err(made.failure.error);
}

async function postGateway(api: PlatformApi, body: unknown): Promise<Posted<Gateway> | "retired"> {
  const tried = await api.post(AGENTS, body);
  if (tried.ok && tried.answer.status === 400 && /field is retired/i.test(rawMessage(tried.answer.body)))
    return "retired";
  return readPosted(api.platform, tried, identified);
}

function gatewayBody(server: ServerRef, name: string, flavour: Flavour): unknown {
  const sharing =
    flavour === "1.3"
      ? { scope: "org", teams: [] }
      : { initialGrants: [{ subject: { type: "organization", id: "*" }, actions: ["read", "use"] }] };
  return {
    name,
    agentType: "mcp_gateway",
    ...sharing,
    toolExposureMode: "full",
    accessAllTools: false,
    labels: labelsOf(server),
  };
}

/** Afterwards the gateway offers the installed tools, and none of the platform's own. */
export async function equipGateway(api: PlatformApi, gatewayId: string, installed: Installed): Promise<Result<null>> {
  const { installId, tools } = installed;
  const assigned = await api.repeat(
    `${AGENTS}/tools/bulk-assign`,
    { assignments: tools.map((tool) => ({ agentId: gatewayId, toolId: tool.id, mcpServerId: installId })) },
    assignments,
  );
  if (!assigned.ok) return assigned;
  const [refused] = assigned.value.failed;
  if (refused !== undefined) {
    const why = hostMessage(api.platform, { message: refused.error ?? "" });
    const count = `${assigned.value.failed.length} of ${tools.length}`;
    const message = `it did not assign ${count} tools to its gateway${why === "" ? "" : `: ${why}`}`;
    return err(failed(api.platform.name, message).error);
  }
  return tidyGateway(api, gatewayId, tools);
}

async function tidyGateway(api: PlatformApi, gatewayId: string, ours: readonly PlatformTool[]): Promise<Result<null>> {
  const held = await api.list(`${AGENTS}/${gatewayId}/tools`, assignedTool);
  if (!held.ok) return held;
  if (ours.some((tool) => !held.value.some(({ id }) => id === tool.id))) {
    return err(failed(api.platform.name, "its gateway does not hold our tool").error);
  }
  const builtIn = held.value.filter(({ name }) => BUILT_IN_TOOL.test(name));
  const removals = await Promise.all(builtIn.map(({ id }) => api.remove(`${AGENTS}/${gatewayId}/tools/${id}`)));
  return removals.find((removal) => !removal.ok) ?? ok(null);
}

/** False where none of them was there. */
export async function removeGateways(api: PlatformApi, ids: Iterable<string>): Promise<Result<boolean>> {
  let removedAny = false;
  for (const id of ids) {
    const removed = await api.remove(`${AGENTS}/${encodeURIComponent(id)}`);
    if (!removed.ok) return removed;
    removedAny ||= removed.value;
  }
  return ok(removedAny);
}
