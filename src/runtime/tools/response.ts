import * as z from "zod";
import { anyJson } from "../config-schemas.ts";
import { RESPONSE_HEADER_NAME_MAX_CHARS, RESPONSE_HEADER_VALUE_MAX_CHARS, RESPONSE_MAX_HEADERS } from "../limits.ts";
import { defineTool } from "../tool.ts";

/** Headers of one connection, or about the bytes on the wire: the server's to say. */
const OF_THE_CONNECTION = [
  ...["connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "te", "trailer", "upgrade"],
  ...["transfer-encoding", "content-length", "content-encoding", "date", "server", "alt-svc"],
];

/**
 * Headers that speak for the whole origin, which the agents of all owners share with the dashboard: a cookie of one
 * would reach all, and a loosened policy would let its pages act as ours.
 */
const OF_THE_ORIGIN = [
  ...["set-cookie", "set-cookie2", "clear-site-data", "service-worker-allowed", "strict-transport-security"],
  ...["content-security-policy", "x-content-type-options", "x-frame-options", "cross-origin-resource-policy"],
  ...["cross-origin-opener-policy", "cross-origin-embedder-policy", "nel", "reporting-endpoints", "report-to"],
  ...["x-request-id", "x-run-id", "server-timing", "access-control-allow-origin", "access-control-allow-credentials"],
];

const REFUSED: ReadonlySet<string> = new Set([...OF_THE_CONNECTION, ...OF_THE_ORIGIN]);

const TOKEN = /^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/;

const headerName = z
  .string()
  .max(RESPONSE_HEADER_NAME_MAX_CHARS)
  .refine((name) => TOKEN.test(name), "a header's name holds letters, digits and -")
  .refine((name) => !REFUSED.has(name.toLowerCase()), "a graph does not set this header");

/** Visible ASCII, spaces and tabs: a line break would begin another header. */
const headerValue = z
  .string()
  .max(RESPONSE_HEADER_VALUE_MAX_CHARS)
  .regex(/^[\t\x20-\x7e]*$/, "a header's value holds visible ASCII characters only");

const headers = z
  .record(headerName, headerValue)
  .refine((all) => Object.keys(all).length <= RESPONSE_MAX_HEADERS, `at most ${RESPONSE_MAX_HEADERS} headers`);

export const responseTool = defineTool({
  name: "response",
  description:
    "Ends the run with its answer. The body goes out as JSON, null too; a text with another Content-Type in `headers` " +
    "as it is in UTF-8, with U+FFFD for half a surrogate pair. Without `body`, or where it is an optional " +
    "reference to nothing, the answer has no body.",
  config: z.strictObject({
    status: z.int().min(200, "200 to 599").max(599, "200 to 599").default(200),
    headers: headers.optional(),
    body: anyJson.optional(),
  }),
  output: z.never(),
  run: ({ status, headers = {}, body }) => ({
    kind: "answer",
    answer: {
      status,
      headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value])),
      ...(body === undefined ? {} : { body }),
    },
  }),
});
