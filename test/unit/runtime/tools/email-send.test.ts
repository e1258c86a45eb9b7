import { expect, test } from "vitest";
import type { JsonObject } from "../../../../src/core/json.ts";
import type { TraceHeaders } from "../../../../src/core/trace-context.ts";
import type { EmailSender } from "../../../../src/runtime/email/email-sender.ts";
import { planConfig } from "../../../../src/runtime/graph/step-config.ts";
import { emailSendTool } from "../../../../src/runtime/tools/email-send.ts";
import { runTool, stepOf } from "../outbound/scene.ts";

const MESSAGE = { to: "ada@example.com", subject: "Hello", text: "Hi" };

const TRACE = { traceparent: "00-ours-1-01", tracestate: "vendor=1" };

type Sent = Parameters<EmailSender["send"]>;

async function send(
  config: JsonObject,
  outcome: Awaited<ReturnType<EmailSender["send"]>> = { kind: "sent", id: "m1" },
  trace: TraceHeaders | null = null,
) {
  const sent: Sent[] = [];
  const email: EmailSender = {
    faultOf: () => null,
    async send(...message) {
      sent.push(message);
      return outcome;
    },
  };
  const step = stepOf({ email });
  const asOwner = { ...step.asOwner, trace: () => trace };
  return { result: await runTool(emailSendTool, { ...MESSAGE, ...config }, { ...step, asOwner }), sent };
}

test("a message is sent under the step's key", async () => {
  const { result, sent } = await send({ from: "Us <us@example.com>", html: "<p>Hi</p>" });
  expect(result).toEqual({ kind: "output", value: { id: "m1" } });
  expect(sent).toMatchObject([
    [
      { from: "Us <us@example.com>", to: ["ada@example.com"], subject: "Hello", text: "Hi", html: "<p>Hi</p>" },
      { idempotencyKey: "run_1.call" },
    ],
  ]);
});

test("the run's trace is passed on without its state", async () => {
  const { sent } = await send({}, { kind: "sent", id: "m1" }, TRACE);
  expect(sent[0]?.[1]).toEqual({
    idempotencyKey: "run_1.call",
    traceparent: TRACE.traceparent,
    signal: expect.any(AbortSignal),
  });
  expect((await send({})).sent[0]?.[1].traceparent).toBeNull();
});

test("who writes may be left to the operator", async () => {
  const { sent } = await send({ to: ["ada@example.com", "Bob Ü. <bob@example.com>"] });
  expect(sent[0]?.[0]).toEqual({
    from: null,
    to: ["ada@example.com", "Bob Ü. <bob@example.com>"],
    subject: "Hello",
    text: "Hi",
    html: null,
  });
});

test.each([true, false])("a failure that passes is %s", async (isPassing) => {
  const { result } = await send({}, { kind: "failed", message: "no", isPassing });
  expect(result).toEqual({ kind: "fail", message: "no", ...(isPassing && { isPassing }) });
});

test("without a service it says who can set one", async () => {
  expect(await runTool(emailSendTool, MESSAGE, stepOf({ email: null }))).toEqual({
    kind: "fail",
    message: "email is not configured here: the operator sets EMAIL_API_KEY",
  });
});

test("a dry run sends nothing, and fails where the run would before it sends", async () => {
  const sent: unknown[] = [];
  const email: EmailSender = {
    faultOf: ({ from }) => (from === null ? "nobody to send it from" : null),
    async send(...message) {
      sent.push(message);
      return { kind: "sent", id: "m1" };
    },
  };
  const ends = (config: JsonObject, service: EmailSender | null = email) =>
    Promise.all(
      (["preview", "run"] as const).map((how) =>
        runTool(emailSendTool, { ...MESSAGE, ...config }, stepOf({ email: service }), how),
      ),
    );
  const failed = (message: string) => Array(2).fill({ kind: "fail", message });
  expect(await ends({ from: "us@example.com" }, null)).toEqual(
    failed("email is not configured here: the operator sets EMAIL_API_KEY"),
  );
  expect(await ends({ from: "us@example.com", text: "" })).toEqual(failed("text or html is needed"));
  expect(await ends({})).toEqual(failed("nobody to send it from"));
  expect(sent).toEqual([]);
  const result = await runTool(emailSendTool, { ...MESSAGE, from: "us@example.com" }, stepOf({ email }), "preview");
  expect(result).toEqual({ kind: "output", value: { id: "dry_run" } });
  expect(sent).toEqual([]);
});

test("texts that references left out are missed in the run", async () => {
  const { result, sent } = await send({ text: "" });
  expect(result).toEqual({ kind: "fail", message: "text or html is needed" });
  expect(sent).toEqual([]);
});

test.each<[JsonObject, string]>([
  [{ to: "ada" }, "to"],
  [{ to: "ada@example.com\r\nBcc: eve@evil.example" }, "to"],
  [{ to: "ada@example.com, eve@evil.example" }, "to"],
  [{ to: "ada@example.com;eve" }, "to"],
  [{ to: "ada@@example.com" }, "to"],
  [{ to: "Ada\nBcc: x <ada@example.com>" }, "to"],
  [{ to: "Eve@evil.example <ada@example.com>" }, "to"],
  [{ to: "Ada\u2028 <ada@example.com>" }, "to"],
  [{ to: `${"a".repeat(320)}@example.com` }, "to"],
  [{ to: [] }, "to"],
  [{ to: Array(51).fill("ada@example.com") }, "to"],
  [{ from: "us" }, "from"],
  [{ subject: "Hello\r\nBcc: eve@evil.example" }, "subject"],
  [{ subject: "Hello\u0085there" }, "subject"],
  [{ subject: " " }, "subject"],
  [{ subject: "a".repeat(999) }, "subject"],
  [{ text: "a".repeat(262_145) }, "text"],
  [{ cc: "eve@evil.example" }, "cc"],
])("refused: %j at %s", async (config, path) => {
  const { result, sent } = await send(config);
  expect(result).toMatchObject({ kind: "fail", message: expect.stringMatching(new RegExp(`^${path}\\b`)) });
  expect(sent).toEqual([]);
});

test("a message without a text is a fault where it is written", () => {
  const { faults } = planConfig({ to: "ada@example.com", subject: "Hello" }, emailSendTool);
  expect(faults).toEqual([{ path: "text", message: "text or html is needed" }]);
  const referring = { to: "{{input.to}}", subject: "Hello {{input.name}}", html: "{{input.html}}" };
  expect(planConfig(referring, emailSendTool).faults).toEqual([]);
});
