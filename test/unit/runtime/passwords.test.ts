import { expect, test } from "vitest";
import { systemClock } from "../../../src/core/clock.ts";
import { systemRandom } from "../../../src/core/ids.ts";
import { ok, type Result } from "../../../src/core/result.ts";
import { createGate } from "../../../src/runtime/passwords/gate.ts";
import { createPasswords } from "../../../src/runtime/passwords/passwords.ts";
import { passwordVerifyTool } from "../../../src/runtime/tools/password-verify.ts";
import { startCpuTimer } from "../../support/cpu-time.ts";
import { createFakeClock } from "../../support/fake-clock.ts";
import { testContext, testServices } from "../../support/runtime/step-context.ts";

const passwords = createPasswords({ random: systemRandom, clock: systemClock });

function unwrap<T>(result: Result<T, string>): T {
  if (!result.ok) throw new Error(result.error);
  return result.value;
}

test("a password verifies against its own hash alone, whatever form its letters come in", async () => {
  const hash = unwrap(await passwords.hash("caf\u00e9 au lait"));
  expect(hash).toMatch(/^\$scrypt\$ln=14,r=8,p=5\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/);
  expect(await passwords.verify("cafe\u0301 au lait", hash)).toEqual(ok(true));
  expect(await passwords.verify("cafe au lait", hash)).toEqual(ok(false));
});

test("a hash of another maker verifies within its bounds", async () => {
  // Python 3: hashlib.scrypt(b"correct horse", salt=b"0123456789abcdef", n=2**10, r=8, p=1, dklen=32)
  const hash = "$scrypt$ln=10,r=8,p=1$MDEyMzQ1Njc4OWFiY2RlZg$6g3umF+uVrJsObaTZhIbbTlgrvOEFcCItdwSjtPF67M";
  expect(await passwords.verify("correct horse", hash)).toEqual(ok(true));
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
    `$scrypt$ln=16,r=8,p=5$AAAA$${hash}`,
    "$scrypt$ln=1,r=1,p=1$AAAA$AAAA",
  ];
  const costOfAHash = await cpuMsOf(() => passwords.hash("x"));
  for (const stored of hostile) {
    const cost = await cpuMsOf(async () => expect(await passwords.verify("x", stored)).toEqual(ok(false)));
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
  const verify = async (password: string, hash: string | null) => ok(hash === `hash of ${password}`);
  const services = testServices({ passwords: { verify, hash: async () => ok("") } });
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

/** Timers that all fall due in one turn, as they do behind work that held the thread for long. */
function createLateClock() {
  let actions: (() => void)[] = [];
  return {
    now: () => 0,
    after(_ms: number, action: () => void) {
      actions.push(action);
      return () => {};
    },
    async turn() {
      const due = actions;
      actions = [];
      for (const action of due) {
        action();
        await new Promise((resolve) => setImmediate(resolve));
      }
    },
  };
}

test("a gate lets one in at a time, in their order, and none in the turn in which another ended", async () => {
  const clock = createLateClock();
  const gate = createGate(clock, { maxWaiting: 9, turns: 1, turnMs: 10, pollMs: 10, lostMs: 1_000 });
  const ended: number[] = [];
  const all = [0, 1, 2, 3].map((n) => gate(async () => ended.push(n)));
  const seen: number[] = [];
  for (let turn = 0; turn < 12; turn++) {
    await clock.turn();
    seen.push(ended.length);
  }
  expect(await Promise.all(all)).toHaveLength(4);
  expect(ended).toEqual([0, 1, 2, 3]);
  const begun = seen.map((count, turn) => count - (seen[turn - 1] ?? 0));
  expect(Math.max(...begun)).toBe(1);
});

test("who comes while work goes on waits until it is over", async () => {
  const clock = createFakeClock();
  const gate = createGate(clock, { maxWaiting: 9, turns: 1, turnMs: 10, pollMs: 10, lostMs: 1_000 });
  let running = 0;
  let most = 0;
  const work = () =>
    gate(async () => {
      most = Math.max(most, ++running);
      await new Promise<void>((resolve) => clock.after(100, resolve));
      running--;
    });
  const all = Promise.all(Array.from({ length: 6 }, work));
  await clock.advance(800);
  await all;
  expect(most).toBe(1);
});

test("a gate before which too many wait takes no more, until one has gone", async () => {
  const clock = createFakeClock();
  const gate = createGate(clock, { maxWaiting: 2, turns: 1, turnMs: 10, pollMs: 10, lostMs: 1_000 });
  const all = [1, 2, 3, 4].map((n) => gate(async () => n));
  expect(await all[3]).toEqual({ ok: false, error: "full" });
  await clock.advance(100);
  expect(await Promise.all(all.slice(0, 3))).toEqual([1, 2, 3].map((value) => ({ ok: true, value })));
  const late = gate(async () => 5);
  await clock.advance(20);
  expect(await late).toEqual({ ok: true, value: 5 });
});

test("work that fails leaves the gate to the next", async () => {
  const clock = createFakeClock();
  const gate = createGate(clock, { maxWaiting: 1, turns: 1, turnMs: 10, pollMs: 10, lostMs: 1_000 });
  const broken = expect(gate(() => Promise.reject(new Error("broken")))).rejects.toThrow("broken");
  const next = gate(async () => "in");
  await clock.advance(50);
  await broken;
  expect(await next).toEqual({ ok: true, value: "in" });
});

test("the place of one whose request was lost is free again after its time", async () => {
  const clock = createFakeClock();
  const gate = createGate(clock, { maxWaiting: 1, turns: 1, turnMs: 10, pollMs: 10, lostMs: 1_000 });
  void gate(() => new Promise(() => {}));
  await clock.advance(10);
  const next = gate(async () => "in");
  await clock.advance(1_020);
  expect(await next).toEqual({ ok: true, value: "in" });
});

test("who waits at a gate leaves when the signal aborts, and its place with it", async () => {
  const clock = createFakeClock();
  const gate = createGate(clock, { maxWaiting: 1, turns: 1, turnMs: 10, pollMs: 10, lostMs: 1_000 });
  void gate(() => new Promise(() => {}));
  const controller = new AbortController();
  const waiting = gate(async () => "in", controller.signal);
  expect(await gate(async () => "in")).toEqual({ ok: false, error: "full" });
  controller.abort(new Error("gone"));
  const outcome = expect(waiting).rejects.toThrow("gone");
  await clock.advance(10);
  await outcome;
  const next = gate(async () => "in");
  await clock.advance(1_020);
  expect(await next).toEqual({ ok: true, value: "in" });
});
