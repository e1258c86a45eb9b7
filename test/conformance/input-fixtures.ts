import type {
  CallToolResult,
  ClientCapabilities,
  InputRequest,
  InputRequiredResult,
  McpServer,
  RequestStateCodec,
  ServerContext,
} from "@modelcontextprotocol/server";
import * as z from "zod";
import type { McpSdk } from "../../src/mcp/contract.ts";

const name = z.object({ name: z.string() });
const color = z.object({ color: z.string() });
const setting = z.object({ context: z.string() });
const consent = z.object({ ok: z.boolean() });

interface Kit {
  readonly sdk: McpSdk;
  readonly codec: RequestStateCodec;
}

type Answer = CallToolResult | InputRequiredResult;
type Handler = (context: ServerContext, kit: Kit, client: ClientCapabilities) => Answer | Promise<Answer>;

/** Tools and a prompt that answer with a question to the client, and end when they are called again with its answer. */
export function addInputFixtures(server: McpServer, kit: Kit): void {
  const tools: Readonly<Record<string, Handler>> = {
    test_input_required_result_elicitation: greet,
    test_streaming_elicitation: greet,
    test_input_required_result_sampling: askForCapital,
    // Of a client that can't: refused before it is asked.
    test_missing_capability: askForCapital,
    test_input_required_result_list_roots: askForRoots,
    test_input_required_result_request_state: askForConsent,
    test_input_required_result_tampered_state: askForConsent,
    test_input_required_result_multiple_inputs: askForAll,
    test_input_required_result_multi_round: askTwice,
    test_input_required_result_capabilities: askWhatIsPossible,
  };
  for (const [toolName, handle] of Object.entries(tools)) {
    server.registerTool(toolName, { description: `Asks the client: ${toolName}` }, (context) => {
      return handle(context, kit, server.server.getClientCapabilities() ?? {});
    });
  }
  const { inputRequired: ask, acceptedContent } = kit.sdk;
  server.registerPrompt("test_input_required_result_prompt", { description: "Asks for its context" }, ({ mcpReq }) => {
    const given = acceptedContent(mcpReq.inputResponses, "user_context", setting);
    const message = "What context should the prompt use?";
    if (given === undefined) {
      return ask({ inputRequests: { user_context: ask.elicit({ message, requestedSchema: setting }) } });
    }
    return { messages: [{ role: "user", content: { type: "text", text: `In the context of ${given.context}` } }] };
  });
}

function answer(text: string): CallToolResult {
  return { content: [{ type: "text", text }] };
}

function askForName({ sdk }: Kit): InputRequest {
  return sdk.inputRequired.elicit({ message: "What is your name?", requestedSchema: name });
}

function askModel({ sdk }: Kit, text: string, maxTokens: number): InputRequest {
  return sdk.inputRequired.createMessage({ messages: [{ role: "user", content: { type: "text", text } }], maxTokens });
}

const greet: Handler = ({ mcpReq }, kit) => {
  const given = kit.sdk.acceptedContent(mcpReq.inputResponses, "user_name", name);
  return given === undefined
    ? kit.sdk.inputRequired({ inputRequests: { user_name: askForName(kit) } })
    : answer(`Hello, ${given.name}!`);
};

const askForCapital: Handler = ({ mcpReq }, kit) => {
  const { inputResponse, inputRequired } = kit.sdk;
  const given = inputResponse(mcpReq.inputResponses, "capital_question");
  return given.kind === "sampling"
    ? answer(JSON.stringify(given.result.content))
    : inputRequired({ inputRequests: { capital_question: askModel(kit, "What is the capital of France?", 100) } });
};

const askForRoots: Handler = ({ mcpReq }, { sdk }) => {
  const given = sdk.inputResponse(mcpReq.inputResponses, "client_roots");
  return given.kind === "roots"
    ? answer(given.roots.map(({ uri }) => uri).join(", "))
    : sdk.inputRequired({ inputRequests: { client_roots: sdk.inputRequired.listRoots() } });
};

const askForConsent: Handler = async ({ mcpReq }, { sdk, codec }) => {
  const { inputRequired: ask, acceptedContent } = sdk;
  const given = acceptedContent(mcpReq.inputResponses, "confirm", consent);
  if (given !== undefined && mcpReq.requestState() === "asked") return answer("state-ok");
  return ask({
    inputRequests: { confirm: ask.elicit({ message: "Please confirm", requestedSchema: consent }) },
    requestState: await codec.mint("asked"),
  });
};

const askForAll: Handler = async ({ mcpReq }, kit) => {
  const { sdk, codec } = kit;
  const keys = ["user_name", "greeting", "client_roots"];
  const hasAll = keys.every((key) => sdk.inputResponse(mcpReq.inputResponses, key).kind !== "missing");
  if (hasAll && mcpReq.requestState() === "asked") return answer("all three came");
  return sdk.inputRequired({
    inputRequests: {
      user_name: askForName(kit),
      greeting: askModel(kit, "Generate a greeting", 50),
      client_roots: sdk.inputRequired.listRoots(),
    },
    requestState: await codec.mint("asked"),
  });
};

const askTwice: Handler = async ({ mcpReq }, { sdk, codec }) => {
  const { inputRequired: ask, acceptedContent } = sdk;
  const state = mcpReq.requestState();
  const second = acceptedContent(mcpReq.inputResponses, "step2", color);
  if (state === "second" && second !== undefined) return answer(`a name, and ${second.color}`);
  if (state === "first" && acceptedContent(mcpReq.inputResponses, "step1", name) !== undefined) {
    const message = "Step 2: What is your favorite color?";
    return ask({
      inputRequests: { step2: ask.elicit({ message, requestedSchema: color }) },
      requestState: await codec.mint("second"),
    });
  }
  return ask({
    inputRequests: { step1: ask.elicit({ message: "Step 1: What is your name?", requestedSchema: name }) },
    requestState: await codec.mint("first"),
  });
};

const askWhatIsPossible: Handler = (_context, kit, client) => {
  const inputRequests = {
    ...(client.sampling === undefined ? {} : { question: askModel(kit, "Say something", 50) }),
    ...(client.elicitation === undefined ? {} : { user_name: askForName(kit) }),
  };
  return Object.keys(inputRequests).length === 0
    ? answer("this client can be asked nothing")
    : kit.sdk.inputRequired({ inputRequests });
};
