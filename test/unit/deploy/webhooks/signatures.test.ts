import { createHmac } from "node:crypto";
import { Webhook } from "standardwebhooks";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { verifyGithubWebhook, verifyStandardWebhook } from "../../../../src/deploy/webhooks/signatures.ts";
import { GITHUB_SECRET, hmac, SECRET, secretOf, signGithub, signMessage, toBytes } from "./harness.ts";

const NOW_MS = Date.parse("2026-02-13T10:30:00.750Z");
const NOW = Math.floor(NOW_MS / 1_000);
const BODY = '{"type":"server.deploy","data":{"serverId":"mcp_1","ownerId":"Zoë ☃ 🐙"}}';

// The oracle looks at the machine's clock.
beforeEach(() => vi.useFakeTimers({ toFake: ["Date"], now: NOW_MS }));
afterEach(() => vi.useRealTimers());

type Given = Readonly<Record<string, string>>;

const readerOf = (given: Given) => ({ get: (name: string) => given[name.toLowerCase()] ?? null });

const ours = (given: Given, body: string | Uint8Array<ArrayBuffer> = BODY, secrets: readonly string[] = [SECRET]) =>
  verifyStandardWebhook(readerOf(given), toBytes(body), secrets, NOW_MS);

function oracle(given: Given, body = BODY, secret = SECRET): boolean {
  try {
    new Webhook(secret).verify(body, given, { jsonParse: false });
    return true;
  } catch {
    return false;
  }
}

async function headersOf(changes: Given = {}, body = BODY, secret = SECRET): Promise<Given> {
  const id = changes["webhook-id"] ?? "msg_2KWPBgLlAfxdpx2AI54pPJ85f4W";
  const timestamp = changes["webhook-timestamp"] ?? String(NOW);
  return {
    "webhook-id": id,
    "webhook-timestamp": timestamp,
    "webhook-signature": await signMessage(id, timestamp, body, secret),
    ...changes,
  };
}

test("what the reference implementation signs is accepted, and it accepts what is signed here", async () => {
  const bodies = [BODY, "", "{}", "\u0000\u007f", `{"a":"${"x".repeat(100_000)}"}`, "no json"];
  const secrets = [secretOf(0, 24), secretOf(255, 64), secretOf(77, 25), SECRET];
  for (const secret of secrets) {
    for (const body of bodies) {
      const signed = new Webhook(secret).sign("msg_1", new Date(NOW_MS), body);
      const given = { "webhook-id": "msg_1", "webhook-timestamp": String(NOW), "webhook-signature": signed };
      expect(await ours(given, body, [secret])).toBe("msg_1");
      const made = await headersOf({}, body, secret);
      expect(oracle(made, body, secret)).toBe(true);
      expect(await ours(made, body, [secret])).toBe(made["webhook-id"]);
    }
  }
});

test("a change of the body, the id or the timestamp breaks the signature", async () => {
  const given = await headersOf();
  expect(await ours(given)).not.toBeNull();
  expect(await ours(given, `${BODY} `)).toBeNull();
  expect(await ours(given, BODY.replace("mcp_1", "mcp_2"))).toBeNull();
  expect(await ours({ ...given, "webhook-id": "msg_other" })).toBeNull();
  expect(await ours({ ...given, "webhook-timestamp": String(NOW - 1) })).toBeNull();
});

test("five minutes late or early is in time, one second more is not, as the reference has it", async () => {
  const verdicts: Record<string, boolean> = {};
  for (const offset of [-301, -300, 0, 300, 301]) {
    const given = await headersOf({ "webhook-timestamp": String(NOW + offset) });
    verdicts[offset] = (await ours(given)) !== null;
    expect(verdicts[offset]).toBe(oracle(given));
  }
  expect(verdicts).toEqual({ "-301": false, "-300": true, 0: true, 300: true, 301: false });
});

test("one good signature among several is enough, whatever stands beside it, as the reference has it", async () => {
  const { "webhook-signature": good = "" } = await headersOf();
  const bad = await signMessage("msg_other", String(NOW), BODY);
  const table: readonly (readonly [header: string, accepted: boolean])[] = [
    [good, true],
    [`${good} ${good}`, true],
    [`${bad} ${good}`, true],
    [`${good} ${bad}`, true],
    [`v1a,${"A".repeat(86)}== v2,abc ${good}`, true],
    [`${good}, ${bad}`, true],
    [`${bad}, ${good}`, true],
    [bad, false],
    [`${bad} ${bad}`, false],
    [good.replace("v1,", "v2,"), false],
    [good.replace("v1,", "v1a,"), false],
    [good.replace("v1,", "V1,"), false],
    [good.replace("v1,", ""), false],
    [good.replace(",", " "), false],
    ["v1,", false],
    ["v1,%%%not-base64%%%", false],
    [`v1,${"=".repeat(44)}`, false],
    [`v1,${"A".repeat(43)}=`, false],
    [good.slice(0, -2), false],
    ["", false],
  ];
  for (const [header, accepted] of table) {
    const given = await headersOf({ "webhook-signature": header });
    expect([header, (await ours(given)) !== null]).toEqual([header, accepted]);
    expect([header, oracle(given)]).toEqual([header, accepted]);
  }
});

test("while secrets are rotated either of them is accepted, and afterwards only the new one", async () => {
  const [before, after, strange] = [secretOf(2), secretOf(3), secretOf(4)];
  const accepted = async (signer: string, secrets: readonly string[]) =>
    (await ours(await headersOf({}, BODY, signer), BODY, secrets)) !== null;
  expect(await accepted(before, [before, after])).toBe(true);
  expect(await accepted(after, [before, after])).toBe(true);
  expect(await accepted(strange, [before, after])).toBe(false);
  expect(await accepted(before, [after])).toBe(false);
});

test("headers that no sender makes are refused although their signature fits", async () => {
  const ids = ["", "a b", "tab\there", "a\r\nb", "é", "☃", "a.b", "x".repeat(257)];
  for (const id of ids) expect([id, await ours(await headersOf({ "webhook-id": id }))]).toEqual([id, null]);
  const times = [
    "",
    "now",
    `+${NOW}`,
    `0${NOW}`,
    `${NOW}.5`,
    `${NOW}abc`,
    ` ${NOW}`,
    "1e9",
    "NaN",
    `-${NOW}`,
    "9".repeat(13),
  ];
  for (const time of times) {
    expect([time, await ours(await headersOf({ "webhook-timestamp": time }))]).toEqual([time, null]);
  }
  const longest = "x".repeat(256);
  expect(await ours(await headersOf({ "webhook-id": longest }))).toBe(longest);
});

test("a header of endless signatures is not gone through", async () => {
  const { "webhook-signature": good = "" } = await headersOf();
  const given = await headersOf({ "webhook-signature": `${good} `.repeat(1_000) });
  expect(await ours(given)).toBeNull();
});

test("without any one of the three headers nothing is accepted", async () => {
  for (const missing of ["webhook-id", "webhook-timestamp", "webhook-signature"]) {
    const { [missing]: _, ...rest } = await headersOf();
    expect(await ours(rest)).toBeNull();
  }
});

test("what is signed is the bytes, also those that are no text", async () => {
  const bytes = new Uint8Array([0x7b, 0xff, 0xfe, 0x00, 0x7d]);
  const signature = await signMessage("msg_1", String(NOW), bytes);
  const given = { "webhook-id": "msg_1", "webhook-timestamp": String(NOW), "webhook-signature": signature };
  expect(await ours(given, bytes)).toBe("msg_1");
  // Both decode to the same replacement characters.
  expect(await ours(given, new Uint8Array([0x7b, 0xfe, 0xff, 0x00, 0x7d]))).toBeNull();
});

const github = (header: string | null, body = "Hello, World!", secrets: readonly string[] = [GITHUB_SECRET]) =>
  verifyGithubWebhook(readerOf(header === null ? {} : { "x-hub-signature-256": header }), toBytes(body), secrets);

test("GitHub's own example is accepted, and nothing else under its signature", async () => {
  const example = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
  expect(await signGithub("Hello, World!")).toBe(example);
  expect(await github(example)).toBe(true);
  expect(await github(example, "Hello, World?")).toBe(false);
  expect(await github(example, "Hello, World!", ["another secret"])).toBe(false);
});

test("a GitHub signature is the whole header, of the right hash, by one of the secrets", async () => {
  const good = await signGithub("Hello, World!");
  const hex = good.slice("sha256=".length);
  expect(await github(good, "Hello, World!", ["old", GITHUB_SECRET])).toBe(true);
  const sha1 = createHmac("sha1", GITHUB_SECRET).update("Hello, World!").digest("hex");
  const refused = [null, "", hex, `sha1=${sha1}`, `sha256=${sha1}`, `${good}, ${good}`, `${good} `, `sha256=${hex}00`];
  for (const header of refused) expect([header, await github(header)]).toEqual([header, false]);
  expect(await github("sha256=zz".padEnd(71, "z"))).toBe(false);
});

test("secrets of any text sign as their UTF-8 bytes", async () => {
  const secret = "geheim ☃";
  const expected = createHmac("sha256", secret).update("x").digest("hex");
  expect(Buffer.from(await hmac(toBytes(secret), toBytes("x"))).toString("hex")).toBe(expected);
  expect(await github(`sha256=${expected}`, "x", [secret])).toBe(true);
});
