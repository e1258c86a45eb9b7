import { describe, expect, test } from "vitest";
import { StorageUnavailable } from "../../../../src/core/errors.ts";
import { createSecretMask } from "../../../../src/runtime/execution/secret-mask.ts";
import { fail, output, refuse } from "../../../../src/runtime/tool.ts";
import { startCpuTimer } from "../../../support/cpu-time.ts";
import { createFakeClock } from "../../../support/fake-clock.ts";
import { bodyOf, execute, type Step, statuses, tool } from "./scene.ts";

const KEY = 'k3y "with" spaces/+';
const secrets = { KEY };
const USE = { name: "echo", config: { url: "https://x.example/?q={{secrets.KEY}}", name: "{{input.name}}" } };

test("a secret reaches its tool, and nothing that leaves the run", async () => {
  const seen: unknown[] = [];
  const spy = tool("spy", (config) => {
    seen.push(config);
    return output([config as never, JSON.stringify(config), `q=${encodeURIComponent(KEY)}`]);
  });
  const answer = { name: "response", config: { headers: { "X-Echo": "{{spy[0].key}}" }, body: { all: "{{spy}}" } } };
  const { execution, journalled } = execute([{ name: "spy", config: { key: "{{secrets.KEY}}" } }, answer], {
    tools: [spy],
    secrets,
  });
  const ended = await execution;
  expect(seen).toEqual([{ key: KEY }]);
  expect(ended.result).toEqual({
    ok: true,
    value: {
      status: 200,
      headers: { "x-echo": "[masked]" },
      body: { all: [{ key: "[masked]" }, '{"key":"[masked]"}', "q=[masked]"] },
    },
  });
  expect(ended.trace.steps[0]).toMatchObject({ input: { key: "[masked]" } });
  for (const form of [KEY, JSON.stringify(KEY).slice(1, -1), encodeURIComponent(KEY)]) {
    expect(JSON.stringify([ended, journalled])).not.toContain(JSON.stringify(form).slice(1, -1));
  }
});

test("a secret of digits that comes back as a number is masked in the answer, the trace and what steps read", async () => {
  const send = tool("httpRequest", () =>
    output({ status: 200, body: { n: 9876543210123, list: [-9876543210123, 7] } }),
  );
  const { execution, journalled } = execute(
    [
      { name: "httpRequest", toolId: "first", config: { key: "{{secrets.NUM}}" } },
      { name: "httpRequest", toolId: "second", config: { next: "{{first.body.n}}" } },
      { name: "echo", config: { copy: "{{first.body.n}}", text: "is {{first.body.n}}" } },
      { name: "response", config: { body: { first: "{{first}}", echo: "{{echo}}" } } },
    ],
    { tools: [send], secrets: { NUM: "9876543210123" } },
  );
  const ended = await execution;
  expect(bodyOf(ended)).toEqual({
    first: { status: 200, body: { n: "[masked]", list: ["-[masked]", 7] } },
    echo: { copy: "[masked]", text: "is [masked]" },
  });
  expect(ended.trace.steps[1]?.input).toEqual({ next: "[masked]" });
  expect(JSON.stringify([ended, journalled])).not.toContain("9876543210123");
});

test("secrets are read once, those that the graph names, for the run's owner", async () => {
  const asked: unknown[] = [];
  const readSecrets = async (ownerId: string, names: readonly string[]) => {
    asked.push([ownerId, names]);
    return new Map([["KEY", KEY]]);
  };
  await execute(["input", USE, { ...USE, toolId: "again" }], { readSecrets }).execution;
  expect(asked).toEqual([["user-1", ["KEY"]]]);
  await execute(["input"], { readSecrets }).execution;
  expect(asked).toHaveLength(1);
});

test("a secret that is not set fails the step that uses it, and no other", async () => {
  const ended = await execute(["input", USE]).execution;
  expect(statuses(ended)).toBe("input:ok echo:failed");
  expect(ended.result).toMatchObject({
    ok: false,
    error: { code: "RUN_FAILED", detail: "step echo: the secret KEY is not set" },
  });
  const optional = { name: "echo", config: { key: "{{secrets.KEY?}}", a: 1 } };
  expect(bodyOf(await execute([optional]).execution)).toEqual({ a: 1 });
});

test("a secret in an error is masked, in the answer, the trace and the story", async () => {
  const leaking = tool("leaking", (config) => fail(`upstream said: ${JSON.stringify(config)}`));
  const step = { name: "leaking", config: { key: "{{secrets.KEY}}" } };
  const { result, trace } = await execute([step], { tools: [leaking], secrets }).execution;
  expect(result).toMatchObject({ ok: false, error: { detail: 'step leaking: upstream said: {"key":"[masked]"}' } });
  expect(trace).toMatchObject({
    error: 'step leaking: upstream said: {"key":"[masked]"}',
    steps: [{ error: expect.stringContaining("[masked]") }],
  });
  const story = { name: "echo", config: { why: "{{run.error.message}}" } };
  const told = await execute([{ ...step, onError: "continue" }, story], { tools: [leaking], secrets }).execution;
  expect(bodyOf(told)).toEqual({ why: 'upstream said: {"key":"[masked]"}' });
});

test("a secret in a long error is masked, wherever the error is cut", async () => {
  const secret = `s3cret${"-key".repeat(50)}`;
  for (let before = 250; before < 520; before += 9) {
    const wordy = tool("wordy", ({ key }: any) => fail(`${"x".repeat(before)}${key}`));
    const scene = { tools: [wordy], secrets: { KEY: secret } };
    const { result, trace } = await execute([{ name: "wordy", config: { key: "{{secrets.KEY}}" } }], scene).execution;
    expect(JSON.stringify([result, trace])).not.toContain("s3c");
  }
});

test("a secret in a refusal is masked, in each of its faults", async () => {
  const picky = tool("picky", ({ key }: any) =>
    refuse({ code: "VALIDATION_FAILED", detail: `not ${key}`, errors: [{ path: `a.${key}`, message: `is ${key}` }] }),
  );
  const step = { name: "picky", config: { key: "{{secrets.KEY}}" } };
  const { result, trace } = await execute([step], { tools: [picky], secrets }).execution;
  expect(result).toEqual({
    ok: false,
    error: {
      code: "VALIDATION_FAILED",
      detail: "not [masked]",
      errors: [{ path: "a.[masked]", message: "is [masked]" }],
    },
  });
  expect(trace.steps[0]).toMatchObject({ status: "refused", error: "not [masked]" });
  const heard: unknown[] = [];
  const handler = tool("handler", (config) => {
    heard.push(config);
    return output(null);
  });
  const handled = [
    { ...step, onError: "continue" },
    { name: "handler", config: { why: "{{run.error}}" } },
  ];
  await execute(handled, { tools: [picky, handler], secrets }).execution;
  expect(heard).toEqual([
    {
      why: {
        step: "picky",
        code: "VALIDATION_FAILED",
        message: "not [masked]",
        errors: [{ path: "a.[masked]", message: "is [masked]" }],
      },
    },
  ]);
});

test("a bug that quotes a secret is logged without it", async () => {
  const buggy = tool("buggy", ({ key }: any) => {
    throw new TypeError(`cannot use ${key}`);
  });
  const { execution, lines } = execute([{ name: "buggy", config: { key: "{{secrets.KEY}}" } }], {
    tools: [buggy],
    secrets,
  });
  await execution;
  const logged = lines[0]?.fields.error as Error;
  expect(logged).toMatchObject({ name: "TypeError", message: "cannot use [masked]" });
  expect(logged.stack).not.toContain(KEY);
});

test("a short secret is not shown where the graph uses it", async () => {
  const ended = await execute([{ name: "echo", config: { pin: "{{secrets.PIN}}" } }], { secrets: { PIN: "42" } })
    .execution;
  expect(ended.trace.steps[0]).toMatchObject({ input: { pin: "[masked]" } });
  expect(bodyOf(ended)).toEqual({ pin: "42" });
});

test("expressions and tools find no secrets among what they can read", async () => {
  const peek = tool("peek", (_config, { scope }) => output(scope.has("secrets")));
  expect(bodyOf(await execute([USE, "peek"].slice(1), { tools: [peek], secrets }).execution)).toBe(false);
});

test("what led on at an upstream leads on, secrets in it included, and is masked for whoever does not send", async () => {
  const asked: unknown[] = [];
  const send = tool("httpRequest", (config) => {
    asked.push(config);
    return output({ next: `/list?key=${KEY}&page=2`, sent: config as never });
  });
  const steps: Step[] = [
    { name: "httpRequest", toolId: "first", config: { key: "{{secrets.KEY}}" } },
    { name: "echo", config: { path: "{{first.next}}" } },
    { name: "httpRequest", toolId: "second", config: { path: "{{first.next}}", all: "{{echo}}" } },
  ];
  const seen = { path: "/list?key=[masked]&page=2" };
  const ended = await execute([...steps, { name: "echo", toolId: "end", config: { sent: "{{second.sent}}" } }], {
    tools: [send],
    secrets,
  }).execution;
  expect(asked).toEqual([{ key: KEY }, { path: `/list?key=${KEY}&page=2`, all: seen }]);
  expect(ended.trace.steps.map((step) => step.output)).toEqual([
    { next: "/list?key=[masked]&page=2", sent: { key: "[masked]" } },
    seen,
    { next: "/list?key=[masked]&page=2", sent: { ...seen, all: seen } },
    { sent: { ...seen, all: seen } },
  ]);
  expect(bodyOf(ended)).toEqual({ sent: { ...seen, all: seen } });
});

test("what a caller sends under a secret's name is masked wherever the trace would show it", async () => {
  const input = { password: "hunter2-hunter2", name: "Ada" };
  const step = {
    name: "echo",
    config: { text: "is {{input.password}}", name: "{{input.name}}", none: "{{input.token?}}" },
  };
  const ended = await execute(["input", { ...step, config: { ...step.config, id: 1 } }], { input }).execution;
  expect(ended.trace.steps[1]?.input).toEqual({ text: "is [masked]", name: "Ada", id: 1 });
  expect(bodyOf(ended)).toEqual({ text: "is hunter2-hunter2", name: "Ada", id: 1 });
});

describe("a run whose secrets cannot be read", () => {
  test("answers that the store does not", async () => {
    const readSecrets = () => Promise.reject(new StorageUnavailable("no answer"));
    const { result, trace } = await execute(["input", USE], { readSecrets }).execution;
    expect(result).toMatchObject({ ok: false, error: { code: "STORAGE_UNAVAILABLE" } });
    expect(trace).toMatchObject({ outcome: "failed", status: 503, steps: [] });
  });

  test("answers INTERNAL where that is a bug, which is logged", async () => {
    const readSecrets = () => Promise.reject(new TypeError("no key"));
    const { execution, lines } = execute(["input", USE], { readSecrets });
    expect((await execution).result).toEqual({ ok: false, error: { code: "INTERNAL", detail: "internal error" } });
    expect(lines.map((line) => line.event)).toEqual(["run_bug"]);
  });

  test("ends in its time", async () => {
    const clock = createFakeClock();
    const { execution } = execute(["input", USE], { readSecrets: () => new Promise(() => {}), clock });
    await clock.advance(30_000);
    expect((await execution).trace).toMatchObject({ outcome: "timeout", durationMs: 30_000 });
  });
});

test("a secret is found as forms and base64 write it, wherever it stands in a longer text", () => {
  const mask = createSecretMask([KEY, "kürzer", "tiny"]);
  const asForm = new URLSearchParams({ q: KEY }).toString();
  expect(mask?.text(`${asForm}&b=1`)).toBe("q=[masked]&b=1");
  for (const secret of [KEY, "kürzer"]) {
    for (const before of ["", "a", "ab", "user:"]) {
      for (const encoding of ["base64", "base64url"] as const) {
        const whole = Buffer.from(`${before}${secret} and more`).toString(encoding);
        const masked = mask?.text(`Basic ${whole}`) ?? "";
        expect(masked).toMatch(/^Basic [\w+/-]{0,8}\[masked\][\w+/=-]+$/);
        expect(Buffer.from(masked.split("[masked]")[1] ?? "", "base64").toString()).not.toContain(secret.slice(-4));
      }
    }
  }
  // Its base64 is six characters, which other texts hold as well.
  expect(mask?.text(`tiny ${btoa("tiny")}`)).toBe(`[masked] ${btoa("tiny")}`);
});

test("a secret of the largest size is masked in no time", () => {
  const large = "s3cret/+_".repeat(1_820);
  const cpuMs = startCpuTimer();
  expect(createSecretMask([large])?.text(`a ${btoa(large)} b ${large}`)).toMatch(/^a \[masked\]={0,2} b \[masked\]$/);
  expect(cpuMs()).toBeLessThan(200);
});

test("of secrets that are parts of each other nothing stays", () => {
  const mask = createSecretMask(["abcd", "abcdefgh", "(a+)+$", "abc", ""]);
  expect(mask?.value({ "abcdefgh!": ["xabcdefghx", "abcd", "abc", "(a+)+$", 7, null] })).toEqual({
    "[masked]!": ["x[masked]x", "[masked]", "abc", "[masked]", 7, null],
  });
  expect(createSecretMask(["abc"])).toBeNull();
  expect(createSecretMask(["\ud800bcd"])?.text("x\ud800bcdx")).toBe("x[masked]x");
});
