import type { Tool } from "./tool.ts";
import { callAgentTool } from "./tools/call-agent.ts";
import { codeTool } from "./tools/code.ts";
import { dbDeleteTool } from "./tools/db-delete.ts";
import { dbFindTool } from "./tools/db-find.ts";
import { dbInsertTool } from "./tools/db-insert.ts";
import { dbUpdateTool } from "./tools/db-update.ts";
import { emailSendTool } from "./tools/email-send.ts";
import { httpRequestTool } from "./tools/http-request.ts";
import { inputTool } from "./tools/input.ts";
import { inputValidationTool } from "./tools/input-validation.ts";
import { jwtGenerateTool } from "./tools/jwt-generate.ts";
import { authMiddlewareTool, jwtVerifyTool } from "./tools/jwt-verify.ts";
import { passwordVerifyTool } from "./tools/password-verify.ts";
import { responseTool } from "./tools/response.ts";
import { transformTool } from "./tools/transform.ts";
import { webSearchTool } from "./tools/web-search.ts";

/** Tools by the name that graphs call them. */
export type Registry = ReadonlyMap<string, Tool>;

const tools: readonly Tool[] = [
  inputTool,
  inputValidationTool,
  dbInsertTool,
  dbFindTool,
  dbUpdateTool,
  dbDeleteTool,
  passwordVerifyTool,
  jwtGenerateTool,
  jwtVerifyTool,
  authMiddlewareTool,
  httpRequestTool,
  emailSendTool,
  webSearchTool,
  transformTool,
  callAgentTool,
  codeTool,
  responseTool,
];

export const toolRegistry: Registry = new Map(tools.map((tool) => [tool.name, tool]));
