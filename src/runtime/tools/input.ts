import * as z from "zod";
import { anyJson } from "../config-schemas.ts";
import { defineTool, output } from "../tool.ts";

export const inputTool = defineTool({
  name: "input",
  description: "Takes the body of the request. Its inputSchema describes the graph's input.",
  config: z.strictObject({}),
  output: anyJson,
  run: (_config, { input }) => output(input),
});
