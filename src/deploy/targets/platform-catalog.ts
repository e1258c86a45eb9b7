import * as z from "zod";
import { err, ok, type Result } from "../../core/result.ts";
import { type Attempt, type Made, makeOnce, type Posted } from "./attempts.ts";
import { failed, type HostFailure, rawMessage } from "./host-failure.ts";
import { identified, type PlatformApi, readPosted } from "./platform-api.ts";
import { isLabelledFor, labelled, labelsOf } from "./platform-labels.ts";
import type { ServerRef } from "./target.ts";

const CATALOG = "/api/internal_mcp_catalog";
const INSTALLS = "/api/mcp_server";

const catalogItem = identified.extend(labelled.shape).extend({ serverUrl: z.string().nullish() });
const platformTool = identified.extend({ name: z.string().min(1).max(512) });

type CatalogItem = z.output<typeof catalogItem>;
export type PlatformTool = z.output<typeof platformTool>;

/** Our MCP server, known to the platform and connected to it. */
export interface Installed {
  readonly installId: string;
  readonly tools: readonly PlatformTool[];
}

export interface Registration {
  readonly server: ServerRef;
  /** Our MCP endpoint, as the platform reaches it. */
  readonly mcpUrl: string;
  /** What the platform shall send us. */
  readonly accessToken: string;
}

/** Afterwards the platform knows our server at this address, is connected to it and has read its tools. */
export async function installServer(api: PlatformApi, registration: Registration): Promise<Result<Installed>> {
  const item = await findOrRegister(api, registration);
  if (!item.ok) return item;
  const catalogId = item.value.id;
  const known = item.value.fresh ? ok(null) : await findInstall(api, catalogId);
  if (!known.ok) return known;
  const fresh = known.value === null;
  const install = known.value === null ? await connectOrCleanUp(api, registration, catalogId) : ok(known.value);
  if (!install.ok) return install;
  return readTools(api, install.value.id, fresh, registration);
}

/** Removes the server and, with it, its installs and tools. False where the platform did not know it. */
export async function forgetServer(api: PlatformApi, server: ServerRef): Promise<Result<boolean>> {
  const items = await findItems(api, server);
  if (!items.ok) return items;
  let forgotten = false;
  for (const { id } of items.value) {
    const removed = await api.remove(`${CATALOG}/${id}`);
    if (!removed.ok) return removed;
    forgotten ||= removed.value;
  }
  return ok(forgotten);
}

async function findItems(api: PlatformApi, server: ServerRef): Promise<Result<readonly CatalogItem[]>> {
  const items = await api.list(CATALOG, catalogItem);
  return items.ok ? ok(items.value.filter((item) => isLabelledFor(item, server))) : items;
}

/** Items that stand for another address of ours, or a second time for the same, make way. */
async function findOrRegister(
  api: PlatformApi,
  { server, mcpUrl }: Registration,
): Promise<Result<{ readonly id: string; readonly fresh: boolean }>> {
  const items = await findItems(api, server);
  if (!items.ok) return items;
  const kept = items.value.find(({ serverUrl }) => (serverUrl ?? mcpUrl) === mcpUrl);
  for (const item of items.value) {
    if (item === kept) continue;
    const removed = await api.remove(`${CATALOG}/${item.id}`);
    if (!removed.ok) return removed;
  }
  if (kept !== undefined) return ok({ id: kept.id, fresh: false });
  const made = await makeOnce(
    api.platform,
    api.budget,
    () => register(api, server, mcpUrl),
    async () => {
      const again = await findItems(api, server);
      return again.ok ? ok(again.value[0] ?? null) : again;
    },
  );
  return made.ok ? ok({ id: made.value.id, fresh: true }) : err(made.failure.error);
}

async function register(api: PlatformApi, server: ServerRef, mcpUrl: string): Promise<Posted<{ readonly id: string }>> {
  const tried = await api.post(CATALOG, {
    // Its tools are called `<name>__<tool>`: short, and the same after the server is renamed.
    name: server.serverId,
    serverType: "remote",
    serverUrl: mcpUrl,
    scope: "org",
    labels: labelsOf(server),
  });
  return readPosted(api.platform, tried, identified);
}

async function findInstall(api: PlatformApi, catalogId: string): Promise<Result<{ readonly id: string } | null>> {
  const query = new URLSearchParams({ catalogId });
  const installs = await api.list(`${INSTALLS}?${query}`, identified.extend({ catalogId: z.string().nullish() }));
  if (!installs.ok) return installs;
  return ok(installs.value.find((install) => (install.catalogId ?? catalogId) === catalogId) ?? null);
}

/** An item that nothing could be installed from is of no use, and would be found by the next try. */
async function connectOrCleanUp(
  api: PlatformApi,
  registration: Registration,
  catalogId: string,
): Promise<Result<{ readonly id: string }>> {
  const made = await connect(api, registration, catalogId);
  if (made.ok) return made;
  // Where an install may be under way still, the item is left to whoever tries again.
  if (made.absent) await api.remove(`${CATALOG}/${catalogId}`);
  return err(made.failure.error);
}

/** The platform connects to us while it is asked, and takes the install back where it can't. */
function connect(
  api: PlatformApi,
  { server, mcpUrl, accessToken }: Registration,
  catalogId: string,
): Promise<Made<{ readonly id: string }>> {
  const body = { name: server.serverId, catalogId, scope: "org", accessToken };
  return makeOnce(
    api.platform,
    api.budget,
    async () => judgeInstall(api, await api.post(INSTALLS, body), mcpUrl),
    () => findInstall(api, catalogId),
  );
}

function judgeInstall(api: PlatformApi, tried: Attempt, mcpUrl: string): Posted<{ readonly id: string }> {
  const posted = readPosted(api.platform, tried, identified);
  if (posted.ok || !tried.ok) return posted;
  const message = rawMessage(tried.answer.body);
  // Somebody was faster: theirs is the same install.
  if (/already ha(?:s|ve) .*installation/i.test(message)) return { ...posted, look: true, repeat: false };
  if (!couldNotRead(message)) return posted;
  return { ok: false, failure: unreadable(api, mcpUrl), look: false, repeat: false };
}

/** The one message of a 500 that is about us: our endpoint is out of its reach, or does not take its token. */
function couldNotRead(message: string): boolean {
  return /failed to fetch tools/i.test(message);
}

function unreadable(api: PlatformApi, mcpUrl: string): HostFailure {
  return failed(api.platform.name, `it could not read the tools of our endpoint ${mcpUrl}`);
}

/** An install that was there before may have read the tools of an earlier graph. */
async function readTools(
  api: PlatformApi,
  installId: string,
  fresh: boolean,
  { mcpUrl }: Registration,
): Promise<Result<Installed>> {
  if (!fresh) {
    const path = `${INSTALLS}/${installId}/reload-tools`;
    const tried = await api.post(path, undefined);
    if (tried.ok && couldNotRead(rawMessage(tried.answer.body))) return err(unreadable(api, mcpUrl).error);
    const reloaded = tried.ok && tried.answer.status < 300 ? ok(null) : await api.repeat(path, undefined, z.unknown());
    if (!reloaded.ok) return reloaded;
  }
  const tools = await api.list(`${INSTALLS}/${installId}/tools`, platformTool);
  if (!tools.ok) return tools;
  if (tools.value.length > 0) return ok({ installId, tools: tools.value });
  return err(failed(api.platform.name, `it found no tool at our endpoint ${mcpUrl}`).error);
}
