import { afterAll, beforeAll, expect, test } from "vitest";
import { BASELINE } from "../conformance/baseline.ts";
import { runSuite, scoredScenarios } from "../conformance/run-suite.ts";
import { type FixtureServer, serveFixtures } from "../conformance/serve-fixtures.ts";

let fixtures: FixtureServer;

beforeAll(async () => {
  fixtures = await serveFixtures();
});

afterAll(() => fixtures?.stop());

test.each(Object.keys(BASELINE))(
  "the conformance suite's scored scenarios of %s pass, but for the known ones",
  async (revision) => {
    const scored = await scoredScenarios(revision);
    const faults = await runSuite(fixtures.url, revision);
    const unknown = ["was not run"];
    const failing = scored.flatMap((scenario) => {
      const found = faults.get(scenario) ?? unknown;
      return found.length === 0 ? [] : [{ scenario, found }];
    });
    const known = BASELINE[revision] ?? {};
    expect(failing.filter(({ scenario }) => !Object.hasOwn(known, scenario))).toEqual([]);
    // One that passes by now is taken out of the baseline.
    expect(Object.keys(known).filter((scenario) => !failing.some((failed) => failed.scenario === scenario))).toEqual(
      [],
    );
  },
);
