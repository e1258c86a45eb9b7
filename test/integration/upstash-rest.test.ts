import { Ratelimit } from "@upstash/ratelimit";
import { Redis } from "@upstash/redis/cloudflare";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { hasRedis, type LocalUpstash, startUpstash } from "../support/upstash/upstash.ts";

/** The stand-in for Upstash's servers must behave as they do, or what is tested on it proves nothing. */
describe.skipIf(!hasRedis())("the REST interface before Redis", () => {
  let upstash: LocalUpstash;

  beforeAll(async () => {
    upstash = await startUpstash();
  });

  afterEach(() => upstash.redis("FLUSHALL"));

  afterAll(async () => {
    await upstash?.close();
  });

  function post(path: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> {
    const authorization = `Bearer ${upstash.token}`;
    return fetch(upstash.url + path, {
      method: "POST",
      headers: { authorization, ...headers },
      body: JSON.stringify(body),
    });
  }

  test("answers one command, several, and a transaction", async () => {
    expect(await (await post("/", ["SET", "k", "é\0"])).json()).toEqual({ result: "OK" });
    const several = await post("/pipeline", [
      ["GET", "k"],
      ["INCR", "k"],
      ["GET", "none"],
      ["INCR", "n"],
    ]);
    expect(several.status).toBe(200);
    const answers = await several.json();
    expect(answers).toEqual([
      { result: "é\0" },
      { error: expect.stringMatching(/^ERR value is not an integer/) },
      { result: null },
      { result: 1 },
    ]);
    expect(
      await (
        await post("/multi-exec", [
          ["INCR", "n"],
          ["INCR", "n"],
        ])
      ).json(),
    ).toEqual([{ result: 2 }, { result: 3 }]);
  });

  test("writes texts in base64 where it is asked to, in lists too, but for OK", async () => {
    const base64 = { "upstash-encoding": "base64" };
    expect(await (await post("/", ["SET", "k", "v"], base64)).json()).toEqual({ result: "OK" });
    const answer = await post("/", ["EVAL", "return {'a', {'b', 1}, redis.call('GET', 'x')}", 0], base64);
    expect(await answer.json()).toEqual({ result: ["YQ==", ["Yg==", 1], null] });
  });

  test("refuses what Upstash refuses", async () => {
    expect((await fetch(upstash.url)).status).toBe(405);
    expect((await post("/", ["PING"], { authorization: "Bearer wrong" })).status).toBe(401);
    expect((await post("/", ["NO-SUCH-COMMAND"])).status).toBe(400);
    expect((await post("/pipeline", "PING")).status).toBe(400);
    expect((await post("/multi-exec", [["NO-SUCH-COMMAND"]])).status).toBe(400);
  });

  test("takes the scripts of the library and its client as they come", async () => {
    const redis = new Redis({ url: upstash.url, token: upstash.token });
    await redis.set("object", { a: ["é", null] });
    expect(await redis.get("object")).toEqual({ a: ["é", null] });
    const limiter = new Ratelimit({ redis, limiter: Ratelimit.slidingWindow(2, "60 s"), ephemeralCache: false });
    const first = await Promise.all([limiter.limit("a"), limiter.limit("a")]);
    expect(first.every(({ success }) => success)).toBe(true);
    expect((await limiter.limit("a")).success).toBe(false);
    const script = "#!lua flags=allow-key-locking\nreturn ARGV[1]";
    const sha = await redis.scriptLoad(script);
    expect(await redis.evalsha(sha, [], ["b"])).toBe("b");
    expect(await redis.scriptExists(sha)).toBeDefined();
  });

  test("remembers each request and its commands", async () => {
    upstash.requests.length = 0;
    await post("/pipeline", [["SET", "k", "v", "PX", 1_000]]);
    expect(upstash.requests).toEqual([
      { path: "/pipeline", commands: [["SET", "k", "v", "PX", "1000"]], authorization: `Bearer ${upstash.token}` },
    ]);
  });

  test("is slow, fails, lies and cuts the connection as it is told", async () => {
    upstash.fault({ kind: "fail" });
    expect((await post("/", ["SET", "k", "v"])).status).toBe(500);
    upstash.fault({ kind: "nonsense", body: "<html>", type: "text/html" });
    expect(await (await post("/", ["SET", "k", "v"])).text()).toBe("<html>");
    expect(await upstash.redis("EXISTS", "k")).toBe(0);
    upstash.fault({ kind: "lie", answer: () => ({ result: 42 }) });
    expect(await (await post("/", ["SET", "k", "v"])).json()).toEqual({ result: 42 });
    upstash.fault({ kind: "drop" });
    await expect(post("/", ["INCR", "n"])).rejects.toThrow();
    upstash.fault({ kind: "slow", ms: 1 });
    expect(await (await post("/", ["INCR", "n"])).json()).toEqual({ result: 2 });
    upstash.fault({ kind: "hang" });
    const hung = fetch(upstash.url, { method: "POST", signal: AbortSignal.timeout(50) });
    await expect(hung).rejects.toThrow();
    upstash.fault(null);
  });
});
