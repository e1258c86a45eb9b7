import { expect, test } from "vitest";
import { createProductScene, ORIGIN } from "../unit/mcp/product-scene.ts";

type Scene = ReturnType<typeof createProductScene>;

async function send({ app }: Scene, method: string, params: object = {}, headers: Record<string, string> = {}) {
  const response = await app.request(`${ORIGIN}/mcp`, {
    method: "POST",
    headers: {
      "Content-Type": "application/json",
      Accept: "application/json, text/event-stream",
      Authorization: "Bearer orx_all",
      ...headers,
    },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }),
  });
  return { type: response.headers.get("content-type"), text: await response.text() };
}

test("the product's tools are listed and called inside workerd", async () => {
  const scene = createProductScene();
  const listed = JSON.parse((await send(scene, "tools/list")).text);
  expect(listed.result.tools).toHaveLength(8);
  const called = JSON.parse((await send(scene, "tools/call", { name: "list_servers", arguments: {} })).text);
  expect(called.result.structuredContent.items).toMatchObject([{ serverId: "mcp_1" }]);
});

const MODERN = {
  "io.modelcontextprotocol/protocolVersion": "2026-07-28",
  "io.modelcontextprotocol/clientCapabilities": {},
};
const MODERN_HEADERS = {
  "MCP-Protocol-Version": "2026-07-28",
  "Mcp-Method": "tools/call",
  "Mcp-Name": "deploy_server",
};

test.each([
  ["2025-11-25", {}, {}],
  ["2026-07-28", MODERN, MODERN_HEADERS],
])("a deploy streams its progress inside workerd (%s)", async (_revision, envelope, headers) => {
  const scene = createProductScene({ phases: ["claimed", "at_target"] });
  const params = {
    name: "deploy_server",
    arguments: { serverId: "mcp_1" },
    _meta: { ...envelope, progressToken: "tok" },
  };
  const { type, text } = await send(scene, "tools/call", params, headers);
  expect(type, text).toBe("text/event-stream");
  const messages = [...text.matchAll(/^data: (.+)$/gm)].map(([, data = ""]) => JSON.parse(data));
  expect(messages.map(({ params: told, result }) => told?.progress ?? result?.structuredContent.success)).toEqual([
    0,
    1,
    2,
    3,
    true,
  ]);
});
