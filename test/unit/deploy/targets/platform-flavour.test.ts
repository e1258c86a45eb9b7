import { expect, test } from "vitest";
import { ok } from "../../../../src/core/result.ts";
import { runOnBudget } from "../../../../src/deploy/targets/budget.ts";
import { createFlavourMemory, type Flavour, findFlavour } from "../../../../src/deploy/targets/platform-flavour.ts";
import { createFakeClock } from "../../../support/fake-clock.ts";
import { fixedRandom } from "../../../support/targets/fixtures.ts";

function createScene(answers: Readonly<Record<string, unknown>>) {
  const clock = createFakeClock();
  const asked: string[] = [];
  const memory = createFlavourMemory();
  const platform = {
    name: "archestra-platform",
    baseUrl: "https://archestra.test",
    apiKey: "arch_1",
    secrets: ["arch_1"],
    clock,
    random: fixedRandom,
    fetch: async (url: string) => {
      const { pathname } = new URL(url);
      asked.push(pathname);
      return Response.json(answers[pathname] ?? null, { status: pathname in answers ? 200 : 404 });
    },
  };
  async function flavour(): Promise<Flavour | null> {
    const found = await runOnBudget({ ...platform, timeoutMs: 1_000 }, async (budget) =>
      ok(await findFlavour(platform, memory, budget)),
    );
    return found.ok ? found.value : null;
  }
  return { clock, asked, flavour };
}

const describing = (schema: unknown, schemas: unknown = {}) => ({
  "/openapi.json": {
    paths: { "/api/agents": { post: { requestBody: { content: { "application/json": { schema } } } } } },
    components: { schemas },
  },
});
const NEWER = { type: "object", properties: { initialGrants: { type: "array" } } };

test.each<readonly [string, Readonly<Record<string, unknown>>, Flavour]>([
  ["its fields", describing(NEWER), "1.4"],
  ["fields that it refers to", describing({ $ref: "#/components/schemas/NewAgent" }, { NewAgent: NEWER }), "1.4"],
  ["other fields", describing({ properties: { scope: {} } }, { Unused: NEWER }), "1.3"],
  ["a description without agents", { "/openapi.json": { paths: {} } }, "1.3"],
  ["its version, where it describes nothing", { "/health": { version: "1.4.0-rc.1" } }, "1.4"],
  ["an older version", { "/health": { version: "1.3.15" } }, "1.3"],
  ["a version far off", { "/health": { version: "v2.0" } }, "1.4"],
  ["no version at all", { "/health": "ok" }, "1.3"],
  ["nothing", {}, "1.3"],
])("a platform is known by %s", async (_by, answers, expected) => {
  expect(await createScene(answers).flavour()).toBe(expected);
});

test("what is known of a platform is asked for again only after a while", async () => {
  const scene = createScene(describing(NEWER));
  await scene.flavour();
  await scene.flavour();
  expect(scene.asked).toEqual(["/openapi.json"]);
  await scene.clock.advance(600_000);
  await scene.flavour();
  expect(scene.asked).toHaveLength(2);
});

test("a description as deep as those of real platforms is read", async () => {
  let schema: unknown = NEWER;
  for (let depth = 0; depth < 200; depth++) schema = { items: schema };
  expect(await createScene(describing(schema)).flavour()).toBe("1.4");
});
