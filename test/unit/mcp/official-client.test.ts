import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { expect, onTestFinished, test } from "vitest";
import { listen } from "../../support/node-listener.ts";
import { createProductScene } from "./product-scene.ts";

async function connect(mode: "legacy" | "auto", key = "orx_all") {
  const scene = createProductScene({ phases: ["claimed", "at_target"] });
  const listener = await listen(scene.fetch);
  const client = new Client({ name: "test", version: "1.0.0" }, { versionNegotiation: { mode } });
  onTestFinished(async () => {
    await client.close();
    await listener.close();
  });
  const requestInit = { headers: { Authorization: `Bearer ${key}` } };
  await client.connect(new StreamableHTTPClientTransport(new URL(`${listener.url}/mcp`), { requestInit }));
  return client;
}

/** The client checks every structured answer against the schema that was listed. */
test.each(["legacy", "auto"] as const)("the official client uses all of the product (%s)", async (mode) => {
  const client = await connect(mode);
  const { tools } = await client.listTools();
  expect(tools).toHaveLength(8);
  const named = { serverId: "mcp_1" };
  for (const [name, args] of [
    ["web_search", { query: "weather" }],
    ["list_servers", {}],
    ["get_server", named],
    ["get_server_status", named],
    ["run_server", { ...named, input: { a: 1 } }],
    ["get_logs", named],
  ] as const) {
    const { structuredContent, isError } = await client.callTool({ name, arguments: args });
    expect(isError, name).toBeUndefined();
    expect(structuredContent, name).toBeTypeOf("object");
  }
  const { resources } = await client.listResources();
  const [first] = resources;
  const read = await client.readResource({ uri: String(first?.uri) });
  expect(read.contents).toHaveLength(1);
  expect((await client.listResourceTemplates()).resourceTemplates).toHaveLength(3);
  expect((await client.listPrompts()).prompts).toHaveLength(2);
  const prompt = await client.getPrompt({ name: "design_server", arguments: { goal: "Count words" } });
  expect(prompt.messages).toHaveLength(1);
});

test.each(["legacy", "auto"] as const)("the official client follows a deploy (%s)", async (mode) => {
  const client = await connect(mode);
  const told: number[] = [];
  const deployed = await client.callTool(
    { name: "deploy_server", arguments: { serverId: "mcp_1" } },
    { onprogress: ({ progress }) => told.push(progress) },
  );
  expect(deployed.structuredContent).toMatchObject({ success: true });
  expect(told).toEqual([0, 1, 2, 3]);
});

test("the official client is told of a refusal in words", async () => {
  const client = await connect("auto", "orx_reader");
  const refused = await client.callTool({ name: "undeploy_server", arguments: { serverId: "mcp_1" } });
  expect(refused).toMatchObject({ isError: true, content: [{ text: expect.stringContaining("FORBIDDEN") }] });
});

test("the official client without a key is not let in", async () => {
  await expect(connect("auto", "")).rejects.toThrow();
});
