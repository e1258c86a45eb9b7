import { describe, expect, test } from "vitest";
import { StorageUnavailable } from "../../../src/core/errors.ts";
import type { Fetch } from "../../../src/core/fetch.ts";
import { createIdSource, systemRandom } from "../../../src/core/ids.ts";
import { ownedData, servers } from "../../../src/storage/documents/collections.ts";
import { createDataApiDocuments, type DataApiOptions } from "../../../src/storage/documents/data-api.ts";
import type { Documents } from "../../../src/storage/documents/documents.ts";
import { DATA_API_ANSWER_MAX_BYTES, DATA_API_TIMEOUT_MS } from "../../../src/storage/documents/limits.ts";
import { createFakeClock } from "../../support/fake-clock.ts";

const KEY = "planted-key-0123456789";
const things = ownedData("owner", "things");

interface Call {
  readonly url: string;
  readonly headers: Record<string, string>;
  readonly body: Record<string, unknown>;
}

type Answer = (call: Call) => Response | Promise<Response>;

/** The adapter in front of a gateway that answers as told. Reads of declared unique fields find none. */
function connect(answer: Answer, options: Partial<DataApiOptions> = {}) {
  const calls: Call[] = [];
  const clock = createFakeClock();
  const fetch: Fetch = async (url, init) => {
    const call = { url, headers: init.headers as Record<string, string>, body: JSON.parse(String(init.body)) };
    if (call.body.collection === "orchestrix_unique_fields") return Response.json({ documents: [] });
    calls.push(call);
    return answer(call);
  };
  const ids = createIdSource(clock, systemRandom);
  const documents = createDataApiDocuments({
    baseUrl: "https://gateway.test/v1",
    apiKey: KEY,
    auth: "api-key",
    database: "db",
    fetch,
    ids,
    clock,
    ...options,
  });
  return { documents, calls, clock };
}

const text = (body: string, status = 200, type = "text/html") =>
  new Response(body, { status, headers: { "content-type": type } });

test("an action is a POST with the common fields and the filter as it is", async () => {
  const { documents, calls } = connect(() => Response.json({ documents: [] }), { dataSource: "Cluster0" });
  await documents.find(things, { filter: { a: { $gt: 1 }, b: [1] }, sort: { a: -1 }, limit: 5 });
  expect(calls).toHaveLength(1);
  expect(calls[0]?.url).toBe("https://gateway.test/v1/action/find");
  expect(calls[0]?.body).toEqual({
    dataSource: "Cluster0",
    database: "db",
    collection: expect.stringMatching(/^data_[0-9a-f]{40}_things$/),
    filter: { a: { $gt: 1 }, b: { $eq: [1] } },
    sort: { a: -1 },
    limit: 5,
  });
});

test.each([
  ["api-key", { "api-key": KEY }],
  ["bearer", { authorization: `Bearer ${KEY}` }],
  ["basic", { authorization: `Basic ${btoa(KEY)}` }],
] as const)("credentials by %s", async (auth, expected) => {
  const { documents, calls } = connect(() => Response.json({ documents: [] }), { auth });
  await documents.ping();
  expect(calls[0]?.headers).toMatchObject({
    "content-type": "application/json",
    accept: "application/json",
    ...expected,
  });
});

test("basic credentials are UTF-8, and without a key there are none", async () => {
  const basic = connect(() => Response.json({ documents: [] }), { auth: "basic", apiKey: "usér:pässword" });
  await basic.documents.ping();
  const sent = basic.calls[0]?.headers.authorization ?? "";
  expect(Buffer.from(sent.replace("Basic ", ""), "base64").toString("utf8")).toBe("usér:pässword");
  const none = connect(() => Response.json({ documents: [] }), { apiKey: undefined });
  await none.documents.ping();
  expect(Object.keys(none.calls[0]?.headers ?? {})).toEqual(["content-type", "accept"]);
});

const PLAIN = {
  _id: "64b000000000000000000001",
  n: 1,
  big: 2 ** 40,
  x: 1.5,
  at: "2026-02-13T10:30:00.000Z",
  list: [1],
};
const ANSWERS = {
  "plain JSON": PLAIN,
  "canonical Extended JSON": {
    _id: { $oid: PLAIN._id },
    n: { $numberInt: "1" },
    big: { $numberLong: "1099511627776" },
    x: { $numberDouble: "1.5" },
    at: { $date: { $numberLong: "1770978600000" } },
    list: [{ $numberInt: "1" }],
  },
  "relaxed Extended JSON": {
    ...PLAIN,
    _id: { $oid: PLAIN._id },
    at: { $date: PLAIN.at },
    x: { $numberDecimal: "1.5" },
  },
};

test.each(Object.entries(ANSWERS))("%s reads back as plain JSON", async (_name, document) => {
  const { documents } = connect(() => Response.json({ documents: [document] }));
  expect(await documents.find(things, { filter: {}, limit: 5 })).toEqual([PLAIN]);
  expect(await documents.findOne(things, {})).toEqual(PLAIN);
});

test("counts are read in either form, under any status of success", async () => {
  const canonical = { matchedCount: { $numberInt: "1" }, modifiedCount: { $numberInt: "0" } };
  for (const [answer, modifiedCount] of [
    [canonical, 0],
    [{ matchedCount: 1, modifiedCount: 1 }, 1],
  ] as const) {
    const { documents } = connect(() => Response.json(answer, { status: 201 }));
    const updated = await documents.updateOne(things, { _id: "x" }, { $set: { a: 1 } });
    expect(updated).toEqual({ ok: true, value: { matchedCount: 1, modifiedCount, upsertedId: null } });
  }
});

test("an upsert's id is known where the gateway does not tell it", async () => {
  const { documents } = connect(() => Response.json({ matchedCount: 0, modifiedCount: 0 }));
  const upserted = await documents.updateOne(things, { _id: "x" }, { $set: { a: 1 } }, { upsert: true });
  expect(upserted).toEqual({ ok: true, value: { matchedCount: 0, modifiedCount: 0, upsertedId: "x" } });
});

describe("a duplicate key is recognised", () => {
  const inserting: readonly (readonly [string, () => Response, readonly string[]])[] = [
    [
      "in Atlas's form",
      () =>
        Response.json(
          {
            error:
              'Failed to insert document: E11000 duplicate key error collection: d.c index: email_1 dup key: { email: "a" }',
            error_code: "MongoDBError",
            link: "https://example.test",
          },
          { status: 400 },
        ),
      ["email"],
    ],
    [
      "in plain text",
      () => text("E11000 duplicate key error collection: d.c index: _id_ dup key: { _id: 1 }", 400),
      ["_id"],
    ],
    ["under 500", () => text('{"error":"(DuplicateKey) E11000 duplicate key error, index: a.b_1"}', 500), ["a.b"]],
    ["by its code", () => Response.json({ error: "duplicate", code: 11000 }, { status: 409 }), ["_id"]],
    ["cut off in the middle", () => text('{"error":"E11000 duplicate key err', 500), ["_id"]],
  ];

  test.each(inserting)("%s", async (_name, duplicate, fields) => {
    const { documents } = connect(({ url }) =>
      url.endsWith("/find") ? Response.json({ documents: [] }) : duplicate(),
    );
    const inserted = await documents.insertOne(things, { _id: "x", email: "a" });
    expect(inserted).toEqual({ ok: false, error: { kind: "duplicate_key", fields } });
  });

  test("under a status of success", async () => {
    const { documents } = connect(({ url }) =>
      url.endsWith("/find") ? Response.json({ documents: [] }) : Response.json({ error: "E11000 duplicate key" }),
    );
    const updated = await documents.updateOne(things, { _id: "x" }, { $set: { email: "a" } });
    expect(updated.ok).toBe(false);
  });
});

const BROKEN: Readonly<Record<string, Answer>> = {
  "a page of HTML": () => text("<html>planted-secret</html>"),
  "an empty body": () => text(""),
  "half a JSON text": () => text('{"documents": [{"_id": "x", "planted-secret', 200, "application/json"),
  "JSON of another shape": () => Response.json({ planted: "planted-secret" }),
  "a list": () => Response.json([1]),
  "documents that are none": () => Response.json({ documents: [1], matchedCount: "1", deletedCount: null }),
  "bytes that are no text": () => new Response(new Uint8Array([0xff, 0xfe, 0x00])),
  "a server error": () => text("planted-secret at 10.0.0.1", 500),
  "a bad gateway": () => text("<html>planted-secret</html>", 502),
  "too many requests": () => Response.json({ error: "planted-secret" }, { status: 429 }),
  "refused credentials": () => Response.json({ error: `planted-secret ${KEY}` }, { status: 401 }),
  "a redirect": () =>
    new Response(null, { status: 302, headers: { location: "https://elsewhere.test/planted-secret" } }),
  "a broken connection": () => Promise.reject(new TypeError(`fetch failed: ${KEY}`)),
  "a stream that breaks": () =>
    new Response(
      new ReadableStream({
        pull(controller) {
          controller.error(new Error("planted-secret"));
        },
      }),
    ),
};

test.each(Object.entries(BROKEN))(
  "%s makes the store unavailable, and nothing of it is repeated",
  async (_name, answer) => {
    const { documents } = connect(answer);
    const operations: readonly ((d: Documents) => Promise<unknown>)[] = [
      (d) => d.findOne(things, { _id: "x" }),
      (d) => d.insertOne(things, { _id: "x" }),
      (d) => d.updateOne(things, { _id: "x" }, { $set: { a: 1 } }),
      (d) => d.deleteMany(things, {}),
      (d) => d.ping(),
    ];
    for (const operation of operations) {
      const error: unknown = await operation(documents).then(
        () => null,
        (thrown: unknown) => thrown,
      );
      expect(error).toBeInstanceOf(StorageUnavailable);
      const written = JSON.stringify(error, Object.getOwnPropertyNames(error));
      expect(written).not.toContain("planted-secret");
      expect(written).not.toContain(KEY);
    }
  },
);

test("a gateway that never answers is given up in time, and its request is aborted", async () => {
  let aborted = false;
  const clock = createFakeClock();
  const documents = createDataApiDocuments({
    baseUrl: "https://gateway.test",
    apiKey: KEY,
    auth: "api-key",
    database: "db",
    clock,
    ids: createIdSource(clock, systemRandom),
    fetch: (_url, init) =>
      new Promise(() => {
        init.signal?.addEventListener("abort", () => {
          aborted = true;
        });
      }),
  });
  const pinged = documents.ping();
  pinged.catch(() => {});
  await clock.advance(DATA_API_TIMEOUT_MS);
  await expect(pinged).rejects.toBeInstanceOf(StorageUnavailable);
  expect(aborted).toBe(true);
});

test("an answer above the limit is not read to its end", async () => {
  let sent = 0;
  const chunk = new Uint8Array(1_048_576).fill(32);
  const { documents } = connect(
    () =>
      new Response(
        new ReadableStream({
          pull(controller) {
            sent += chunk.length;
            controller.enqueue(chunk);
          },
        }),
      ),
  );
  await expect(documents.findOne(things, {})).rejects.toBeInstanceOf(RangeError);
  expect(sent).toBeLessThan(DATA_API_ANSWER_MAX_BYTES + 4 * chunk.length);
});

test("an update that the server finds unfit is a TypeError without the server's words", async () => {
  const { documents } = connect(() =>
    text("Cannot apply $inc to a value of non-numeric type. {_id: \"planted\"} has the field 'a' of type string", 400),
  );
  const error: unknown = await documents.updateOne(things, { _id: "x" }, { $inc: { a: 1 } }).catch((e: unknown) => e);
  expect(error).toBeInstanceOf(TypeError);
  expect(String(error)).not.toContain("planted");
});

test("a find of many goes in pages, since some gateways answer with their first batch only", async () => {
  const { documents, calls } = connect(({ body }) => {
    const { limit = 0, skip = 0 } = body as { limit?: number; skip?: number };
    const all = Array.from({ length: 230 }, (_, n) => ({ _id: String(n).padStart(3, "0") }));
    return Response.json({ documents: all.slice(skip, skip + limit) });
  });
  expect(await documents.find(things, { filter: {}, limit: 250 })).toHaveLength(230);
  expect(calls.map(({ body }) => [body.skip ?? 0, body.limit])).toEqual([
    [0, 100],
    [100, 100],
    [200, 50],
  ]);
});

test("ObjectIds are named in Extended JSON where the gateway reads it", async () => {
  const _id = PLAIN._id;
  const { documents, calls } = connect(({ body }) => {
    const isProbe = body.collection === "orchestrix_migrations";
    return Response.json({ documents: isProbe ? [{ _id: "extended_json", one: 1 }] : [{ _id: { $oid: _id } }] });
  });
  expect(await documents.findOne(servers("o"), { _id })).toEqual({ _id });
  expect(await documents.findOne(servers("o"), { _id })).toEqual({ _id });
  const asked = calls.map(({ body }) => body.filter);
  expect(asked).toEqual([
    { _id: "extended_json", one: { $numberInt: "1" } },
    { _id: { $in: [_id, { $oid: _id }] } },
    { _id: { $in: [_id, { $oid: _id }] } },
  ]);
});

test("a value that looks like Extended JSON or an operator stays a value", async () => {
  const { documents, calls } = connect(() => Response.json({ documents: [] }));
  const regex = { $regularExpression: { pattern: ".*", options: "" } };
  await documents.find(things, { filter: { name: { $in: [regex, "Ada"] }, role: { $ne: { $oid: "x" } } }, limit: 1 });
  await documents.find(things, { filter: { token: { $eq: regex } }, limit: 1 });
  expect(calls.map(({ body }) => body.filter)).toEqual([{ name: "Ada" }, { _id: { $in: [] } }]);
});

test("a unique field that could not be looked at is not declared", async () => {
  const declared: unknown[] = [];
  const fetch: Fetch = async (url, init) => {
    const { collection, update } = JSON.parse(String(init.body));
    if (collection !== "orchestrix_unique_fields") return text("down", 500);
    if (url.endsWith("/find")) return Response.json({ documents: [] });
    declared.push(update);
    return Response.json({ matchedCount: 1, modifiedCount: 1 });
  };
  const { documents } = connect(() => text("never asked"), { fetch });
  const inserting = documents.insertOne(things, { _id: "x", email: "a" }, { unique: ["email"] });
  await expect(inserting).rejects.toBeInstanceOf(StorageUnavailable);
  expect(declared).toEqual([{ $set: { "fields.femail": "email" } }, { $unset: { "fields.femail": "" } }]);
});
