import type { CallToolResult, McpServer, ServerContext } from "@modelcontextprotocol/server";
import * as z from "zod";
import type { McpExchange } from "../../src/mcp/contract.ts";
import { addInputFixtures } from "./input-fixtures.ts";

/** The smallest PNG: one red pixel. */
const PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg==";
/** A WAV file of no length. */
const WAV = "UklGRiYAAABXQVZFZm10IBAAAAABAAEAQB8AAAB9AAACABAAZGF0YQIAAAA=";

/** What the conformance suite asks a server to have: its scenarios name each tool, resource and prompt. */
export function buildFixtures(exchange: McpExchange): McpServer {
  const { sdk } = exchange;
  const codec = sdk.createRequestStateCodec({ key: STATE_KEY });
  const server = new sdk.McpServer(
    { name: "conformance-fixtures", version: "1.0.0" },
    {
      capabilities: {
        tools: { listChanged: false },
        resources: { listChanged: false },
        prompts: { listChanged: false },
        logging: {},
        completions: {},
      },
      requestState: { verify: codec.verify },
      // Requests to the client in the middle of a call need a session, which is not served.
      inputRequired: { legacyShim: false },
    },
  );
  addContentTools(server);
  addRunningTools(server);
  addResources(server, exchange);
  addPrompts(server, exchange);
  addInputFixtures(server, { sdk, codec });
  return server;
}

const STATE_KEY = "a key of thirty-two bytes or more";

const text = (words: string) => ({ type: "text" as const, text: words });

function addContentTools(server: McpServer): void {
  const answers: Readonly<Record<string, CallToolResult["content"]>> = {
    test_simple_text: [text("This is a simple text response for testing.")],
    test_image_content: [{ type: "image", data: PNG, mimeType: "image/png" }],
    test_audio_content: [{ type: "audio", data: WAV, mimeType: "audio/wav" }],
    test_embedded_resource: [
      {
        type: "resource",
        resource: {
          uri: "test://embedded-resource",
          mimeType: "text/plain",
          text: "This is an embedded resource content.",
        },
      },
    ],
    test_multiple_content_types: [
      text("Multiple content types test:"),
      { type: "image", data: PNG, mimeType: "image/png" },
      {
        type: "resource",
        resource: {
          uri: "test://mixed-content-resource",
          mimeType: "application/json",
          text: JSON.stringify({ test: "data", value: 123 }),
        },
      },
    ],
  };
  for (const [name, content] of Object.entries(answers)) {
    server.registerTool(name, { description: `Answers with fixed content: ${name}` }, () => ({ content }));
  }
  server.registerTool("test_error_handling", { description: "Always fails" }, () => {
    throw new Error("This tool intentionally returns an error for testing");
  });
}

function addRunningTools(server: McpServer): void {
  server.registerTool("test_tool_with_progress", { description: "Tells its progress" }, async (context) => {
    const { _meta, notify } = context.mcpReq;
    const progressToken = _meta?.progressToken;
    for (const progress of [0, 50, 100]) {
      if (progressToken === undefined) continue;
      await notify({ method: "notifications/progress", params: { progressToken, progress, total: 100 } });
    }
    return { content: [text("done")] };
  });
  const log = async (words: readonly string[], context: ServerContext) => {
    for (const data of words) await context.mcpReq.log("info", data);
    return { content: [text("logged")] };
  };
  server.registerTool("test_tool_with_logging", { description: "Logs three times" }, (context) =>
    log(["Tool execution started", "Tool processing data", "Tool execution completed"], context),
  );
  server.registerTool("test_logging_tool", { description: "Logs once" }, (context) => log(["hello"], context));
}

function addResources(server: McpServer, { sdk }: McpExchange): void {
  server.registerResource(
    "static-text",
    "test://static-text",
    { title: "Text", description: "A static text", mimeType: "text/plain" },
    ({ href }) => ({
      contents: [{ uri: href, mimeType: "text/plain", text: "This is the content of the static text resource." }],
    }),
  );
  server.registerResource(
    "static-binary",
    "test://static-binary",
    { title: "Image", description: "A static image", mimeType: "image/png" },
    ({ href }) => ({ contents: [{ uri: href, mimeType: "image/png", blob: PNG }] }),
  );
  server.registerResource(
    "template",
    new sdk.ResourceTemplate("test://template/{id}/data", { list: undefined }),
    { title: "Template", description: "Data by id", mimeType: "application/json" },
    ({ href }, { id }) => ({
      contents: [
        {
          uri: href,
          mimeType: "application/json",
          text: JSON.stringify({ id, templateTest: true, data: `Data for ID: ${id}` }),
        },
      ],
    }),
  );
}

function addPrompts(server: McpServer, { sdk }: McpExchange): void {
  const user = (content: ReturnType<typeof text> | { type: "image"; data: string; mimeType: string }) => ({
    role: "user" as const,
    content,
  });
  server.registerPrompt("test_simple_prompt", { description: "A prompt without arguments" }, () => ({
    messages: [user(text("This is a simple prompt for testing."))],
  }));
  server.registerPrompt(
    "test_prompt_with_arguments",
    {
      description: "A prompt with two arguments",
      argsSchema: z.object({
        arg1: sdk.completable(z.string().describe("First"), (start) =>
          ["paris", "park", "party"].filter((word) => word.startsWith(start)),
        ),
        arg2: z.string().describe("Second"),
      }),
    },
    ({ arg1, arg2 }) => ({ messages: [user(text(`Prompt with arguments: arg1='${arg1}', arg2='${arg2}'`))] }),
  );
  server.registerPrompt(
    "test_prompt_with_embedded_resource",
    { description: "A prompt that embeds a resource", argsSchema: z.object({ resourceUri: z.string() }) },
    ({ resourceUri: uri }) => ({
      messages: [
        {
          role: "user",
          content: {
            type: "resource",
            resource: { uri, mimeType: "text/plain", text: "Embedded resource content for testing." },
          },
        },
        user(text("Please process the embedded resource above.")),
      ],
    }),
  );
  server.registerPrompt("test_prompt_with_image", { description: "A prompt with an image" }, () => ({
    messages: [
      user({ type: "image", data: PNG, mimeType: "image/png" }),
      user(text("Please analyze the image above.")),
    ],
  }));
}
