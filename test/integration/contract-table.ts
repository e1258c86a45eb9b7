import type { Reporter, TestModule } from "vitest/node";

const SUITE = /^documents on (.+)$/;

interface Row {
  readonly adapter: string;
  readonly server: string;
  passed: number;
  failed: number;
}

/** Ends a test run with the contract suite's outcome for each adapter and server that it ran on. */
export default class ContractTable implements Reporter {
  onTestRunEnd: NonNullable<Reporter["onTestRunEnd"]> = (modules) => {
    const rows = collectRows(modules);
    if (rows.length === 0) return;
    const lines = [
      ["adapter", "server", "passed", "failed"],
      ...rows.map(({ adapter, server, passed, failed }) => [adapter, server, String(passed), String(failed)]),
    ];
    const widths = [0, 1, 2, 3].map((column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
    console.log("\nThe documents contract");
    for (const line of lines)
      console.log(
        line
          .map((cell, column) => cell.padEnd(widths[column] ?? 0))
          .join("  ")
          .trimEnd(),
      );
    console.log("");
  };
}

function collectRows(modules: readonly TestModule[]): readonly Row[] {
  const rows = new Map<string, Row>();
  for (const module of modules) {
    for (const suite of module.children.allSuites()) {
      const name = SUITE.exec(suite.name)?.[1];
      if (name === undefined) continue;
      const [adapter = name, ...servers] = name.split(" × ");
      const server = servers.length === 0 ? "embedded" : servers.join(" × ");
      const row = rows.get(name) ?? { adapter, server, passed: 0, failed: 0 };
      rows.set(name, row);
      for (const test of suite.children.allTests()) {
        if (test.result().state === "passed") row.passed++;
        else row.failed++;
      }
    }
  }
  return [...rows.values()];
}
