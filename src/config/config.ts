import "./zod-settings.ts";
import * as z from "zod";
import { isEmailAddress } from "../core/email-address.ts";
import { isJwtShaped } from "../core/jwt-shape.ts";
import {
  ADMIN_KEY_MIN_CHARS,
  CREDENTIAL_MAX_CHARS,
  ENCRYPTION_KEY_BYTES,
  GITHUB_SECRET_MIN_CHARS,
  METRICS_TOKEN_MIN_CHARS,
  QUERY_MAX_CHARS,
  WARM_QUERIES_MAX,
  WEBHOOK_SECRET_MAX_BYTES,
  WEBHOOK_SECRET_MIN_BYTES,
} from "./limits.ts";

const wholeNumber = (fallback: number, min: number, max: number) =>
  z
    .string()
    .regex(/^\d{1,12}$/, `a whole number from ${min} to ${max}`)
    .transform(Number)
    .refine((n) => n >= min && n <= max, `a whole number from ${min} to ${max}`)
    .default(fallback);

const httpUrl = z
  .string()
  .refine(isHttpUrl, "an http or https URL without credentials, query or fragment")
  .transform((url) => url.replace(/\/+$/, ""));

function isHttpUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const url = new URL(text);
  return /^https?:$/.test(url.protocol) && !url.username && !url.password && !url.search && !url.hash;
}

const onOff = z
  .enum(["on", "off"])
  .default("on")
  .transform((text) => text === "on");

/** An address per language, or one for all: `{lang}` stands for the code. */
const languageUrl = z
  .string()
  .refine((text) => isHttpUrl(text.replaceAll("{lang}", "en")), "an http or https URL, in which {lang} may stand")
  .transform((url) => url.replace(/\/+$/, ""));

/** One query a line; empty lines count for nothing. */
const queryLines = z
  .string()
  .transform((text) => text.split(/\r?\n/).map((line) => line.trim()))
  .transform((lines) => lines.filter((line) => line !== ""))
  .refine(
    (lines) => lines.length <= WARM_QUERIES_MAX && lines.every((line) => [...line].length <= QUERY_MAX_CHARS),
    `at most ${WARM_QUERIES_MAX} lines of at most ${QUERY_MAX_CHARS} characters`,
  )
  .default([]);

const base64Key = z.string().refine((text) => {
  try {
    return atob(text).length === ENCRYPTION_KEY_BYTES;
  } catch {
    return false;
  }
}, `${ENCRYPTION_KEY_BYTES} bytes as base64, for example from: openssl rand -base64 ${ENCRYPTION_KEY_BYTES}`);

/** A key that travels in a header: visible ASCII, so that it cannot split one. */
const headerSecret = z.string().regex(/^[\x21-\x7e]+$/, "visible ASCII characters only");

const originList = z
  .string()
  .transform((text) => text.split(/[\s,]+/).filter((part) => part !== ""))
  .refine(
    (origins) => origins.every((o) => o === "*" || (URL.canParse(o) && new URL(o).origin === o)),
    "origins such as https://app.example.com, separated by commas, or *",
  )
  .default([]);

/** Standard Webhooks: the secret is 24 to 64 bytes. Several stand side by side while one replaces another. */
const webhookSecrets = z
  .string()
  .transform((text) => text.split(/\s+/).filter((part) => part !== ""))
  .refine(
    (secrets) => secrets.length > 0 && secrets.every(isWebhookSecret),
    "whsec_<base64 of 24 to 64 bytes>, several separated by spaces",
  );

function isWebhookSecret(text: string): boolean {
  const bytes = /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(text)?.[1];
  try {
    const length = bytes === undefined ? 0 : atob(bytes).length;
    return length >= WEBHOOK_SECRET_MIN_BYTES && length <= WEBHOOK_SECRET_MAX_BYTES;
  } catch {
    return false;
  }
}

/** Hosts, with their port where they have one, separated by commas or spaces. */
const hostList = z
  .string()
  .default("")
  .transform((text) => text.split(/[\s,]+/).filter((part) => part !== ""))
  .refine(
    (hosts) => hosts.every((host) => /^(?:\[[0-9a-f:.]+\]|[a-z0-9.-]+)(?::\d{1,5})?$/i.test(host)),
    "hosts such as db.internal or 10.0.0.5:8080, separated by commas",
  );

/** As OpenTelemetry writes it: `name=value,name=value`, values percent-encoded. */
const headerList = z
  .string()
  .default("")
  .transform((text, issues) => {
    const headers: Record<string, string> = Object.create(null);
    for (const pair of text.split(",").filter((part) => part.trim() !== "")) {
      const [, name, value] = /^\s*([A-Za-z0-9!#$%&'*+.^_`|~-]+)\s*=\s*(\S.*?)\s*$/.exec(pair) ?? [];
      const decoded = decodeVisible(value);
      if (name === undefined || decoded === null) {
        issues.addIssue("headers such as name=value,name=value");
        return z.NEVER;
      }
      headers[name.toLowerCase()] = decoded;
    }
    return headers;
  });

/** Null where it is no percent-encoded text of visible ASCII. */
function decodeVisible(text: string | undefined): string | null {
  try {
    const decoded = decodeURIComponent(text ?? "\n");
    return /^[\x20-\x7e]+$/.test(decoded) ? decoded : null;
  } catch {
    return null;
  }
}

const variables = {
  ADMIN_API_KEY: headerSecret
    .min(ADMIN_KEY_MIN_CHARS, `at least ${ADMIN_KEY_MIN_CHARS} characters`)
    .max(CREDENTIAL_MAX_CHARS, `at most ${CREDENTIAL_MAX_CHARS} characters`)
    // On an agent's endpoint such a token is its users', and is never looked at as a key.
    .refine((key) => !isJwtShaped(key), "no JSON Web Token (eyJ….….…): take random characters")
    .optional(),
  ENCRYPTION_KEY: base64Key.optional(),
  PUBLIC_URL: httpUrl.optional(),
  LOG_LEVEL: z.enum(["debug", "info", "warn", "error"]).default("info"),
  CORS_ORIGINS: originList,
  TRUST_CF_CONNECTING_IP: onOff,
  METRICS_TOKEN: headerSecret.min(METRICS_TOKEN_MIN_CHARS, `at least ${METRICS_TOKEN_MIN_CHARS} characters`).optional(),
  BODY_LIMIT_BYTES: wholeNumber(262_144, 1_024, 10_485_760),
  RATE_LIMIT_BURST: wholeNumber(20, 1, 1_000_000),
  RATE_LIMIT_PER_MINUTE: wholeNumber(120, 1, 1_000_000),
  RATE_LIMIT_PER_HOUR: wholeNumber(3_000, 1, 100_000_000),
  UPSTASH_REDIS_REST_URL: httpUrl.optional(),
  UPSTASH_REDIS_REST_TOKEN: headerSecret.optional(),
  MONGODB_URI: z
    .string()
    .regex(/^mongodb(\+srv)?:\/\//, "a URI that starts with mongodb:// or mongodb+srv://")
    .optional(),
  MONGODB_DATA_API_URL: httpUrl.optional(),
  MONGODB_DATA_API_KEY: headerSecret.optional(),
  MONGODB_DATA_API_AUTH: z.enum(["api-key", "bearer", "basic"]).default("api-key"),
  MONGODB_DATA_SOURCE: z.string().min(1).max(128).optional(),
  MONGODB_DATABASE: z
    .string()
    .regex(/^[A-Za-z0-9_-]{1,63}$/, "1 to 63 letters, digits, _ or -")
    .default("orchestrix"),
  DEPLOY_TARGET: z.enum(["edge", "archestra", "archestra-platform"]).default("edge"),
  ARCHESTRA_API_KEY: headerSecret.optional(),
  ARCHESTRA_DEPLOYMENT_ENDPOINT: httpUrl.default("https://api.archestra.ai/mcp/agents"),
  ARCHESTRA_AUTH_SCHEME: z.enum(["bearer", "raw"]).default("bearer"),
  ARCHESTRA_BASE_URL: httpUrl.optional(),
  ARCHESTRA_FRONTEND_URL: httpUrl.optional(),
  ARCHESTRA_PLATFORM_API_KEY: headerSecret.optional(),
  WEBHOOK_SECRET: webhookSecrets.optional(),
  GITHUB_WEBHOOK_SECRET: z
    .string()
    .transform((text) => text.split(/\s+/).filter((part) => part !== ""))
    .refine(
      (secrets) => secrets.length > 0 && secrets.every((secret) => secret.length >= GITHUB_SECRET_MIN_CHARS),
      `one or more secrets of at least ${GITHUB_SECRET_MIN_CHARS} characters, separated by spaces`,
    )
    .optional(),
  DEPLOY_TIMEOUT_MS: wholeNumber(15_000, 100, 60_000),
  TAVILY_API_KEY: headerSecret.optional(),
  TAVILY_BASE_URL: httpUrl.default("https://api.tavily.com"),
  JINA_API_KEY: headerSecret.optional(),
  JINA_BASE_URL: httpUrl.default("https://s.jina.ai"),
  SEARCH_DEADLINE_MS: wholeNumber(8_000, 100, 60_000),
  PROVIDER_TIMEOUT_MS: wholeNumber(3_000, 50, 60_000),
  SEARXNG_URL: httpUrl.optional(),
  WIKIPEDIA_BASE_URL: languageUrl.default("https://{lang}.wikipedia.org"),
  SEARCH_KEYLESS: onOff,
  SEARCH_HEDGE_MS: wholeNumber(0, 0, 60_000),
  CACHE_TTL_SECONDS: wholeNumber(3_600, 1, 2_592_000),
  CACHE_TTL_NEWS_SECONDS: wholeNumber(300, 1, 2_592_000),
  CACHE_STALE_SECONDS: wholeNumber(21_600, 0, 2_592_000),
  CACHE_ERROR_SECONDS: wholeNumber(604_800, 0, 2_592_000),
  CACHE_L1_MAX_BYTES: wholeNumber(16_777_216, 0, 67_108_864),
  EMAIL_API_URL: httpUrl.default("https://api.resend.com"),
  EMAIL_API_KEY: headerSecret.optional(),
  EMAIL_FROM: z
    .string()
    .refine(isEmailAddress, "an address such as ada@example.com or Ada <ada@example.com>")
    .optional(),
  OUTBOUND_PRIVATE_HOSTS: hostList,
  OTEL_EXPORTER_OTLP_ENDPOINT: httpUrl.optional(),
  OTEL_EXPORTER_OTLP_HEADERS: headerList,
  OTEL_SERVICE_NAME: z.string().min(1).max(128).default("orchestrix"),
  RUN_KEEP_DAYS: wholeNumber(30, 1, 3_650),
  QUOTA_SERVERS: wholeNumber(1_000, 1, 1_000_000),
  QUOTA_SECRETS: wholeNumber(100, 1, 100_000),
  QUOTA_RUNS_PER_DAY: wholeNumber(1_000_000, 1, 1_000_000_000),
  WARM_TOP_QUERIES: wholeNumber(20, 0, 200),
  WARM_QUERIES: queryLines,
};

const schema = z
  .object(variables)
  .refine(
    (config) => (config.UPSTASH_REDIS_REST_URL === undefined) === (config.UPSTASH_REDIS_REST_TOKEN === undefined),
    { path: ["UPSTASH_REDIS_REST_URL"], message: "needs UPSTASH_REDIS_REST_TOKEN, and the other way round" },
  );

/** The Worker's settings, checked and frozen. Field names are the variables' own, so that one word finds both. */
export type Config = Readonly<z.output<typeof schema>>;

/** The variables that the Worker reads. `npm start` passes these on from its own environment, and only these. */
export const CONFIG_VARIABLES = Object.keys(variables) as readonly (keyof Config)[];

/** Names each bad variable and what it may be. Never a value: it may be a secret. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
}

/**
 * Reads the variables out of the Worker's environment; bindings beside them are ignored. An empty string counts as
 * absent, since that is what an unset shell variable becomes.
 * @throws ConfigError naming every variable at fault.
 */
export function loadConfig(env: object): Config {
  const given = Object.fromEntries(
    CONFIG_VARIABLES.map((name) => [name, (env as Record<string, unknown>)[name]] as const).filter(
      ([, value]) => value !== undefined && value !== "",
    ),
  );
  const parsed = schema.safeParse(given);
  if (parsed.success) return Object.freeze(parsed.data);
  const faults = parsed.error.issues.map((issue) => `${String(issue.path[0])}: ${describe(issue)}`);
  throw new ConfigError(`configuration refused. ${faults.join("; ")}`);
}

function describe(issue: z.core.$ZodIssue): string {
  return issue.code === "invalid_value" ? `one of ${issue.values.join(", ")}` : issue.message;
}
