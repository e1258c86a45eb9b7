import type { Tool } from "./tool.ts";
import { dbFindTool } from "./tools/db-find.ts";
import { dbInsertTool } from "./tools/db-insert.ts";
import { inputTool } from "./tools/input.ts";
import { inputValidationTool } from "./tools/input-validation.ts";
import { jwtGenerateTool } from "./tools/jwt-generate.ts";
import { passwordVerifyTool } from "./tools/password-verify.ts";
import { responseTool } from "./tools/response.ts";
import { webSearchTool } from "./tools/web-search.ts";

/** Tools by the name that graphs call them. */
export type Registry = ReadonlyMap<string, Tool>;

const tools: readonly Tool[] = [
  inputTool,
  inputValidationTool,
  dbInsertTool,
  dbFindTool,
  passwordVerifyTool,
  jwtGenerateTool,
  responseTool,
  webSearchTool,
];

export const toolRegistry: Registry = new Map(tools.map((tool) => [tool.name, tool]));
