import { expect } from "vitest";
import type { Json } from "../../../../src/core/json.ts";
import { loadExpressions } from "../../../../src/runtime/expressions/load-expressions.ts";
import { toolRegistry } from "../../../../src/runtime/registry.ts";
import { ownedData } from "../../../../src/storage/documents/collections.ts";
import { createFakeClock } from "../../../support/fake-clock.ts";
import { createMemoryDocuments } from "../../../support/memory-documents.ts";
import { testServices } from "../../../support/runtime/step-context.ts";
import { createInternet, outboundOn } from "../outbound/scene.ts";
import { execute, planOf, type Scene, type Step } from "./scene.ts";

export const SECRET = 's3cret "v/lue" +?9';

/** How a secret is written in JSON, in a URL, in a form, and in base64 behind zero to two other bytes. */
const SECRET_FORMS: readonly string[] = [
  SECRET,
  JSON.stringify(SECRET).slice(1, -1),
  encodeURIComponent(SECRET),
  new URLSearchParams({ "": SECRET }).toString().slice(1),
  ...["", "a", "ab"].map((before) => Buffer.from(before + SECRET).toString("base64")),
  ...["", "a", "ab"].map((before) => Buffer.from(before + SECRET).toString("base64url")),
];

const USERS = [
  { _id: "ada", name: "Ada", role: "user", tags: ["a", "b"], password: "none" },
  { _id: "bob", name: "Bob", role: "user", tags: [], note: "{{secrets.KEY}} {{ada.password}}" },
];

/** An upstream that is anybody's: it repeats what it was sent, leads away, is busy, talks on and on, or never answers. */
function answerTo(url: string, init: RequestInit): Response | Promise<Response> {
  switch (new URL(url).pathname) {
    case "/echo":
      return new Response(new Headers(init.headers).get("x-echo"), { headers: { "x-url": url } });
    case "/forms":
      return Response.json({ [SECRET]: SECRET_FORMS });
    case "/rewritten": {
      const sent = new Headers(init.headers).get("x-echo") ?? "";
      const headers = { "x-hex": Buffer.from(sent).toString("hex"), "x-reversed": [...sent].reverse().join("") };
      return new Response(null, { headers });
    }
    case "/away":
      return new Response(null, { status: 307, headers: { location: "https://evil.example/" } });
    case "/busy":
      return new Response("busy", { status: 503 });
    case "/large":
      return new Response("x".repeat(100_000));
    case "/hang":
      return new Promise(() => {});
    default:
      return new Response("reached");
  }
}

export interface AttackScene extends Omit<Scene, "services" | "tools" | "expressions" | "secrets"> {
  /** Time that passes while the attack waits. */
  readonly passesMs?: number;
}

/**
 * Tries a graph with the real tools, the real CEL and documents that the store's own matcher finds, and tells what came
 * of it: the faults where it is not let in, else what the run answered. Whatever that is, no form of the secret may have
 * left, nobody may be an admin or gone, and the forbidden host may not have been asked.
 */
export async function outcomeOf(steps: readonly Step[], scene: AttackScene = {}): Promise<string> {
  const { passesMs = 0, ...given } = scene;
  const clock = createFakeClock();
  const documents = createMemoryDocuments();
  for (const user of USERS) await documents.insertOne(ownedData("user-1", "users"), user);
  const internet = createInternet(answerTo);
  const services = testServices({ documents, clock, outbound: outboundOn(internet.fetch) });
  const whole: Scene = {
    ...given,
    clock,
    services,
    tools: [...toolRegistry.values()],
    expressions: await loadExpressions(),
    secrets: { KEY: SECRET },
  };
  const plan = planOf(steps, whole);
  if (!("stages" in plan)) return `not let in: ${plan.map(({ path, message }) => `${path}: ${message}`).join("; ")}`;
  const { execution, journalled, lines } = execute(steps, whole);
  await clock.advance(passesMs);
  const ended = await execution;
  const left = JSON.stringify([ended, journalled, lines]);
  for (const form of SECRET_FORMS) expect(left).not.toContain(JSON.stringify(form).slice(1, -1));
  expect(documents.named("users").map(({ _id }) => _id)).toEqual(expect.arrayContaining(["ada", "bob"]));
  expect(documents.named("users").filter(({ role }) => role === "admin")).toEqual([]);
  expect(internet.asked.filter(({ url }) => new URL(url).host === "evil.example")).toEqual([]);
  expect(({} as Record<string, Json>).polluted).toBeUndefined();
  const { result } = ended;
  if (!result.ok) return `${result.error.code}: ${result.error.detail}`;
  const { status, body } = result.value;
  return `answered ${status} ${JSON.stringify(body)}`;
}
