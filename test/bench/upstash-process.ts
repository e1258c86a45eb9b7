import { startUpstash } from "../support/upstash/upstash.ts";
import { answerParent } from "./child.ts";
import type { UpstashQuestion } from "./upstash.ts";

const upstash = await startUpstash();
let requests = 0;

answerParent(async (question: UpstashQuestion) => {
  if (question === "address") return { url: upstash.url, token: upstash.token };
  // Each is kept until it is counted.
  requests += upstash.requests.splice(0).length;
  return { requests };
});
