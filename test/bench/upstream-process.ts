import { createServer, type Socket } from "node:net";
import { answerParent } from "./child.ts";
import { createMessageReader, type HttpMessage } from "./http-messages.ts";
import type { UpstreamQuestion } from "./upstream.ts";

const HOST = "127.0.0.1";
const RESULTS = 5;
/** About what Tavily's `content` has by default. */
const SENTENCES_PER_RESULT = 6;

let requests = 0;

answerParent(async (question: UpstreamQuestion) =>
  question === "count" ? { requests } : { ports: await Promise.all(question.delaysMs.map(listen)) },
);

/** Answers every request after `delayMs`. */
function listen(delayMs: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer({ noDelay: true }, (socket) => {
      socket.on("error", () => {});
      socket.on(
        "data",
        createMessageReader((message) => respond(socket, message, delayMs)),
      );
    });
    server.once("error", reject);
    server.listen(0, HOST, () => {
      const address = server.address();
      resolve(typeof address === "object" && address !== null ? address.port : 0);
    });
  });
}

function respond(socket: Socket, { head, body }: HttpMessage, delayMs: number): void {
  requests++;
  const answer = answerTo(head, body.toString("latin1"));
  if (delayMs === 0) socket.write(answer, "latin1");
  else setTimeout(() => socket.write(answer, "latin1"), delayMs);
}

function answerTo(head: string, body: string): string {
  if (head.startsWith("POST /search ")) return ok(searchAnswer(/"query": ?"([^"]*)"/.exec(body)?.[1] ?? ""));
  if (head.startsWith("POST /v1/chat/completions "))
    return ok(chatAnswer(/"content": ?"([^"]*)"/.exec(body)?.[1] ?? ""));
  return "HTTP/1.1 404 Not Found\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}";
}

function ok(json: string): string {
  return `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${json.length}\r\n\r\n${json}`;
}

/** As Tavily answers: about the query, so that nobody takes it for unrelated, and with other URLs for each. */
function searchAnswer(query: string): string {
  const path = query.replaceAll(" ", "-");
  let results = "";
  for (let i = 1; i <= RESULTS; i++) {
    results += `${i === 1 ? "" : ","}{"url":"https://site${i}.example/${path}","title":"${query}, part ${i}","content":"${query}. ${FILLER}","score":${0.99 - i / 20},"raw_content":null}`;
  }
  return `{"query":"${query}","follow_up_questions":null,"answer":null,"images":[],"results":[${results}],"response_time":0.42,"request_id":"00000000-0000-4000-8000-000000000000"}`;
}

/** As OpenAI answers, as long as the other answer. */
function chatAnswer(content: string): string {
  return `{"id":"chatcmpl-1","object":"chat.completion","created":1700000000,"model":"gpt-4o-mini","choices":[{"index":0,"message":{"role":"assistant","content":"${content}. ${CHAT_FILLER}","refusal":null},"logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":10,"completion_tokens":500,"total_tokens":510},"system_fingerprint":"fp_1"}`;
}

const FILLER = "What the page says of it fills a sentence of the usual length, and then comes the next. "
  .repeat(SENTENCES_PER_RESULT)
  .trimEnd();
const CHAT_FILLER = `${FILLER} `.repeat(RESULTS).padEnd(searchAnswer("x".repeat(40)).length - 420, ".");
