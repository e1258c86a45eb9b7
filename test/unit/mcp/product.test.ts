import { Validator } from "@cfworker/json-schema";
import { expect, test } from "vitest";
import { createProductScene, ORIGIN, RUN_ID, STORE_DOWN } from "./product-scene.ts";

const ENVELOPE = {
  "io.modelcontextprotocol/protocolVersion": "2026-07-28",
  "io.modelcontextprotocol/clientCapabilities": {},
};

type Scene = ReturnType<typeof createProductScene>;

interface Options {
  readonly key?: string | null;
  readonly modern?: boolean;
  readonly headers?: Readonly<Record<string, string>>;
}

async function send({ app }: Scene, method: string, params: object = {}, options: Options = {}) {
  const { key = "orx_all", modern = false, headers = {} } = options;
  const { name, uri } = params as { name?: string; uri?: string };
  const _meta = { ...(params as { _meta?: object })._meta, ...(modern ? ENVELOPE : {}) };
  const response = await app.request(`${ORIGIN}/mcp`, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
      ...(key === null ? {} : { authorization: `Bearer ${key}` }),
      ...(modern ? { "mcp-protocol-version": "2026-07-28", "mcp-method": method } : {}),
      ...(modern && (name ?? uri) !== undefined ? { "mcp-name": name ?? uri ?? "" } : {}),
      ...headers,
    },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params: { ...params, _meta } }),
  });
  const text = await response.text();
  const type = response.headers.get("content-type");
  const messages =
    type === "text/event-stream"
      ? [...text.matchAll(/^data: (.+)$/gm)].map(([, data = ""]) => JSON.parse(data))
      : [text === "" ? null : JSON.parse(text)];
  return { status: response.status, headers: response.headers, type, text, messages, body: messages.at(-1) };
}

async function callTool(scene: Scene, name: string, args: object = {}, options: Options = {}) {
  const answer = await send(scene, "tools/call", { name, arguments: args }, options);
  expect(answer.status, answer.text).toBe(200);
  return answer.body.result;
}

const ALL = [
  "web_search",
  "list_servers",
  "get_server",
  "get_server_status",
  "deploy_server",
  "undeploy_server",
  "run_server",
  "get_logs",
];

test.each([false, true])("the tools are listed in one order, each described for a model (2026: %s)", async (modern) => {
  const { body, headers } = await send(createProductScene(), "tools/list", {}, { modern });
  const { tools } = body.result;
  expect(tools.map((tool: { name: string }) => tool.name)).toEqual(ALL);
  for (const tool of tools) {
    expect(Object.keys(tool).sort()).toEqual(
      ["annotations", "description", "inputSchema", "name", "outputSchema", "title"].sort(),
    );
    expect(Object.keys(tool.annotations)).toHaveLength(4);
    expect(tool.inputSchema).toMatchObject({ type: "object", additionalProperties: false });
    expect(tool.outputSchema.type).toBe("object");
    // What some validators refuse, and some clients don't follow.
    expect(JSON.stringify([tool.inputSchema, tool.outputSchema])).not.toMatch(/"\$ref"|"id":"[A-Z]/);
  }
  expect(headers.get("cache-control")).toBe("no-store");
  if (modern) expect(body.result).toMatchObject({ cacheScope: "private", ttlMs: 300_000 });
});

test.each<[string, readonly string[]]>([
  ["orx_reader", ["list_servers", "get_server", "get_server_status", "get_logs"]],
  ["orx_searcher", ["web_search"]],
  ["orx_admin", ALL],
])("the key %s sees what its scopes allow", async (key, names) => {
  const { body } = await send(createProductScene(), "tools/list", {}, { key });
  expect(body.result.tools.map((tool: { name: string }) => tool.name)).toEqual(names);
});

test("a tool that a key does not see is refused to it by the scope", async () => {
  const scene = createProductScene();
  const refused = await callTool(scene, "deploy_server", { serverId: "mcp_1" }, { key: "orx_reader" });
  expect(refused.isError).toBe(true);
  expect(JSON.parse(refused.content[0].text)).toEqual({
    code: "FORBIDDEN",
    detail: "this key lacks the scope deploy",
  });
  expect(scene.records[0]?.deployment.state).toBe("draft");
});

test("every tool's structured answer matches the schema that was listed", async () => {
  const scene = createProductScene();
  const { tools } = (await send(scene, "tools/list")).body.result;
  const named = { serverId: "mcp_1" };
  const calls: Readonly<Record<string, object>> = {
    web_search: { query: "weather" },
    list_servers: {},
    get_server: named,
    get_server_status: named,
    deploy_server: named,
    undeploy_server: named,
    run_server: { ...named, input: [1] },
    get_logs: { ...named, limit: 2 },
  };
  for (const tool of tools) {
    const result = await callTool(scene, tool.name, calls[tool.name]);
    expect(result.isError, result.content[0].text).toBeUndefined();
    const { valid, errors } = new Validator(tool.outputSchema, "2020-12").validate(result.structuredContent);
    expect(valid, `${tool.name}: ${JSON.stringify(errors)}`).toBe(true);
    expect(JSON.parse(result.content[0].text)).toEqual(result.structuredContent);
    const given = new Validator(tool.inputSchema, "2020-12").validate(calls[tool.name]);
    expect(given.valid, `${tool.name}: ${JSON.stringify(given.errors)}`).toBe(true);
  }
});

test("lists page by their cursor", async () => {
  const scene = createProductScene({ serverIds: ["mcp_1", "mcp_2", "mcp_3"] });
  const first = await callTool(scene, "list_servers", { limit: 2 });
  expect(first.structuredContent).toMatchObject({
    items: [{ serverId: "mcp_1" }, { serverId: "mcp_2" }],
    nextCursor: "mcp_2",
  });
  expect(first.structuredContent.items[0]).not.toHaveProperty("tools");
  const second = await callTool(scene, "list_servers", { limit: 2, cursor: "mcp_2" });
  expect(second.structuredContent).toMatchObject({ items: [{ serverId: "mcp_3" }], nextCursor: null });
});

test.each<[string, object, string]>([
  ["get_server", {}, "serverId"],
  ["get_server", { serverId: "../x" }, "serverId"],
  ["get_server", { serverId: "mcp_1", extra: 1 }, ""],
  ["list_servers", { limit: 0 }, "limit"],
  ["list_servers", { limit: "5" }, "limit"],
  ["web_search", { query: " " }, "query"],
  ["deploy_server", { serverId: "mcp_1", target: "moon" }, "target"],
  ["list_servers", { ownerId: { $ne: null } }, "ownerId"],
])("%s refuses the arguments %j by their field", async (name, args, path) => {
  const refused = await callTool(createProductScene(), name, args);
  expect(refused.isError).toBe(true);
  expect(refused.structuredContent).toBeUndefined();
  const { code, errors } = JSON.parse(refused.content[0].text);
  expect([code, errors[0].path]).toEqual(["VALIDATION_FAILED", path]);
});

test("a failure is told by its code, with what helps to go on", async () => {
  const scene = createProductScene();
  const failure = async (...call: Parameters<typeof callTool> extends [Scene, ...infer Rest] ? Rest : never) => {
    const result = await callTool(scene, ...call);
    expect(result.isError).toBe(true);
    return JSON.parse(result.content[0].text);
  };
  await callTool(scene, "deploy_server", { serverId: "mcp_1" });
  expect(await failure("deploy_server", { serverId: "mcp_1" })).toMatchObject({
    code: "ALREADY_DEPLOYED",
    agentId: expect.stringMatching(/^agent_/),
  });
  expect(await failure("web_search", { query: "nothing answers" })).toMatchObject({
    code: "SEARCH_UNAVAILABLE",
    retryAfterSeconds: 5,
  });
  expect(await failure("get_server", { serverId: "mcp_9" })).toMatchObject({ code: "NOT_FOUND" });
  expect(await failure("get_server", { serverId: "mcp_1" }, { key: "orx_other" })).toMatchObject({ code: "NOT_FOUND" });
  expect(await failure("get_server", { serverId: "mcp_1", ownerId: "user-2" })).toMatchObject({ code: "FORBIDDEN" });
});

test("an admin key names the owner it acts for", async () => {
  const scene = createProductScene();
  const admin = { key: "orx_admin" };
  const unnamed = await callTool(scene, "deploy_server", { serverId: "mcp_1" }, admin);
  expect(JSON.parse(unnamed.content[0].text)).toMatchObject({ errors: [{ path: "ownerId" }] });
  const named = await callTool(scene, "deploy_server", { serverId: "mcp_1", ownerId: "user-1" }, admin);
  expect(named.structuredContent).toMatchObject({ success: true, serverId: "mcp_1" });
  expect((await send(scene, "resources/list", {}, admin)).body.result.resources).toEqual([]);
  const read = await send(scene, "resources/read", { uri: "orchestrix://servers?ownerId=user-1" }, admin);
  expect(JSON.parse(read.body.result.contents[0].text).items).toMatchObject([{ serverId: "mcp_1" }]);
});

test.each([false, true])("a run is named in its answer, which a list is not (2026: %s)", async (modern) => {
  const scene = createProductScene();
  const params = { name: "run_server", arguments: { serverId: "mcp_1" } };
  const ran = await send(scene, "tools/call", params, { modern });
  expect(ran.headers.get("x-run-id")).toBe(RUN_ID);
  expect(ran.body.result).toMatchObject({ _meta: { "orchestrix/runId": RUN_ID } });
  const listed = await send(scene, "tools/call", { name: "list_servers", arguments: {} }, { modern });
  expect(listed.headers.get("x-run-id")).toBeNull();
  const unknown = await send(scene, "tools/call", { ...params, arguments: { serverId: "mcp_9" } }, { modern });
  expect(unknown.body.result.isError).toBe(true);
  expect(unknown.headers.get("x-run-id")).toBeNull();
});

test("a run that answers as failed is an error with its whole answer", async () => {
  const scene = createProductScene();
  const named = { serverId: "mcp_1" };
  const failed = await callTool(scene, "run_server", { ...named, input: "fail", dryRun: true });
  expect(failed).toMatchObject({
    isError: true,
    structuredContent: { success: false, status: 400 },
    _meta: { "orchestrix/runId": RUN_ID },
  });
  await callTool(scene, "run_server", named, {
    headers: { traceparent: "00-a-b-01", "cf-connecting-ip": "192.0.2.1" },
  });
  expect(scene.runs).toMatchObject([
    { input: "fail", dryRun: true },
    { input: null, dryRun: false, trace: { traceparent: "00-a-b-01", tracestate: null }, callerAddress: "192.0.2.1" },
  ]);
});

test.each([false, true])("a deploy tells its phases to who asks for progress (2026: %s)", async (modern) => {
  const scene = createProductScene({ phases: ["claimed", "at_target"] });
  const params = { name: "deploy_server", arguments: { serverId: "mcp_1" }, _meta: { progressToken: "tok" } };
  const { type, messages, headers } = await send(scene, "tools/call", params, { modern });
  expect(type).toBe("text/event-stream");
  expect(headers.get("cache-control")).toBe("no-store");
  const told = messages.filter(({ method }) => method === "notifications/progress");
  expect(told.map(({ params: { progressToken, progress, total } }) => [progressToken, progress, total])).toEqual(
    [0, 1, 2, 3].map((done) => ["tok", done, 3]),
  );
  expect(messages.at(-1)).toMatchObject({ id: 1, result: { structuredContent: { success: true } } });
});

test("a deploy whose caller asks for no progress, or takes no stream, is answered in JSON", async () => {
  const scene = createProductScene({ phases: ["claimed"] });
  const params = { name: "deploy_server", arguments: { serverId: "mcp_1" } };
  expect((await send(scene, "tools/call", params)).type).toBe("application/json");
  const asking = { ...params, _meta: { progressToken: 7 } };
  const json = { headers: { accept: "application/json" } };
  const refused = await send(scene, "tools/call", asking, json);
  expect([refused.type, refused.body.result.isError]).toEqual(["application/json", true]);
});

test("an anonymous caller is told where the resource is described, and finds it there", async () => {
  const scene = createProductScene();
  for (const key of [null, "orx_wrong", "aaa.bbb.ccc"]) {
    const refused = await send(scene, "tools/list", {}, { key });
    expect([refused.status, refused.body.code]).toEqual([401, "UNAUTHENTICATED"]);
    const url = /resource_metadata="([^"]+)"/.exec(refused.headers.get("www-authenticate") ?? "")?.[1];
    expect(url).toBe(`${ORIGIN}/.well-known/oauth-protected-resource/mcp`);
    const described = await scene.app.request(String(url));
    expect(await described.json()).toEqual({
      resource: `${ORIGIN}/mcp`,
      resource_name: "Orchestrix",
      resource_documentation: `${ORIGIN}/docs`,
      bearer_methods_supported: ["header"],
    });
  }
});

test("the root and every agent's MCP server are described as well", async () => {
  const { app } = createProductScene();
  const well = (path: string) => app.request(`${ORIGIN}/.well-known/oauth-protected-resource${path}`);
  expect(await (await well("")).json()).toMatchObject({ resource: `${ORIGIN}/mcp` });
  const path = "/agents/agent_00000000000000000000000001/mcp";
  expect(await (await well(path)).json()).toMatchObject({ resource: `${ORIGIN}${path}` });
  expect((await well("/agents/nobody/mcp")).status).toBe(404);
});

test("GET and DELETE answer 405: there are no sessions", async () => {
  const { app } = createProductScene();
  for (const method of ["GET", "DELETE"]) {
    const refused = await app.request(`${ORIGIN}/mcp`, { method, headers: { authorization: "Bearer orx_all" } });
    expect([refused.status, refused.headers.get("allow")]).toEqual([405, "POST"]);
  }
});

test("another host, and a page of another origin, are refused", async () => {
  const scene = createProductScene();
  const page = await send(scene, "tools/list", {}, { headers: { origin: "https://evil.example" } });
  expect([page.status, page.body.code]).toEqual([403, "FORBIDDEN"]);
  const request = new Request("https://evil.example/mcp", {
    method: "POST",
    headers: { authorization: "Bearer orx_all" },
  });
  expect((await scene.app.fetch(request)).status).toBe(403);
});

test("a server is read as a resource, and its log too", async () => {
  const scene = createProductScene({ serverIds: ["mcp_1", "mcp_2"] });
  const { resources } = (await send(scene, "resources/list", {}, { modern: true })).body.result;
  expect(resources.map(({ uri }: { uri: string }) => uri)).toEqual([
    "orchestrix://servers",
    "orchestrix://servers/mcp_1",
    "orchestrix://servers/mcp_1/logs",
    "orchestrix://servers/mcp_2",
    "orchestrix://servers/mcp_2/logs",
  ]);
  for (const { uri } of resources) {
    const { result } = (await send(scene, "resources/read", { uri }, { modern: true })).body;
    expect(result).toMatchObject({
      ttlMs: 0,
      cacheScope: "private",
      contents: [{ uri, mimeType: "application/json" }],
    });
    expect(() => JSON.parse(result.contents[0].text)).not.toThrow();
  }
  const templates = (await send(scene, "resources/templates/list")).body.result.resourceTemplates;
  expect(templates.map(({ uriTemplate }: { uriTemplate: string }) => uriTemplate)).toEqual([
    "orchestrix://servers/{serverId}",
    "orchestrix://servers/{serverId}/logs",
    "orchestrix://servers{?ownerId}",
  ]);
});

test("resources page by the cursor of their list", async () => {
  const serverIds = Array.from({ length: 25 }, (_, at) => `mcp_${String(at).padStart(2, "0")}`);
  const scene = createProductScene({ serverIds });
  const first = (await send(scene, "resources/list")).body.result;
  expect(first.nextCursor).toBe("mcp_19");
  const second = (await send(scene, "resources/list", { cursor: first.nextCursor })).body.result;
  expect(second.resources[0].uri).toBe("orchestrix://servers/mcp_20");
  expect(second.nextCursor).toBeUndefined();
});

test.each(["", "-", "a:b", "no cursor", '{"$gt":""}', "x".repeat(65)])("%j is no cursor of servers", async (cursor) => {
  const scene = createProductScene();
  const detail = "cursor: a nextCursor of an earlier page";
  for (const key of ["orx_all", "orx_admin"]) {
    const { error } = (await send(scene, "resources/list", { cursor }, { key })).body;
    expect(error).toEqual({ code: -32_602, message: detail });
  }
  const listed = await callTool(scene, "list_servers", { cursor });
  expect(JSON.parse(listed.content[0].text)).toMatchObject({ code: "VALIDATION_FAILED", detail });
});

test.each([
  "orchestrix://servers/mcp_9",
  "orchestrix://servers/../keys",
  "orchestrix://servers/mcp_1/logs/",
  "orchestrix://keys",
  "orchestrix://servers?ownerId=%E0%A4%A",
  "file:///etc/passwd",
  "",
])("there is no resource %j", async (uri) => {
  const { body } = await send(createProductScene(), "resources/read", { uri });
  expect(body.error.code).toBeLessThan(0);
  expect(body.error.data).toEqual({ uri });
});

test("another owner's resource is as absent as none", async () => {
  const scene = createProductScene();
  const read = (uri: string) => send(scene, "resources/read", { uri }, { key: "orx_other", modern: true });
  const theirs = await read("orchestrix://servers/mcp_1");
  const none = await read("orchestrix://servers/mcp_9");
  expect(theirs.status).toBe(none.status);
  expect(theirs.text.replaceAll("mcp_1", "mcp_9")).toBe(none.text);
});

test("a key that may not read servers has neither resources nor the prompt that needs them", async () => {
  const scene = createProductScene();
  const key = "orx_searcher";
  expect((await send(scene, "resources/list", {}, { key })).body.error.code).toBe(-32_601);
  expect((await send(scene, "prompts/list", {}, { key })).body.result.prompts).toMatchObject([
    { name: "design_server" },
  ]);
  const refused = await send(
    scene,
    "prompts/get",
    { name: "diagnose_server", arguments: { serverId: "mcp_1" } },
    { key },
  );
  expect(refused.body.error.code).toBe(-32_602);
});

test("every argument of every tool is described, and a search's with its limits", async () => {
  const { tools } = (await send(createProductScene(), "tools/list")).body.result;
  for (const { name, inputSchema } of tools) {
    for (const [argument, schema] of Object.entries<{ description?: string }>(inputSchema.properties)) {
      expect(schema.description?.length, `${name}.${argument}`).toBeGreaterThan(10);
    }
  }
  const { properties } = tools.find(({ name }: { name: string }) => name === "web_search").inputSchema;
  expect(properties).toMatchObject({
    query: { minLength: 1, maxLength: 400 },
    maxResults: { minimum: 1, maximum: 20, default: 5 },
    includeDomains: { maxItems: 20 },
    excludeDomains: { maxItems: 20 },
    timeRange: { anyOf: [{ enum: ["day", "week", "month", "year"] }, { type: "null" }] },
    cache: { enum: ["default", "bypass", "only"] },
  });
});

test("prompts bring the steps to choose from, and what is known of a server", async () => {
  const scene = createProductScene();
  const { prompts } = (await send(scene, "prompts/list")).body.result;
  expect(prompts.map(({ name }: { name: string }) => name)).toEqual(["design_server", "diagnose_server"]);
  const textOf = async (name: string, args: object) =>
    (await send(scene, "prompts/get", { name, arguments: args })).body.result.messages[0].content.text;
  const design = await textOf("design_server", { goal: "Count words" });
  expect(design).toContain("`response`: Ends the run with its answer.");
  expect(design).toContain(
    "config: {collection: string, document: object, unique?: string[], hash?: string[], hide?: string[]}\n" +
      '  example: {"collection":"users"',
  );
  expect(design).toContain(
    'timeRange?: "day" | "week" | "month" | "year" | null = null, includeDomains?: string[] = []',
  );
  expect(design).toContain("config: {status?: 200..599 = 200, headers?: {[name]: string}, body?: any}");
  expect(design).toContain(`${ORIGIN}/docs/tools.json`);
  expect(design).toContain(`curl ${ORIGIN}/mcp/servers `);
  expect(design.endsWith("The goal:\nCount words")).toBe(true);
  const diagnosis = await textOf("diagnose_server", { serverId: "mcp_1" });
  expect(diagnosis).toContain('"state": "draft"');
  expect(diagnosis).toContain("Event 0");
});

test.each([
  ["design_server", {}],
  ["design_server", { goal: " " }],
  ["diagnose_server", { serverId: "mcp_9" }],
  ["no_prompt", {}],
])("the prompt %s refuses %j", async (name, args) => {
  const { body } = await send(createProductScene(), "prompts/get", { name, arguments: args });
  expect(body.error.code).toBe(-32_602);
});

test("a bug of ours, and a store that went away, say nothing of themselves", async () => {
  const secret = "mongodb://user:hunter2@db.example";
  for (const [broken, text] of [
    [new Error(secret), '{"code":"INTERNAL","detail":"internal error"}'],
    [STORE_DOWN, '{"code":"STORAGE_UNAVAILABLE","detail":"the documents store does not answer; try again soon"}'],
  ] as const) {
    const scene = createProductScene({ broken });
    const failed = await send(scene, "tools/call", { name: "list_servers", arguments: {} });
    expect(failed.body.result).toEqual({ content: [{ type: "text", text }], isError: true });
    const read = await send(scene, "resources/read", { uri: "orchestrix://servers" });
    expect(read.body.error).toMatchObject({ code: -32_603, message: expect.stringContaining(JSON.parse(text).detail) });
    expect(failed.text + read.text).not.toContain("hunter2");
    expect(scene.lines).toHaveLength(2);
  }
});

test.each<[string, object, string]>([
  ["tools/list", { cursor: 5 }, "cursor: must be a string, not a number"],
  ["tools/call", { arguments: {} }, "name: required"],
  ["tools/call", { name: "list_servers", arguments: [] }, "arguments: must be an object, not an array"],
  ["prompts/list", { cursor: {} }, "cursor: must be a string, not an object"],
  ["prompts/get", { name: "design_server", arguments: { goal: 5 } }, "arguments.goal: must be a string, not a number"],
  ["prompts/get", {}, "name: required"],
  ["resources/list", { cursor: null }, "cursor: must be a string, not null"],
  ["resources/templates/list", { cursor: 5 }, "cursor: must be a string, not a number"],
  ["resources/read", {}, "uri: required"],
])("%s says what is wrong with the params %j", async (method, params, detail) => {
  for (const modern of [false, true]) {
    const { status, body } = await send(createProductScene(), method, params, { modern });
    expect([status, body.id, body.error.code]).toEqual([200, 1, -32_602]);
    expect(body.error.message).toBe(detail);
    expect(body.error.data).toBeUndefined();
  }
});

test("wrong params of what a key may not use, and of what is no method, don't change how it is refused", async () => {
  for (const [method, modern, status] of [
    ["resources/read", false, 200],
    ["resources/read", true, 404],
    ["initialize", true, 404],
    ["tools/destroy", true, 404],
  ] as const) {
    const refused = await send(createProductScene(), method, {}, { modern, key: "orx_searcher" });
    expect([method, refused.status, refused.body.error.code]).toEqual([method, status, -32_601]);
  }
});

test("a tool of another name is no tool", async () => {
  const { body } = await send(createProductScene(), "tools/call", { name: "constructor", arguments: {} });
  expect(body.error).toMatchObject({ code: -32_602 });
});

test("2026-07-28 clients discover the product, and its subscriptions end at once", async () => {
  const scene = createProductScene();
  const { body } = await send(scene, "server/discover", {}, { modern: true });
  expect(body.result).toMatchObject({
    capabilities: { tools: {}, prompts: {}, resources: {} },
    supportedVersions: expect.arrayContaining(["2026-07-28"]),
    instructions: expect.stringContaining("deploy_server"),
  });
  const listened = await send(
    scene,
    "subscriptions/listen",
    { notifications: { toolsListChanged: true } },
    { modern: true },
  );
  expect(listened.messages.map(({ method, result }) => method ?? result.resultType)).toEqual([
    "notifications/subscriptions/acknowledged",
    "complete",
  ]);
});
