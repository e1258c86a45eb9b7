import { expect, test } from "vitest";
import type { Actor } from "../../../../src/core/actor.ts";
import { systemRandom } from "../../../../src/core/ids.ts";
import { createCredentialCheck } from "../../../../src/core/own-credentials.ts";
import { createToRunRequest } from "../../../../src/runtime/execution/run-request.ts";
import { ANYBODY, keyOf } from "../../../support/runtime/runtime.ts";

const ADMIN = "admin.key-with-two.dots-and-length";
const KEY = `orx_0f_${"a".repeat(43)}`;
const JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl";

const toRunRequest = createToRunRequest(createCredentialCheck([ADMIN], systemRandom));

function read(headers: Readonly<Record<string, string>>, query = "", actor: Actor = ANYBODY) {
  const request = new Request(`https://orchestrix.test/agents/agent_1${query}`, { method: "POST", headers });
  return toRunRequest(request, null, actor);
}

test.each([
  ["the scheme of keys", { authorization: `Bearer ${KEY}` }],
  ["no scheme", { authorization: KEY }],
  ["capitals", { authorization: KEY.toUpperCase() }],
  ["another scheme", { authorization: `Token ${ADMIN}` }],
  ["basic credentials", { authorization: `Basic ${btoa(`${ADMIN}:`)}` }],
  ["basic credentials as password", { authorization: `basic ${btoa(`me:${KEY}`)}` }],
  ["another header", { "x-auth": KEY, "api-key": ADMIN, referer: `https://a.test/?k=${ADMIN}`, [KEY]: "1" }],
  ["the proxy's header", { "proxy-authorization": `Bearer ${ADMIN}` }],
  ["our own headers", { "x-api-key": "anything", cookie: "a=b" }],
])("a credential of ours in %s is not there for the graph", (_what, headers) => {
  expect(read({ "x-own": "kept", ...headers }).headers).toEqual({ "x-own": "kept" });
});

test("what the caller is known by is not there, whatever it looks like", () => {
  expect(read({ authorization: "Bearer of-another-form" }, "", keyOf("user-1")).headers).toEqual({});
});

test("a token of the graph's users is its own, also beside a key", () => {
  const authorization = `Bearer ${JWT}`;
  expect(read({ authorization }).headers).toEqual({ authorization });
  expect(read({ authorization, "x-api-key": KEY }, "", keyOf("user-1")).headers).toEqual({ authorization });
});

test("a query parameter with a credential of ours is left out, by name and by value", () => {
  const query = `?a=1&a=2&key=${ADMIN}&t=Bearer+${KEY}&${KEY}=x&enc=${encodeURIComponent(encodeURIComponent(` ${ADMIN}`))}`;
  expect(read({}, query).query).toEqual({ a: "1" });
});
