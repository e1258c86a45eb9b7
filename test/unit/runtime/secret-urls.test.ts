import { describe, expect, test } from "vitest";
import { toolRegistry } from "../../../src/runtime/registry.ts";
import { createFakeClock } from "../../support/fake-clock.ts";
import { testServices } from "../../support/runtime/step-context.ts";
import { execute, planOf, type Scene, statuses } from "./execution/scene.ts";
import { createInternet, outboundOn } from "./outbound/scene.ts";

const tools = [...toolRegistry.values()];
const HOOK = "https://Hooks.Example.com:443/services/T00000000/B00000000/XYZabc?wait=1#a";

function faultsOf(url: string): readonly string[] {
  const plan = planOf(["input", { name: "httpRequest", config: { url } }], { tools });
  return "stages" in plan ? [] : plan.map(({ path, message }) => `${path}: ${message}`);
}

test.each([
  "https://{{secrets.S}}.example.com/v1",
  "https://{{secrets.S}}/v1",
  "https://api.{{secrets.S}}",
  "https://api.example.com{{secrets.S}}",
  "https://api.example.com:{{secrets.S}}/v1",
  "https://ada:{{secrets.S}}@api.example.com/v1",
  "HTTPS:/{{secrets.S}}/v1",
  "https:{{secrets.S}}",
  "{{secrets.S}}://api.example.com/v1",
  "{{secrets.S}}.example.com/v1",
  "{{secrets.BASE}}{{secrets.S}}",
  "{{secrets.BASE}}{{input.path}}",
  "https://{{input.tenant}}.{{secrets.S}}/v1",
  "{{input.base}}{{secrets.S}}",
])("a secret in the host of %s is refused", (url) => {
  const faults = faultsOf(url);
  expect(faults.length).toBeGreaterThan(0);
  expect(faults.join("\n")).toContain("secrets are not available in a URL's host");
});

test.each([
  "{{secrets.WEBHOOK_URL}}",
  "{{secrets.WEBHOOK_URL}}?wait=true",
  "{{secrets.BASE}}/v1/{{secrets.KEY}}",
  "{{secrets.BASE}}/v1/{{input.name}}",
  "https://api.example.com/v1/{{secrets.KEY}}",
  "https://api.example.com?key={{secrets.KEY}}",
  "https://api.example.com:8443/{{secrets.KEY}}",
  "https://{{input.tenant}}.example.com/{{secrets.KEY}}",
  "{{input.base}}/v1?key={{secrets.KEY}}",
])("a secret in %s may stand there", (url) => {
  expect(faultsOf(url)).toEqual([]);
});

type Answer = Parameters<typeof createInternet>[0];

async function call(
  url: string,
  secret: string,
  { answer = () => new Response("ok"), ...scene }: Omit<Scene, "services"> & { readonly answer?: Answer } = {},
) {
  const clock = createFakeClock();
  const internet = createInternet(answer);
  const outbound = outboundOn(internet.fetch, {
    resolve: async (host) => (host.startsWith("gone") ? null : ["93.184.216.34"]),
  });
  const steps = [{ name: "httpRequest", config: { url } }];
  const { execution, lines, journalled } = execute(steps, {
    tools,
    clock,
    services: testServices({ clock, outbound }),
    secrets: { S: secret },
    ...scene,
  });
  await clock.advance(30_000);
  const ended = await execution;
  const { result } = ended;
  return {
    detail: result.ok ? JSON.stringify(result.value.body) : result.error.detail,
    left: JSON.stringify([ended, lines, journalled]).toLowerCase(),
    statuses: statuses(ended),
    asked: internet.asked.map((one) => one.url),
  };
}

describe("where the host is a secret's, nobody is told of it", () => {
  const redirectTo = (location: string) => () => new Response(null, { status: 307, headers: { location } });
  const unreachable = () => Promise.reject(new TypeError("no route"));

  test.each<[string, string, Parameters<typeof call>[2], string]>([
    ["cannot be looked up", "https://gone.Hidden.example/x", {}, "the host could not be looked up, and was not asked"],
    ["cannot be reached", HOOK, { answer: unreachable }, "the host could not be reached"],
    ["does not answer", HOOK, { answer: () => new Promise(() => {}) }, "took longer than 10000 ms"],
    [
      "answers with an error",
      HOOK,
      { answer: () => new Response("no", { status: 404 }) },
      "the host answered with status 404",
    ],
    [
      "answers too much",
      HOOK,
      { answer: () => new Response("x".repeat(2_000)), policy: { maxOutputBytes: 1_000 } },
      "the host answered with more than 1000 bytes",
    ],
    [
      "leads to what may not be asked",
      HOOK,
      { answer: redirectTo("http://hidden.example/") },
      "the host redirects from https to http",
    ],
    [
      "leads to a private host",
      HOOK,
      { answer: redirectTo("https://hidden.internal/") },
      "the host is not the name of a public host",
    ],
    [
      "leads on and on",
      HOOK,
      { answer: redirectTo("https://hidden.example/again") },
      "the host redirects more than 5 times",
    ],
    [
      "is not allowed",
      HOOK,
      { policy: { allowedHosts: ["other.example"] } },
      "the host is not one of the policy's allowed hosts",
    ],
    [
      "is not allowed, in a dry run",
      HOOK,
      { policy: { allowedHosts: ["other.example"] }, dryRun: true },
      "the host is not one of the policy's allowed hosts",
    ],
    ["is private", "http://Hidden.internal/x", {}, "the host is not the name of a public host"],
    ["is never asked", "http://169.254.169.254/hidden", {}, "the host is link-local or a metadata service"],
    ["has a port that is none", "https://hidden.example:22/x", {}, "port 22 of the host is not one for HTTP"],
    ["is none", "https://hid den.example/", {}, "the URL is not a complete http or https URL"],
  ])("when it %s", async (_when, secret, scene, detail) => {
    const { detail: told, left } = await call("{{secrets.S}}", secret, scene);
    expect(told).toContain(detail);
    expect(left).not.toMatch(/hidden|hooks\.example|169\.254/);
  });

  test("and a dry run shows nothing of its path, however it would be written", async () => {
    const { detail, left, asked } = await call("{{secrets.S}}", HOOK, { dryRun: true });
    expect(JSON.parse(detail).body).toEqual({ dryRun: true, would: { method: "GET", url: "[masked]" } });
    expect(left).not.toMatch(/hooks\.example|t00000000|xyzabc/);
    expect(asked).toEqual([]);
  });
});

test("a host that the author wrote is named, whatever secret stands behind it", async () => {
  const { detail } = await call("https://gone.example/{{secrets.S}}", "s3cret-Value");
  expect(detail).toBe("step httpRequest: gone.example could not be looked up, and was not asked");
});

test("a dry run shows no secret of a path, as the URL writes it", async () => {
  const { detail, left } = await call("https://example.org/{{secrets.S}}", 'Tr0ub4dor&3-secret value/with"quote', {
    dryRun: true,
  });
  expect(JSON.parse(detail).body.would.url).toBe("https://example.org/[masked]");
  expect(left).not.toContain("tr0ub4dor");
});
