import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { jwtVerify } from "jose";
import { deriveSigningKey } from "../src/runtime/agents/signing-key.ts";
import { ROOT } from "./build.ts";

interface DemoStep {
  readonly title: string;
  /** What happened, in words; throws when it is not what should have. */
  readonly run: () => Promise<string>;
}

interface Answer {
  readonly status: number;
  readonly body: AnswerBody;
}

/** The fields that the steps read of any answer; each step checks the status that promises its own. */
interface AnswerBody {
  readonly serverId: string;
  readonly executionOrder: readonly string[];
  readonly agentId: string;
  readonly endpoint: string;
  readonly code: string;
  readonly detail: string;
  readonly errors: readonly { readonly path: string; readonly message: string }[];
  readonly success: boolean;
  readonly user: { readonly email: string };
  readonly token: string;
  readonly ids: readonly string[];
  readonly provider: string;
  readonly degraded: boolean;
  readonly results: readonly { readonly title: string; readonly url: string }[];
  readonly state: string;
  readonly runs: { readonly total: number; readonly failed: number; readonly p50Ms: number | null };
  readonly items: readonly { readonly timestamp: string; readonly type: string }[];
}

const USER = { email: "ada@example.com", password: "correct horse battery", name: "Ada" };
const QUESTION = "how do I deploy a server";

/** The main job, as a client of the HTTP API would do it. Steps share what the earlier ones brought. */
export function createDemoSteps(server: {
  readonly url: string;
  readonly adminApiKey: string;
  readonly ownerId: string;
  readonly encryptionKey: string;
}): readonly DemoStep[] {
  const { ownerId } = server;
  let serverId = "";
  let agentId = "";
  let endpoint = "";
  let token = "";

  async function call(method: string, pathOrUrl: string, body?: unknown): Promise<Answer> {
    const url = new URL(pathOrUrl, server.url);
    const isOurs = !url.pathname.startsWith("/agents/");
    const response = await fetch(url, {
      method,
      headers: {
        ...(isOurs ? { Authorization: `Bearer ${server.adminApiKey}` } : {}),
        ...(body === undefined ? {} : { "Content-Type": "application/json" }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, body: text === "" ? null : JSON.parse(text) };
  }

  const owned = (path: string) => `${path}${path.includes("?") ? "&" : "?"}ownerId=${ownerId}`;

  return [
    {
      title: "Create a server from the Signup API template",
      async run() {
        const template = await call("GET", "/mcp/templates/signup-api");
        expect(template, 200);
        const created = await call("POST", "/mcp/servers", { ...template.body, ownerId });
        expect(created, 201);
        serverId = created.body.serverId;
        return `${serverId}: ${created.body.executionOrder.join(" → ")}`;
      },
    },
    {
      title: "Deploy it",
      async run() {
        const deployed = await call("POST", `/mcp/servers/${serverId}/deploy`, { ownerId });
        expect(deployed, 200);
        ({ agentId, endpoint } = deployed.body);
        return `${agentId} answers at ${endpoint}`;
      },
    },
    {
      title: "Deploy it again: refused",
      async run() {
        const again = await call("POST", `/mcp/servers/${serverId}/deploy`, { ownerId });
        expect(again, 400, "ALREADY_DEPLOYED");
        return again.body.detail;
      },
    },
    {
      title: "Sign a user up at the endpoint",
      async run() {
        const signup = await call("POST", endpoint, USER);
        expect(signup, 200);
        assert(signup.body.success === true && signup.body.user.email === USER.email, "the user is not in the answer");
        assert(!JSON.stringify(signup.body).includes("password"), "the answer holds the password");
        token = signup.body.token;
        return JSON.stringify(signup.body.user);
      },
    },
    {
      title: "Verify the user's token",
      async run() {
        const key = await deriveSigningKey(server.encryptionKey, agentId);
        const { payload } = await jwtVerify(token, key, { issuer: agentId, algorithms: ["HS256"] });
        assert(payload.email === USER.email, "the token is not this user's");
        return `signed by ${payload.iss}, for ${payload.email}`;
      },
    },
    {
      title: "Sign the same user up again: refused",
      async run() {
        const again = await call("POST", endpoint, USER);
        expect(again, 409);
        return again.body.detail;
      },
    },
    {
      title: "Sign up with a bad address: refused",
      async run() {
        const bad = await call("POST", endpoint, { ...USER, email: "no address" });
        expect(bad, 400);
        const fault = bad.body.errors[0];
        assert(fault?.path === "email", "the field is not named");
        return `${fault?.path}: ${fault?.message}`;
      },
    },
    {
      title: "Put this repository's Markdown into the index",
      async run() {
        const documents = await readMarkdownSections();
        const stored = await call("PUT", "/search/documents", { ownerId, documents });
        expect(stored, 200);
        return `${stored.body.ids.length} sections`;
      },
    },
    {
      title: `Search it: "${QUESTION}"`,
      async run() {
        const found = await call("POST", "/search", { query: QUESTION, maxResults: 3, ownerId });
        expect(found, 200);
        assert(found.body.results.length > 0, "nothing was found");
        const titles = found.body.results.map((r) => `${r.title} (${r.url})`);
        return `${found.body.provider}${found.body.degraded ? ", degraded" : ""}\n${titles.join("\n")}`;
      },
    },
    {
      title: "Read its status",
      async run() {
        const status = await poll(
          () => call("GET", owned(`/mcp/servers/${serverId}/status`)),
          ({ body }) => body.runs.total === 3,
        );
        expect(status, 200);
        const { state, runs } = status.body;
        assert(state === "deployed" && runs.total === 3 && runs.failed === 0, JSON.stringify(status.body));
        return `${state}; ${runs.total} runs, ${runs.failed} failed, p50 ${runs.p50Ms} ms`;
      },
    },
    {
      title: "Read its execution log",
      async run() {
        const logs = await call("GET", owned(`/mcp/servers/${serverId}/logs`));
        expect(logs, 200);
        const types = logs.body.items.map((event) => event.type);
        for (const type of ["deployment_start", "deployment_complete", "run_complete"]) {
          assert(types.includes(type), `${type} is missing`);
        }
        return logs.body.items.map((e) => `${e.timestamp} ${e.type}`).join("\n");
      },
    },
  ];
}

function expect(answer: Answer, status: number, code?: string): void {
  const asked = `${status}${code === undefined ? "" : ` ${code}`}`;
  const got = answer.status === status && (code === undefined || answer.body?.code === code);
  assert(got, `expected ${asked}, got ${answer.status}: ${JSON.stringify(answer.body)}`);
}

function assert(condition: boolean, message: string): void {
  if (!condition) throw new Error(message);
}

const POLL_ATTEMPTS = 20;
const POLL_PAUSE_MS = 100;

/** Counts and traces of runs are written after the answer has left, so they may be a moment late. */
async function poll(read: () => Promise<Answer>, done: (answer: Answer) => boolean): Promise<Answer> {
  for (let attempt = 1; ; attempt++) {
    const answer = await read();
    if (done(answer) || attempt === POLL_ATTEMPTS) return answer;
    await new Promise((resolve) => setTimeout(resolve, POLL_PAUSE_MS));
  }
}

/** Every `##` section of every Markdown file at the top of the repository. */
async function readMarkdownSections() {
  const files = (await readdir(ROOT)).filter((name) => name.endsWith(".md"));
  const sections = await Promise.all(
    files.map(async (file) => {
      const text = await readFile(join(ROOT, file), "utf8");
      return text.split(/^## /m).map((section, i) => {
        const [heading = file, ...content] = section.split("\n");
        const title = i === 0 ? file : heading.trim();
        return {
          url: `https://orchestrix.example/${file}?section=${encodeURIComponent(title)}`,
          title,
          content: content.join("\n").trim(),
        };
      });
    }),
  );
  return sections.flat().filter(({ content }) => content !== "");
}
