import { expect, test } from "vitest";
import { systemClock } from "../../../src/core/clock.ts";
import { systemRandom } from "../../../src/core/ids.ts";
import { createGate } from "../../../src/runtime/passwords/gate.ts";
import { createPasswords } from "../../../src/runtime/passwords/passwords.ts";
import { passwordVerifyTool } from "../../../src/runtime/tools/password-verify.ts";
import { startCpuTimer } from "../../support/cpu-time.ts";
import { createFakeClock } from "../../support/fake-clock.ts";
import { testContext, testServices } from "../../support/runtime/step-context.ts";

const passwords = createPasswords({ random: systemRandom, clock: systemClock });

test("a password verifies against its own hash alone, whatever form its letters come in", async () => {
  const hash = await passwords.hash("caf\u00e9 au lait");
  expect(hash).toMatch(/^\$scrypt\$ln=14,r=8,p=5\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/);
  expect(await passwords.verify("cafe\u0301 au lait", hash)).toBe(true);
  expect(await passwords.verify("cafe au lait", hash)).toBe(false);
});

test("a hash of another maker verifies within its bounds", async () => {
  // Python 3: hashlib.scrypt(b"correct horse", salt=b"0123456789abcdef", n=2**10, r=8, p=1, dklen=32)
  const hash = "$scrypt$ln=10,r=8,p=1$MDEyMzQ1Njc4OWFiY2RlZg$6g3umF+uVrJsObaTZhIbbTlgrvOEFcCItdwSjtPF67M";
  expect(await passwords.verify("correct horse", hash)).toBe(true);
});

test("no hash, and one that is none or asks for too much, takes the same work and is false", async () => {
  const hash = "A".repeat(43);
  const hostile = [
    null,
    "",
    "plain text",
    `$scrypt$ln=31,r=8,p=1$AAAA$${hash}`,
    `$scrypt$ln=16,r=16,p=1$AAAA$${hash}`,
    `$scrypt$ln=14,r=8,p=99$AAAA$${hash}`,
    "$scrypt$ln=1,r=1,p=1$AAAA$AAAA",
  ];
  const costOfAHash = await cpuMsOf(() => passwords.hash("x"));
  for (const stored of hostile) {
    const cost = await cpuMsOf(async () => expect(await passwords.verify("x", stored)).toBe(false));
    expect(cost).toBeGreaterThan(costOfAHash / 3);
    expect(cost).toBeLessThan(costOfAHash * 3);
  }
});

async function cpuMsOf(work: () => Promise<unknown>): Promise<number> {
  const cpuMs = startCpuTimer();
  await work();
  return cpuMs();
}

test("passwordVerify answers the same to a wrong password and to an unknown user", async () => {
  const verify = async (password: string, hash: string | null) => hash === `hash of ${password}`;
  const services = testServices({ passwords: { verify, hash: async () => "" } });
  const run = async (config: object) => {
    const bound = passwordVerifyTool.bind({ password: "right", ...config });
    return bound.ok ? bound.value.run(testContext({ services })) : bound.error;
  };
  expect(await run({ hash: "hash of right" })).toEqual({ kind: "output", value: { valid: true } });
  const wrong = await run({ hash: "hash of other" });
  expect(wrong).toMatchObject({ kind: "refuse", error: { code: "UNAUTHENTICATED" } });
  expect(await run({})).toEqual(wrong);
  expect(await run({ hash: null })).toEqual(wrong);
  expect(await run({ status: 403 })).toMatchObject({ error: { code: "FORBIDDEN" } });
  expect(await run({ status: 418 })).toEqual([{ path: "status", message: expect.any(String) }]);
});

test("a gate lets as many in as it has slots, and the others when they are free", async () => {
  const clock = createFakeClock();
  const gate = createGate(clock, { slots: 2, leaseMs: 1_000, pollMs: 10 });
  let running = 0;
  let most = 0;
  const work = () =>
    gate(async () => {
      most = Math.max(most, ++running);
      await new Promise<void>((resolve) => clock.after(100, resolve));
      running--;
    });
  const all = Promise.all(Array.from({ length: 6 }, work));
  await clock.advance(400);
  await all;
  expect(most).toBe(2);
});

test("a slot whose holder was lost is free again after its lease", async () => {
  const clock = createFakeClock();
  const gate = createGate(clock, { slots: 1, leaseMs: 1_000, pollMs: 10 });
  void gate(() => new Promise(() => {}));
  const next = gate(async () => "in");
  await clock.advance(1_010);
  expect(await next).toBe("in");
});

test("who waits at a gate leaves when the signal aborts", async () => {
  const clock = createFakeClock();
  const gate = createGate(clock, { slots: 1, leaseMs: 1_000, pollMs: 10 });
  void gate(() => new Promise(() => {}));
  const controller = new AbortController();
  const waiting = gate(async () => "in", controller.signal);
  controller.abort(new Error("gone"));
  const outcome = expect(waiting).rejects.toThrow("gone");
  await clock.advance(10);
  await outcome;
});
