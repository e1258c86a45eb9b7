import { generateKeyPair, SignJWT, UnsecuredJWT } from "jose";
import { describe, expect, test } from "vitest";
import type { Json, JsonObject } from "../../../../src/core/json.ts";
import { deriveSigningKey } from "../../../../src/runtime/agents/signing-key.ts";
import { planConfig } from "../../../../src/runtime/graph/step-config.ts";
import type { Tool, ToolServices } from "../../../../src/runtime/tool.ts";
import { jwtGenerateTool } from "../../../../src/runtime/tools/jwt-generate.ts";
import { authMiddlewareTool, jwtVerifyTool } from "../../../../src/runtime/tools/jwt-verify.ts";
import { createFakeClock } from "../../../support/fake-clock.ts";
import {
  runTool,
  TEST_AGENT,
  TEST_ENCRYPTION_KEY,
  testContext,
  testServices,
} from "../../../support/runtime/step-context.ts";

const SIGNUP = "agent_0000000000000000000000000a";
const STRANGER = "agent_0000000000000000000000000b";
const SECRET = "a secret of thirty-two bytes or more";
const NOW_SECONDS = createFakeClock().now() / 1_000;

/** The owner has this agent and the signup agent; the third is somebody else's, or gone. */
function services(changes: Partial<ToolServices> = {}): ToolServices {
  return testServices({
    ownsAgent: async (ownerId, agentId) => ownerId === "user-1" && agentId === SIGNUP,
    ...changes,
  });
}

async function tokenOf(agentId: string, config: JsonObject = {}, changes: Partial<ToolServices> = {}) {
  const context = testContext({ services: services(changes), agentId });
  const made = await runTool(jwtGenerateTool, { claims: { sub: "ada" }, ...config }, context);
  if (made.kind !== "output") throw new Error(made.kind);
  return (made.value as { token: string }).token;
}

function verify(
  token: Json | null,
  config: JsonObject = {},
  changes: Partial<ToolServices> = {},
  tool: Tool = jwtVerifyTool,
) {
  const given = token === null ? config : { ...config, token };
  return runTool(tool, given, testContext({ services: services(changes) }));
}

/** A token of any header and payload, signed with the key that its issuer really has. */
async function forge(header: object, payload: JsonObject, agentId = SIGNUP): Promise<string> {
  const key = await deriveSigningKey(TEST_ENCRYPTION_KEY, agentId);
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const text = `${encode(header)}.${encode(payload)}`;
  const hmac = await crypto.subtle.importKey("raw", key, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  const signature = await crypto.subtle.sign("HMAC", hmac, new TextEncoder().encode(text));
  return `${text}.${Buffer.from(signature).toString("base64url")}`;
}

const refusedFor = (detail: string) => ({ kind: "refuse", error: { code: "UNAUTHENTICATED", detail } });
const INVALID = refusedFor("the token is not valid");
const MISSING = refusedFor(expect.stringContaining("Authorization: Bearer") as unknown as string);

const FRESH = { iss: SIGNUP, sub: "ada", iat: NOW_SECONDS, exp: NOW_SECONDS + 60 };

test.each([jwtVerifyTool, authMiddlewareTool])(
  "$name gives the claims of a token of the agent itself",
  async (tool) => {
    const result = await verify(await tokenOf(TEST_AGENT), {}, {}, tool);
    expect(result).toEqual({
      kind: "output",
      value: { sub: "ada", iss: TEST_AGENT, iat: NOW_SECONDS, exp: NOW_SECONDS + 3_600 },
    });
  },
);

test("a token of another agent of the same owner is as good", async () => {
  expect(await verify(await tokenOf(SIGNUP))).toMatchObject({ kind: "output", value: { iss: SIGNUP, sub: "ada" } });
});

test("a token of another owner's agent, or of one that was removed, is refused", async () => {
  expect(await verify(await tokenOf(STRANGER))).toEqual(INVALID);
});

test("who owns the agent is asked for the owner of the run, and only of a signature that holds", async () => {
  const asked: string[] = [];
  const ownsAgent = async (ownerId: string, agentId: string) => asked.push(`${ownerId} ${agentId}`) > 0;
  await verify(await tokenOf(SIGNUP), {}, { ownsAgent });
  expect(asked).toEqual([`user-1 ${SIGNUP}`]);
  const forged = await new SignJWT(FRESH).setProtectedHeader({ alg: "HS256" }).sign(new Uint8Array(32));
  expect(await verify(forged, {}, { ownsAgent })).toEqual(INVALID);
  await verify(await tokenOf(TEST_AGENT), {}, { ownsAgent });
  expect(asked).toHaveLength(1);
});

test("a token that names one agent and is signed with the key of another is refused", async () => {
  expect(await verify(await forge({ alg: "HS256" }, FRESH, STRANGER))).toEqual(INVALID);
  expect(await verify(await forge({ alg: "HS256" }, { ...FRESH, iss: TEST_AGENT }, SIGNUP))).toEqual(INVALID);
});

describe("the token is by default that of the Authorization header", () => {
  async function ask(authorization: string | undefined) {
    const requestHeaders = authorization === undefined ? {} : { authorization };
    return runTool(authMiddlewareTool, {}, testContext({ services: services(), requestHeaders }));
  }

  test.each(["Bearer ", "bearer ", "BEARER   ", ""])("with %j before it", async (prefix) => {
    expect(await ask(`${prefix}${await tokenOf(SIGNUP)}`)).toMatchObject({ kind: "output", value: { sub: "ada" } });
  });

  test.each([undefined, "", "Bearer", "Bearer  ", "  "])("and %j is none", async (authorization) => {
    expect(await ask(authorization)).toEqual(MISSING);
  });

  test("and a scheme of another kind is no token", async () => {
    expect(await ask(`Basic ${btoa("ada:secret")}`)).toEqual(INVALID);
  });
});

describe("what a caller sends as a token is refused with 401, never a failure", () => {
  test.each<[Json]>([
    ["a"],
    ["a.b.c"],
    [".."],
    ["..."],
    ["e30.e30."],
    ["e30.bnVsbA.x"],
    [`${"a".repeat(9_000)}.b.c`],
    ["\u{1f600}.é.\0"],
  ])("%.20j", async (token) => {
    expect(await verify(token)).toEqual(INVALID);
    expect(await verify(token, { secret: SECRET })).toEqual(INVALID);
  });

  test.each<[Json]>([[{ $ne: null }], [["a"]], [7], [true], [{ toString: "x" }]])("%j", async (token) => {
    expect(await verify(token)).toEqual(MISSING);
  });

  test.each<[JsonObject]>([
    [{ iss: null }],
    [{ iss: 7 }],
    [{ iss: ["agent_0000000000000000000000000a"] }],
    [{ iss: { $ne: null } }],
    [{ iss: "" }],
    [{ iss: "constructor" }],
    [{ iss: "agent_../x" }],
  ])("a token with %j", async (claims) => {
    expect(await verify(await forge({ alg: "HS256" }, { ...FRESH, ...claims }))).toEqual(INVALID);
  });
});

describe("algorithms other than HS256 are refused", () => {
  test("none", async () => {
    expect(await verify(new UnsecuredJWT(FRESH).encode())).toEqual(INVALID);
    for (const alg of ["none", "None", "nOnE", ""]) {
      const unsigned = (await forge({ alg }, FRESH)).replace(/[^.]*$/, "");
      expect(await verify(unsigned)).toEqual(INVALID);
      expect(await verify(await forge({ alg }, FRESH))).toEqual(INVALID);
    }
  });

  test("RS256, with a real signature or with our key taken for a public one", async () => {
    const { privateKey } = await generateKeyPair("RS256");
    expect(await verify(await new SignJWT(FRESH).setProtectedHeader({ alg: "RS256" }).sign(privateKey))).toEqual(
      INVALID,
    );
    expect(await verify(await forge({ alg: "RS256" }, FRESH))).toEqual(INVALID);
  });

  test("HS512 with the right key", async () => {
    const key = await deriveSigningKey(TEST_ENCRYPTION_KEY, SIGNUP);
    const long = new Uint8Array([...key, ...key]);
    expect(await verify(await new SignJWT(FRESH).setProtectedHeader({ alg: "HS512" }).sign(long))).toEqual(INVALID);
  });

  test("a header that brings its own key, or asks for what we do not know", async () => {
    const jwk = { kty: "oct", k: Buffer.from(new Uint8Array(32)).toString("base64url") };
    const own = await new SignJWT(FRESH).setProtectedHeader({ alg: "HS256", jwk }).sign(new Uint8Array(32));
    expect(await verify(own)).toEqual(INVALID);
    expect(await verify(await forge({ alg: "HS256", crit: ["x"], x: 1 }, FRESH))).toEqual(INVALID);
    expect(await verify(await forge({ alg: "HS256", crit: ["b64"], b64: false }, FRESH))).toEqual(INVALID);
  });
});

test("time is that of the clock, with a few seconds to spare", async () => {
  const at = (claims: JsonObject) => forge({ alg: "HS256" }, { ...FRESH, ...claims });
  expect(await verify(await at({ exp: NOW_SECONDS - 4 }))).toMatchObject({ kind: "output" });
  expect(await verify(await at({ exp: NOW_SECONDS - 5 }))).toEqual(refusedFor("the token has expired"));
  expect(await verify(await at({ nbf: NOW_SECONDS + 5 }))).toMatchObject({ kind: "output" });
  expect(await verify(await at({ nbf: NOW_SECONDS + 6 }))).toEqual(INVALID);
  const { exp: _, ...endless } = FRESH;
  expect(await verify(await forge({ alg: "HS256" }, endless))).toEqual(INVALID);
  expect(await verify(await at({ exp: "tomorrow" }))).toEqual(INVALID);
});

test("a token expires while the clock goes on", async () => {
  const clock = createFakeClock();
  const token = await tokenOf(SIGNUP, { expiresIn: "15m" }, { clock });
  await clock.advance(14 * 60_000);
  expect(await verify(token, {}, { clock })).toMatchObject({ kind: "output" });
  await clock.advance(2 * 60_000);
  expect(await verify(token, {}, { clock })).toEqual(refusedFor("the token has expired"));
});

test("a token for an audience is for that audience alone", async () => {
  const token = await tokenOf(SIGNUP, { audience: "reset-password" });
  expect(await verify(token, { audience: "reset-password" })).toMatchObject({ kind: "output" });
  expect(await verify(token, { audience: "app" })).toEqual(INVALID);
  expect(await verify(token)).toEqual(INVALID);
  expect(await verify(await tokenOf(SIGNUP), { audience: "app" })).toEqual(INVALID);
});

describe("with a secret", () => {
  const sign = (claims: JsonObject, secret = SECRET) =>
    new SignJWT(claims).setProtectedHeader({ alg: "HS256" }).sign(new TextEncoder().encode(secret));

  test("whoever has it may have made the token", async () => {
    const ownsAgent = async () => false;
    expect(await verify(await sign({ sub: "ada" }), { secret: SECRET }, { ownsAgent })).toEqual({
      kind: "output",
      value: { sub: "ada" },
    });
    const ours = await tokenOf(SIGNUP, { secret: SECRET });
    expect(await verify(ours, { secret: SECRET }, { ownsAgent })).toMatchObject({ kind: "output" });
  });

  test("tokens of another secret, of agents, and expired ones are refused", async () => {
    expect(await verify(await sign({ sub: "ada" }, "b".repeat(32)), { secret: SECRET })).toEqual(INVALID);
    expect(await verify(await tokenOf(TEST_AGENT), { secret: SECRET })).toEqual(INVALID);
    expect(await verify(await sign({ ...FRESH, iss: TEST_AGENT }))).toEqual(INVALID);
    const old = await sign({ exp: NOW_SECONDS - 60 });
    expect(await verify(old, { secret: SECRET })).toEqual(refusedFor("the token has expired"));
    expect(await verify(await sign({ aud: "other" }), { secret: SECRET })).toEqual(INVALID);
  });

  test.each(["", "short", "s".repeat(31)])("that is no good key nothing is verified: %j", (secret) => {
    const bound = jwtVerifyTool.bind({ secret });
    expect(bound.ok).toBe(false);
    expect(bound.ok ? [] : bound.error).toEqual([{ path: "secret", message: "at least 32 bytes" }]);
  });
});

test("without an ENCRYPTION_KEY the step fails and says so", async () => {
  expect(await verify(await tokenOf(SIGNUP), {}, { signingKey: async () => null })).toEqual({
    kind: "fail",
    message: expect.stringContaining("ENCRYPTION_KEY"),
  });
});

test("a token that an author writes as something else than a text is refused when written", () => {
  expect(jwtVerifyTool.check({ token: 5 })).toEqual([{ path: "token", message: "a text is needed" }]);
  expect(jwtVerifyTool.check({ token: "{{input.token}}" })).toEqual([]);
  expect(jwtVerifyTool.bind({ secrt: "x" }).ok).toBe(false);
});

test.each([jwtVerifyTool, authMiddlewareTool, jwtGenerateTool])(
  "$name trusts nobody else because a setting is missing",
  (tool) => {
    for (const name of ["secret", "audience"]) {
      const faults = (text: string) =>
        planConfig({ claims: {}, [name]: text }, tool).faults.map(({ message }) => message);
      expect(faults("{{input.key?}}")).toContainEqual(expect.stringContaining(`${name}: {{input.key?}} is optional`));
      expect(faults("{{input.key}}").filter((message) => message.includes("optional"))).toEqual([]);
    }
  },
);
