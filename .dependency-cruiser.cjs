const FEATURES = "servers|deploy|runtime|search|keys|observability|secrets|mcp";

/** Which room may reach into which: see CONTRIBUTING.md. */
module.exports = {
  forbidden: [
    {
      name: "no-circles",
      severity: "error",
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ["type-only"] } },
    },
    {
      name: "core-stands-alone",
      severity: "error",
      from: { path: "^src/core/" },
      to: { path: "^src/", pathNot: "^src/core/" },
    },
    {
      name: "config-knows-only-core",
      severity: "error",
      from: { path: "^src/config/" },
      to: { path: "^src/", pathNot: "^src/(core|config)/" },
    },
    {
      name: "http-knows-no-feature",
      severity: "error",
      from: { path: "^src/http/" },
      to: { path: `^src/(${FEATURES})/` },
    },
    {
      name: "storage-knows-no-feature",
      severity: "error",
      from: { path: "^src/storage/" },
      to: { path: `^src/(${FEATURES}|http)/` },
    },
    {
      name: "features-meet-by-contract",
      comment: "what a feature needs of another is handed to it in compose.ts; it may name the types of it",
      severity: "error",
      from: { path: `^src/(${FEATURES})/` },
      to: {
        path: `^src/(${FEATURES})/`,
        pathNot: ["^src/$1/", "/contract\\.ts$"],
        dependencyTypesNot: ["type-only"],
      },
    },
    {
      name: "adapters-are-picked-in-compose",
      severity: "error",
      from: { path: "^src/", pathNot: "^src/(compose|index)\\.ts$|^src/(composition|storage|search)/" },
      to: {
        path: "^src/storage/.*/(embedded|mongo-|data-api|upstash)|^src/search/(index/durable-index|index/index-object|warming/popularity-(durable|object))",
      },
    },
    {
      name: "nothing-imports-the-composition",
      severity: "error",
      from: { path: "^src/", pathNot: "^src/(index|compose)\\.ts$|^src/composition/" },
      to: { path: "^src/(compose|index)\\.ts$|^src/composition/" },
    },
    {
      name: "the-worker-has-no-files",
      severity: "error",
      from: { path: "^src/" },
      to: { dependencyTypes: ["core"], pathNot: "^(node:)?crypto$" },
    },
    {
      name: "src-needs-no-tests",
      severity: "error",
      from: { path: "^src/" },
      to: { path: "^(test|scripts)/" },
    },
  ],
  options: {
    parser: "swc",
    tsPreCompilationDeps: true,
    doNotFollow: { path: "node_modules" },
    tsConfig: { fileName: "tsconfig.json" },
    enhancedResolveOptions: { extensions: [".ts", ".js", ".json"] },
  },
};
