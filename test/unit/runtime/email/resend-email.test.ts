import { expect, test } from "vitest";
import { systemClock } from "../../../../src/core/clock.ts";
import { EMAIL_TIMEOUT_MS } from "../../../../src/runtime/email/limits.ts";
import { createResendEmail } from "../../../../src/runtime/email/resend-email.ts";
import { createFakeClock } from "../../../support/fake-clock.ts";
import { listen } from "../../../support/node-listener.ts";
import { createInternet, realFetch } from "../outbound/scene.ts";

const API_KEY = "re_test_0123456789";
const MESSAGE = { from: null, to: ["ada@example.com"], subject: "Hello", text: "Hi", html: null };
const OPTIONS = { idempotencyKey: "run_1.mail", traceparent: null, signal: new AbortController().signal };
const TRACEPARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

function senderOn(respond: () => Response | Promise<Response>, from: string | null = "us@example.com") {
  const internet = createInternet(respond);
  const baseUrl = "https://mail.example";
  return createResendEmail({ baseUrl, apiKey: API_KEY, from, fetch: internet.fetch, clock: createFakeClock() });
}

test("a message is what the service's documentation asks for", async () => {
  const seen: { readonly path: string; readonly headers: Headers; readonly body: unknown }[] = [];
  const server = await listen(async (request) => {
    seen.push({
      path: `${request.method} ${new URL(request.url).pathname}`,
      headers: request.headers,
      body: await request.json(),
    });
    return Response.json({ id: "49a3999c" });
  });
  const email = createResendEmail({
    ...{ baseUrl: server.url, apiKey: API_KEY, from: "us@example.com" },
    ...{ fetch: realFetch, clock: systemClock },
  });
  expect(await email.send(MESSAGE, OPTIONS)).toEqual({ kind: "sent", id: "49a3999c" });
  const other = { ...MESSAGE, from: "me@example.com", text: null, html: "<p>Hi</p>" };
  await email.send(other, { ...OPTIONS, traceparent: TRACEPARENT });
  await server.close();
  expect(seen[0]).toMatchObject({
    path: "POST /emails",
    body: { from: "us@example.com", to: ["ada@example.com"], subject: "Hello", text: "Hi" },
  });
  expect(seen[0]?.headers.get("authorization")).toBe(`Bearer ${API_KEY}`);
  expect(seen[0]?.headers.get("idempotency-key")).toBe("run_1.mail");
  expect(seen[0]?.headers.get("content-type")).toBe("application/json");
  expect(seen.map(({ headers }) => headers.get("traceparent"))).toEqual([null, TRACEPARENT]);
  expect(seen[1]?.body).toEqual({
    from: "me@example.com",
    to: ["ada@example.com"],
    subject: "Hello",
    html: "<p>Hi</p>",
  });
});

test("nobody to send it from is said before anything is sent", async () => {
  const email = senderOn(() => Response.json({ id: "1" }), null);
  expect(await email.send(MESSAGE, OPTIONS)).toEqual({
    kind: "failed",
    message: "nobody to send it from: set `from`, or the operator sets EMAIL_FROM",
    isPassing: false,
  });
  expect(await email.send({ ...MESSAGE, from: "me@example.com" }, OPTIONS)).toMatchObject({ kind: "sent" });
});

test.each([
  [422, "validation_error", false],
  [401, "missing_api_key", false],
  [403, "invalid_api_key", false],
  [409, "invalid_idempotent_request", false],
  [409, "concurrent_idempotent_requests", true],
  [429, "rate_limit_exceeded", true],
  [500, "application_error", true],
])("%i %s may pass: %s", async (statusCode, name, isPassing) => {
  const email = senderOn(() => Response.json({ statusCode, name, message: "It went\nwrong." }, { status: statusCode }));
  const message = `the e-mail service answered with status ${statusCode}: It went wrong.`;
  expect(await email.send(MESSAGE, OPTIONS)).toEqual({ kind: "failed", message, isPassing });
});

test("what the service says holds no key, and nothing of it is cut that the run has yet to mask", async () => {
  const said = `The key ${API_KEY} and Bearer abcdef and sk_live_12345678 ${"x".repeat(5_000)}`;
  const outcome = await senderOn(() => Response.json({ message: said }, { status: 422 })).send(MESSAGE, OPTIONS);
  if (outcome.kind !== "failed") throw new Error("sent");
  expect(outcome.message).not.toMatch(/re_test|abcdef|12345678/);
  expect(outcome.message).toContain("x".repeat(5_000));
});

test.each([
  ["no JSON", () => new Response("<html>", { status: 502 }), "with status 502", true],
  ["too long an answer", () => new Response("x".repeat(20_000), { status: 400 }), "with status 400", false],
  ["a receipt without an id", () => Response.json({}), "no receipt", true],
  [
    "a redirect",
    () => new Response(null, { status: 307, headers: { location: "https://evil.example/" } }),
    "307",
    false,
  ],
  ["nobody", () => Promise.reject(new TypeError("refused")), "could not be reached", true],
])("%s", async (_what, respond, said, isPassing) => {
  const outcome = await senderOn(respond).send(MESSAGE, OPTIONS);
  expect(outcome).toEqual({ kind: "failed", message: expect.stringContaining(said), isPassing });
});

test("a service that does not answer is waited for eight seconds", async () => {
  const clock = createFakeClock();
  const fetch = () => new Promise<Response>(() => {});
  const email = createResendEmail({
    baseUrl: "https://mail.example",
    apiKey: API_KEY,
    from: "us@example.com",
    fetch,
    clock,
  });
  const outcome = email.send(MESSAGE, OPTIONS);
  await clock.advance(EMAIL_TIMEOUT_MS);
  expect(await outcome).toEqual({
    kind: "failed",
    message: "the e-mail service did not answer in time",
    isPassing: true,
  });
});
