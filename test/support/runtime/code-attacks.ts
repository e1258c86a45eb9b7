import type { Json } from "../../../src/core/json.ts";

/** What hostile code tries, and what becomes of it: a failure with such a message, or an output that is worth nothing. */
export interface CodeAttack {
  readonly attack: string;
  readonly source: string;
  readonly contained: { readonly failed: RegExp } | { readonly output: Json };
}

const attacks: [attack: string, statements: string, contained: CodeAttack["contained"]][] = [
  [
    "fetch",
    'return (await fetch("http://169.254.169.254/")).status',
    { failed: /not permitted to access the internet/ },
  ],
  [
    "WebSocket",
    'return new WebSocket("ws://127.0.0.1/").readyState',
    { failed: /not permitted to access the internet/ },
  ],
  [
    "EventSource",
    'const e = new EventSource("http://127.0.0.1/"); return new Promise((r) => { e.onopen = () => r(true); e.onerror = () => r(false); })',
    { output: false },
  ],
  ["Cache API", "return typeof caches", { output: "undefined" }],
  ["socket", 'return Object.keys(await import("cloudflare:sockets"))', { failed: /nothing to import/ }],
  ["bindings", 'return Object.keys((await import("cloudflare:workers")).env)', { failed: /nothing to import/ }],
  [
    "calling itself without end",
    'return Object.keys((await import("cloudflare:workers")).exports)',
    { failed: /nothing to import/ },
  ],
  ["file system", 'return Object.keys(await import("node:fs"))', { failed: /No such module/ }],
  ["node:net", 'return Object.keys(await import("node:net"))', { failed: /No such module/ }],
  [
    "node:process",
    'const { default: p } = await import("node:process"); return [Object.keys(p.env), p.getBuiltinModule("fs") ?? null]',
    { output: [[], null] },
  ],
  ["ending the process", '(await import("node:process")).exit(1)', { failed: /process\.exit\(1\)/ }],
  ["code from the internet", 'return await import("https://example.com/a.js")', { failed: /No such module/ }],
  ["code from data", 'return await import("data:text/javascript,export default 1")', { failed: /No such module/ }],
  ["unsafe modules", 'return await import("workerd:unsafe")', { failed: /No such module/ }],
  ["process.env", "return typeof process", { output: "undefined" }],
  [
    "this and globals",
    "return [typeof env, typeof ctx, typeof require, typeof module, typeof Buffer]",
    {
      output: ["undefined", "undefined", "undefined", "undefined", "undefined"],
    },
  ],
  ["eval", 'return eval("1")', { failed: /Code generation from strings disallowed/ }],
  ["Function", 'return new Function("return 1")()', { failed: /Code generation from strings disallowed/ }],
  [
    "WebAssembly",
    "return String(await WebAssembly.compile(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0])))",
    { failed: /disallowed/ },
  ],
  [
    "blocking on shared memory",
    "return Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 60000)",
    {
      failed: /Atomics\.wait cannot be called/,
    },
  ],
  ["Object.prototype", "Object.prototype.isAdmin = true; return ({}).isAdmin", { failed: /not extensible/ }],
  [
    "a caller's constructor.prototype",
    "({})['constructor']['prototype'].isAdmin = 1; return 1",
    { failed: /not extensible/ },
  ],
  [
    "JSON.stringify of its own",
    'JSON.stringify = () => "}{"; JSON.parse = null; return { a: 1 }',
    { output: { a: 1 } },
  ],
  ["Response of its own", "globalThis.Response = null; globalThis.String = null; return 1", { output: 1 }],
  [
    "taking the wrapper over",
    'const w = await import("./wrapper.js"); w.default.fetch = null; return 1',
    { output: 1 },
  ],
  [
    "__proto__ in the result",
    'return JSON.parse(\'{"__proto__":{"isAdmin":true}}\')',
    { failed: /property __proto__/ },
  ],
  ["toJSON that throws", 'return { toJSON() { throw new Error("no") } }', { failed: /threw Error: no/ }],
  ["getter that throws", 'return { get a() { throw new Error("no") } }', { failed: /threw Error: no/ }],
  ["a Proxy without end", "return new Proxy({}, { ownKeys: () => { throw 1 } })", { failed: /threw 1/ }],
  ["a cycle", "const a = {}; a.a = a; return a", { failed: /TypeError: Converting circular structure/ }],
  ["BigInt", "return { n: 1n }", { failed: /TypeError: Do not know how to serialize a BigInt/ }],
  ["a function", "return () => 1", { failed: /TypeError: a function is not JSON/ }],
  ["nothing", "return undefined", { output: null }],
  [
    "an error that lies",
    "throw { get name() { throw 1 }, message: { toString() { throw 1 } } }",
    {
      failed: /threw something that says nothing/,
    },
  ],
  [
    "an error with a page of text",
    'throw new Error("x".repeat(1e7))',
    { failed: /^the code threw Error: x{100,480}$/ },
  ],
  ["2 MB of result", 'return "x".repeat(2e6)', { failed: /larger than/ }],
  [
    "nested without end",
    "let a = []; for (let i = 0; i < 5000; i++) a = [a]; return a",
    { failed: /nests deeper|threw RangeError/ },
  ],
  ["recursion without end", "const f = () => f(); return f()", { failed: /RangeError: Maximum call stack/ }],
  ["a promise that nothing resolves", "return new Promise(() => {})", { failed: /would never generate a response/ }],
  ["a timer beyond its time", "return new Promise((r) => setTimeout(r, 1e9))", { failed: /its time was up/ }],
  ["timers left behind", "setInterval(() => {}, 1); return 1", { output: 1 }],
  [
    "writing to the operator's log",
    'console.log("forged"); console.constructor; return console.error("x") ?? 1',
    { output: 1 },
  ],
];

const modules: CodeAttack[] = [
  {
    attack: "static import",
    source: 'import { env } from "cloudflare:workers"; export default () => env;',
    contained: { failed: /does not provide an export/ },
  },
  {
    attack: "static import of Node",
    source: 'import fs from "node:fs"; export default () => fs;',
    contained: { failed: /No such module/ },
  },
  {
    attack: "no JavaScript",
    source: "export default async (input) => {",
    contained: { failed: /SyntaxError.*\(line 1\)/ },
  },
  {
    attack: "waiting at the top",
    source: "await new Promise(() => {}); export default () => 1;",
    contained: { failed: /Top-level await/ },
  },
  {
    attack: "throwing at the top",
    source: 'throw new Error("top"); export default () => 1;',
    contained: { failed: /threw Error: top/ },
  },
  { attack: "no function", source: "export default 1;", contained: { failed: /not a function/ } },
];

/** Those that need no limit of CPU or memory. */
export const CODE_ATTACKS: readonly CodeAttack[] = [
  ...attacks.map(([attack, statements, contained]) => ({
    attack,
    source: `export default async (input, { outputs }) => { ${statements} };`,
    contained,
  })),
  ...modules,
];
