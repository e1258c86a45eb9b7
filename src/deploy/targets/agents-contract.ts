import * as z from "zod";
import { JSON_MAX_DEPTH } from "../../config/limits.ts";
import type { Call } from "../../core/actor.ts";
import { decodeUtf8, readBounded } from "../../core/bounded-body.ts";
import type { Clock } from "../../core/clock.ts";
import { runWithin } from "../../core/deadline.ts";
import type { Fetch } from "../../core/fetch.ts";
import { ownProperty, parseUntrustedJson } from "../../core/json.ts";
import { maskText } from "../../core/mask.ts";
import { err, ok, type Result } from "../../core/result.ts";
import type { DeployedAgent, Target } from "./target.ts";

/** An agent's answer is three short fields; a host that sends more than this is not one. */
const ANSWER_MAX_BYTES = 65_536;
/** Enough to say what is wrong, too little to leak a page. */
const MESSAGE_MAX_CHARS = 300;

const created = z.object({
  agentId: z.string().min(1).max(256),
  publicEndpoint: z.url({ protocol: /^https?$/ }),
  dashboardUrl: z.url({ protocol: /^https?$/ }),
});

/** Speaks the agents contract to whatever `fetch` leads to: another host, or this Worker's own app in process. */
export function createAgentsContractTarget(deps: {
  readonly name: string;
  readonly fetch: Fetch;
  /** The URL of the agents collection. A function: the edge target lives at the address of the call. */
  readonly collectionUrl: (call: Call) => string;
  readonly authorization: string;
  readonly clock: Clock;
  readonly timeoutMs: number;
}): Target {
  const failed = (message: string) =>
    err({ code: "UPSTREAM_FAILED", detail: `the target ${deps.name} failed: ${message}` } as const);

  async function post(call: Call, body: unknown, signal: AbortSignal): Promise<Result<DeployedAgent>> {
    const response = await deps.fetch(deps.collectionUrl(call), {
      method: "POST",
      headers: {
        Authorization: deps.authorization,
        "Content-Type": "application/json",
        Accept: "application/json",
        "X-Request-Id": call.requestId,
      },
      body: JSON.stringify(body),
      // The key must not follow a redirect to another host.
      redirect: "manual",
      signal,
    });
    const answer = await readAnswer(response);
    if (!response.ok) return failed(`${response.status} ${errorMessage(answer)}`.trim());
    const agent = created.safeParse(answer);
    if (!agent.success) return failed("its answer is not what the agents contract says");
    const { agentId, publicEndpoint, dashboardUrl } = agent.data;
    return ok({ agentId, endpoint: publicEndpoint, dashboardUrl });
  }

  return {
    async create(call, agent) {
      try {
        // Not cancelled with the caller: an agent that was made must be saved, whoever still listens.
        const outcome = await runWithin(deps.clock, deps.timeoutMs, undefined, (signal) => post(call, agent, signal));
        if (outcome.kind === "done") return outcome.value;
        return err({
          code: "UPSTREAM_TIMEOUT",
          detail: `the target ${deps.name} did not answer within ${deps.timeoutMs} ms`,
        });
      } catch {
        return failed("it could not be reached");
      }
    },
  };
}

/** What the host sent as JSON; null where it is none, or more than an agent's answer can be. */
async function readAnswer(response: Response): Promise<unknown> {
  const bytes = await readBounded(response.body, ANSWER_MAX_BYTES);
  const text = bytes === null ? null : decodeUtf8(bytes);
  const parsed = text === null ? null : parseUntrustedJson(text, JSON_MAX_DEPTH);
  return parsed?.ok ? parsed.value : null;
}

/** Hosts say it in one of three fields. Masked, one line, short: it goes to the caller and into the record. */
function errorMessage(answer: unknown): string {
  const error = ownProperty(answer, "error");
  const candidates = [ownProperty(error, "message"), error, ownProperty(answer, "message")];
  const message = candidates.find((candidate) => typeof candidate === "string") ?? "";
  return maskText(String(message).replaceAll(/[\p{C}\s]+/gu, " ")).slice(0, MESSAGE_MAX_CHARS);
}
