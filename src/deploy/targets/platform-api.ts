import * as z from "zod";
import type { Call } from "../../core/actor.ts";
import { err, ok, type Result } from "../../core/result.ts";
import { type Attempt, attempt, type HostLink, judgePost, linkBehind, type Posted, persist } from "./attempts.ts";
import type { Budget } from "./budget.ts";
import type { HostRequest } from "./exchange.ts";
import { describeFailure, failed, type HostFailure } from "./host-failure.ts";
import { LIST_MAX_BYTES } from "./limits.ts";

export interface Platform extends HostLink {
  /** Where its API is, without a slash at the end. */
  readonly baseUrl: string;
  /** `arch_…`, sent bare. */
  readonly apiKey: string;
}

/** The API of a self-hosted Archestra, for one call of the target: every request counts against one budget. */
export interface PlatformApi {
  readonly platform: Platform;
  readonly budget: Budget;
  /** From here on no message shows this text. */
  hide(secret: string): void;
  /** A list, whether it comes bare or as a page's `data`. */
  list<T>(path: string, item: z.ZodType<T>): Promise<Result<readonly T[]>>;
  read<T>(path: string, shape: z.ZodType<T>): Promise<Result<T>>;
  /** Once, since a repeat makes a second one. Refusals that only their message tells apart come as answers too. */
  post(path: string, body: unknown): Promise<Attempt>;
  /** For a POST that may be repeated. */
  repeat<T>(path: string, body: unknown, shape: z.ZodType<T>): Promise<Result<T>>;
  /** False where there was none. */
  remove(path: string): Promise<Result<boolean>>;
}

/** Answers of a POST that the caller reads before it calls them failures. */
const TELLING_STATUSES = [400, 409, 500];

export function openPlatformApi(opened: Platform, call: Call, budget: Budget): PlatformApi {
  const secrets = [...opened.secrets];
  const platform = { ...linkBehind(call, opened), secrets };
  const misread = misreadBy(platform);

  function requestTo(method: HostRequest["method"], path: string, body?: unknown): HostRequest {
    return {
      method,
      url: `${platform.baseUrl}${path}`,
      headers: { Authorization: platform.apiKey, Accept: "application/json", "X-Request-Id": call.requestId },
      maxBytes: LIST_MAX_BYTES,
      // Without a body no Content-Type leaves either: a DELETE with one is refused.
      ...(body === undefined ? {} : { body }),
    };
  }

  async function ask<T>(request: HostRequest, shape: z.ZodType<T>): Promise<Result<T>> {
    const tried = await persist(platform, request, budget);
    if (!tried.ok) return err(tried.failure.error);
    const parsed = shape.safeParse(tried.answer.body);
    return parsed.success ? ok(parsed.data) : err(misread.error);
  }

  return {
    platform,
    budget,
    hide: (secret) => secrets.push(secret),
    async list(path, item) {
      const found = await ask(requestTo("GET", path), z.union([z.array(item), z.object({ data: z.array(item) })]));
      return found.ok ? ok("data" in found.value ? found.value.data : found.value) : found;
    },
    read: (path, shape) => ask(requestTo("GET", path), shape),
    post: (path, body) => attempt(platform, requestTo("POST", path, body), budget, TELLING_STATUSES),
    repeat: (path, body, shape) => ask(requestTo("POST", path, body), shape),
    async remove(path) {
      const tried = await persist(platform, requestTo("DELETE", path), budget, [404]);
      if (!tried.ok) return err(tried.failure.error);
      return ok(tried.answer.status !== 404 || tried.unsure);
    },
  };
}

function misreadBy(platform: Platform): HostFailure {
  return failed(platform.name, "its answer is not what Archestra's API says");
}

/** A POST's answer as what was made, or as what it leaves to be done. */
export function readPosted<T>(platform: Platform, tried: Attempt, shape: z.ZodType<T>): Posted<T> {
  if (!tried.ok) return judgePost(tried.failure);
  const { answer } = tried;
  if (answer.status >= 300) return judgePost(describeFailure(platform, answer, platform.clock.now()));
  const parsed = shape.safeParse(answer.body);
  if (parsed.success) return { ok: true, value: parsed.data };
  // It says that it has made something, and not what.
  return { ok: false, failure: misreadBy(platform), look: true, repeat: false };
}

/** Ids become segments of paths. */
const platformId = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/);

export const identified = z.object({ id: platformId });
