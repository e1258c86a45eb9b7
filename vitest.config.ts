import { tmpdir } from "node:os";
import { cloudflareTest } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";
import { makeMemoryDir } from "./test/support/memory-dir.ts";

// Workerd waits for the disk at every write, and that storage goes with its test.
const disk = tmpdir();
process.env.TMPDIR = makeMemoryDir() ?? disk;

export default defineConfig({
  test: {
    reporters: ["default", "./test/integration/contract-table.ts", "./scripts/count-reporter.ts"],
    projects: [
      {
        test: {
          name: "node",
          include: ["test/{unit,http,contract}/**/*.test.ts"],
          testTimeout: 30_000,
        },
      },
      {
        plugins: [cloudflareTest({ wrangler: { configPath: "./wrangler.toml" } })],
        test: {
          name: "workerd",
          include: ["test/workerd/**/*.test.ts"],
          testTimeout: 30_000,
        },
      },
      {
        test: {
          name: "integration",
          include: ["test/integration/**/*.test.ts"],
          globalSetup: ["./test/integration/setup.ts"],
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: "e2e",
          // Whole processes and a browser, one file after the other and when nothing else runs: they tell real time.
          fileParallelism: false,
          sequence: { groupOrder: 1 },
          // On a disk, as the product is used: what a crash interrupts takes its time.
          env: { TMPDIR: disk },
          include: ["test/e2e/**/*.test.ts"],
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
