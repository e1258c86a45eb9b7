import * as z from "zod";
import { JSON_MAX_DEPTH } from "../../config/limits.ts";
import { ownProperty, parseUntrustedJson } from "../../core/json.ts";
import { err, ok, type Result } from "../../core/result.ts";
import { persist } from "./attempts.ts";
import type { HostAnswer } from "./exchange.ts";
import { failed } from "./host-failure.ts";
import { LIST_MAX_BYTES } from "./limits.ts";
import type { PlatformApi } from "./platform-api.ts";
import type { PlatformTool } from "./platform-catalog.ts";

const PROTOCOL_VERSION = "2025-11-25";
const toolList = z.object({ tools: z.array(z.object({ name: z.string() })) });

/**
 * Asks the gateway, as its callers will, for its tools: a gateway may be made and equipped, and offer nothing.
 * A gateway that does not let our own key in is taken as it is: who may call it is the platform's to say.
 */
export async function proveGateway(
  api: PlatformApi,
  gatewayId: string,
  tools: readonly PlatformTool[],
): Promise<Result<null>> {
  const token = await gatewayToken(api);
  const initialized = await ask(api, gatewayId, token, null, "initialize", {
    protocolVersion: PROTOCOL_VERSION,
    capabilities: {},
    clientInfo: { name: "orchestrix", version: "1" },
  });
  if (!initialized.ok) return initialized;
  if (initialized.value === "refused") return ok(null);
  const listed = await ask(api, gatewayId, token, initialized.value.session, "tools/list", {});
  if (!listed.ok) return listed;
  if (listed.value === "refused") return ok(null);
  const offered = toolList.safeParse(listed.value.result);
  if (!offered.success) return misread(api);
  const names = new Set(offered.data.tools.map(({ name }) => name.toLowerCase()));
  const missing = tools.find(({ name }) => !names.has(name.toLowerCase()));
  return missing === undefined ? ok(null) : err(failed(api.platform.name, "its gateway does not offer our tool").error);
}

/** The personal token of our key's user, which the platform makes when first asked about it; else the key itself. */
async function gatewayToken(api: PlatformApi): Promise<string> {
  const known = await api.read("/api/user-tokens/me", z.unknown());
  if (!known.ok) return api.platform.apiKey;
  const token = await api.read("/api/user-tokens/me/value", z.object({ value: z.string().min(1) }));
  if (!token.ok) return api.platform.apiKey;
  api.hide(token.value.value);
  return token.value.value;
}

type Said = { readonly result: unknown; readonly session: string | null };

async function ask(
  api: PlatformApi,
  gatewayId: string,
  token: string,
  session: string | null,
  method: string,
  params: unknown,
): Promise<Result<Said | "refused">> {
  const request = {
    method: "POST",
    url: `${api.platform.baseUrl}/v1/mcp/${gatewayId}`,
    headers: {
      Authorization: `Bearer ${token}`,
      // Both, or the gateway answers 406.
      Accept: "application/json, text/event-stream",
      "MCP-Protocol-Version": PROTOCOL_VERSION,
      ...(session === null ? {} : { "Mcp-Session-Id": session }),
    },
    body: { jsonrpc: "2.0", id: 1, method, params },
    maxBytes: LIST_MAX_BYTES,
  } as const;
  const tried = await persist(api.platform, request, api.budget, [401, 403]);
  if (!tried.ok) return err(tried.failure.error);
  if (tried.answer.status >= 400) return ok("refused");
  const result = ownProperty(readMessage(tried.answer), "result");
  if (result === undefined) return misread(api);
  return ok({ result, session: tried.answer.headers.get("Mcp-Session-Id") });
}

/** The JSON-RPC message, whether it came as JSON or as the one event of a stream. */
function readMessage(answer: HostAnswer): unknown {
  if (!answer.headers.get("Content-Type")?.startsWith("text/event-stream")) return answer.body;
  const data = answer.text
    .split(/\r?\n/)
    .filter((line) => line.startsWith("data:"))
    .map((line) => line.slice("data:".length).trim());
  const parsed = parseUntrustedJson(data.at(-1) ?? "", JSON_MAX_DEPTH);
  return parsed.ok ? parsed.value : undefined;
}

function misread(api: PlatformApi): Result<never> {
  return err(failed(api.platform.name, "its gateway does not answer as an MCP server").error);
}
