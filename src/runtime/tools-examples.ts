import type { JsonObject } from "../core/json.ts";

const ME = { _id: "{{authMiddleware.sub}}" } as const;

/** A config for each tool, by its name, as a graph could hold it. */
export const toolExamples: ReadonlyMap<string, JsonObject> = new Map<string, JsonObject>([
  ["input", {}],
  ["inputValidation", {}],
  [
    "dbInsert",
    {
      collection: "users",
      document: { email: "{{validation.email}}", password: "{{validation.password}}", name: "{{validation.name?}}" },
      unique: ["email"],
      hash: ["password"],
      hide: ["password"],
    },
  ],
  ["dbFind", { collection: "users", filter: { email: "{{validation.email}}" }, one: true, required: true }],
  [
    "dbUpdate",
    { collection: "users", filter: ME, update: { $set: { name: "{{validation.name}}" }, $inc: { changes: 1 } } },
  ],
  ["dbDelete", { collection: "notes", filter: { _id: "{{request.query.id}}", userId: "{{authMiddleware.sub}}" } }],
  ["passwordVerify", { password: "{{validation.password}}", hash: "{{find.password?}}" }],
  ["jwtGenerate", { claims: { sub: "{{dbInsert._id}}", email: "{{dbInsert.email}}" }, expiresIn: "1h" }],
  ["jwtVerify", { token: "{{input.token}}", secret: "{{secrets.PARTNER_KEY}}", audience: "orders" }],
  ["authMiddleware", {}],
  [
    "httpRequest",
    {
      url: "https://api.example.com/orders/{{validation.orderId}}",
      headers: { Authorization: "Bearer {{secrets.ORDERS_KEY}}" },
      expect: [200],
    },
  ],
  [
    "emailSend",
    { to: "{{validation.email}}", subject: "Welcome", text: "Hello {{validation.name?}}, good to have you." },
  ],
  ["webSearch", { query: "{{input.question}}", maxResults: 5 }],
  ["transform", { fields: { name: "input.first + ' ' + input.last", isAdult: "input.age >= 18" } }],
  ["callAgent", { agentId: "agent_01h455vb4pex5vsknk084sn02q", input: { email: "{{validation.email}}" } }],
  ["code", { source: "export default async (input, { outputs }) => ({ words: input.text.split(/\\s+/).length });" }],
  ["response", { status: 200, body: { success: true, user: "{{dbInsert}}", token: "{{jwtGenerate.token}}" } }],
]);
