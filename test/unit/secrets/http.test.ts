import { expect, test } from "vitest";
import type { Actor } from "../../../src/core/actor.ts";
import { describeApi } from "../../../src/http/openapi.ts";
import { createSecretEndpoints } from "../../../src/secrets/routes.ts";
import { createMemoryDocuments } from "../../support/memory-documents.ts";
import { createScene, createSecretHttp, keyOf } from "./secret-scene.ts";

const VALUE = "correct-horse-battery-staple";
const ADMIN: Actor = { kind: "admin", id: "admin" };

function serve(actor: Actor = keyOf("ada"), options: Parameters<typeof createScene>[0] = {}) {
  const documents = createMemoryDocuments();
  const scene = createScene({ documents, ...options });
  return {
    ...scene,
    documents,
    http: createSecretHttp(scene.service, actor),
    as: (other: Actor) => createSecretHttp(scene.service, other),
  };
}

test("a first put answers 201, a further one 200, and neither holds the value", async () => {
  const { http, clock } = serve();
  const created = await http.put("/secrets/API_KEY", { value: VALUE });
  expect(created.status).toBe(201);
  expect(created.body).toEqual({
    name: "API_KEY",
    createdAt: "2026-02-13T10:30:00.000Z",
    updatedAt: "2026-02-13T10:30:00.000Z",
    version: 1,
  });
  await clock.advance(1_000);
  const replaced = await http.put("/secrets/API_KEY", { value: VALUE });
  expect(replaced.status).toBe(200);
  expect(replaced.body).toEqual({ ...created.body, updatedAt: "2026-02-13T10:30:01.000Z", version: 2 });
  expect(replaced.headers.get("cache-control")).toBe("no-store");
});

test("a secret is read and listed without its value, and goes with a delete", async () => {
  const { http } = serve();
  await http.put("/secrets/API_KEY", { value: VALUE });
  const one = await http.get("/secrets/API_KEY");
  expect([one.status, Object.keys(one.body)]).toEqual([200, ["name", "createdAt", "updatedAt", "version"]]);
  expect((await http.get("/secrets")).body).toEqual({ items: [one.body], nextCursor: null });
  expect((await http.delete("/secrets/API_KEY")).status).toBe(204);
  const gone = await http.delete("/secrets/API_KEY");
  expect([gone.status, gone.body.code]).toEqual([404, "NOT_FOUND"]);
  expect((await http.get("/secrets/API_KEY")).status).toBe(404);
  expect((await http.get("/secrets")).body).toEqual({ items: [], nextCursor: null });
});

test("a list pages in order of the names, to the end and without repeating", async () => {
  const { http, store } = serve();
  const names = Array.from({ length: 70 }, (_, i) => `N${String(i).padStart(2, "0")}`);
  for (const name of names.toReversed()) await store("ada", name, VALUE);
  await store("ad", "OF_ANOTHER", VALUE);
  await store("ada2", "OF_ANOTHER", VALUE);
  const seen: string[][] = [];
  for (let cursor: string | null = ""; cursor !== null; ) {
    const page = await http.get(`/secrets?limit=30${cursor === "" ? "" : `&cursor=${cursor}`}`);
    seen.push(page.body.items.map(({ name }: { name: string }) => name));
    cursor = page.body.nextCursor;
  }
  expect(seen.map(({ length }) => length)).toEqual([30, 30, 10]);
  expect(seen.flat()).toEqual(names);
});

test.each([
  "__proto__",
  "constructor",
  "prototype",
  "1ABC",
  "A-B",
  "A.B",
  "A%20B",
  "A%2FB",
  "A%00",
  "%24where",
  "A%0A",
  "%C3%84",
  "x".repeat(65),
])("the name %s is refused by every route", async (name) => {
  const { http, documents } = serve();
  const replies = [
    await http.put(`/secrets/${name}`, { value: VALUE }),
    await http.get(`/secrets/${name}`),
    await http.delete(`/secrets/${name}`),
  ];
  expect(replies.map(({ status, body }) => [status, body.code])).toEqual(replies.map(() => [400, "VALIDATION_FAILED"]));
  expect(documents.all()).toEqual([]);
});

test.each(["_", "a", "A1_b", "toString", "hasOwnProperty", "x".repeat(64)])("the name %s is taken", async (name) => {
  const { http, read } = serve();
  expect((await http.put(`/secrets/${name}`, { value: VALUE })).status).toBe(201);
  expect(await read("ada", name)).toEqual({ [name]: VALUE });
});

test.each([
  ["no value", {}],
  ["an empty value", { value: "" }],
  ["a short value", { value: VALUE.slice(0, 7) }],
  ["a value of blanks", { value: " ".repeat(40) }],
  ["a short value among blanks", { value: `  ${VALUE.slice(0, 7)}  ` }],
  ["too long a value", { value: VALUE.repeat(1_000) }],
  ["a number", { value: 7 }],
  ["an object", { value: { $gt: VALUE } }],
  ["a list", { value: [VALUE] }],
  ["half a character", `{"value":"${VALUE}\\ud800"}`],
  ["a field of no meaning", { value: VALUE, version: 3 }],
  ["a prototype", `{"value":"${VALUE}","__proto__":{"a":1}}`],
  ["an owner that is a number", { value: VALUE, ownerId: 7 }],
  ["a text", JSON.stringify(VALUE)],
])("a body with %s is refused, without a word of the value", async (_what, body) => {
  const { http, documents, logs } = serve();
  const refused = await http.put("/secrets/API_KEY", body);
  expect([refused.status, refused.body.code]).toEqual([400, "VALIDATION_FAILED"]);
  expect(refused.text + logs.join()).not.toContain(VALUE);
  expect(documents.all()).toEqual([]);
});

test("the shortest value has eight characters, and what is shorter is told so", async () => {
  const { http, read, store } = serve();
  const refused = await http.put("/secrets/PIN", { value: "1234567" });
  expect([refused.status, refused.body.errors]).toEqual([
    400,
    [{ path: "value", message: expect.stringMatching(/^at least 8 characters, .* could not be masked/) }],
  ]);
  expect((await http.put("/secrets/PIN", { value: "12345678" })).status).toBe(201);
  // As versions before this rule stored it.
  await store("ada", "OLD", "1234");
  expect(await read("ada", "PIN", "OLD")).toEqual({ PIN: "12345678", OLD: "1234" });
});

test("another owner's secret is not found, and stays", async () => {
  const { as, store, read } = serve();
  await store("ada", "API_KEY", VALUE);
  const bob = as(keyOf("bob"));
  expect((await bob.get("/secrets/API_KEY")).status).toBe(404);
  expect((await bob.delete("/secrets/API_KEY")).status).toBe(404);
  expect((await bob.get("/secrets")).body.items).toEqual([]);
  expect((await bob.put("/secrets/API_KEY", { value: "that of bob" })).status).toBe(201);
  expect(await read("ada", "API_KEY")).toEqual({ API_KEY: VALUE });
});

test("naming an owner that is not the key's is forbidden", async () => {
  const { as } = serve();
  const bob = as(keyOf("bob"));
  const replies = [
    await bob.put("/secrets/A", { value: VALUE, ownerId: "ada" }),
    await bob.put("/secrets/A?ownerId=ada", { value: VALUE }),
    await bob.get("/secrets?ownerId=ada"),
    await bob.get("/secrets/A?ownerId=ada"),
    await bob.delete("/secrets/A?ownerId=ada"),
  ];
  expect(replies.map(({ status }) => status)).toEqual([403, 403, 403, 403, 403]);
  expect((await bob.put("/secrets/A?ownerId=bob", { value: VALUE, ownerId: "bob" })).status).toBe(201);
});

test("admin acts for the owner that it names, and has to name one", async () => {
  const { as, read } = serve();
  const admin = as(ADMIN);
  expect((await admin.put("/secrets/A", { value: "value-one", ownerId: "ada" })).status).toBe(201);
  expect((await admin.put("/secrets/B?ownerId=ada", { value: "value-two" })).status).toBe(201);
  expect(await read("ada", "A", "B")).toEqual({ A: "value-one", B: "value-two" });
  expect((await admin.get("/secrets?ownerId=ada")).body.items).toHaveLength(2);
  expect((await admin.get("/secrets/A?ownerId=ada")).status).toBe(200);
  expect((await admin.delete("/secrets/A?ownerId=ada")).status).toBe(204);
  const nameless = [
    await admin.put("/secrets/A", { value: "value-one" }),
    await admin.get("/secrets"),
    await admin.get("/secrets/B"),
    await admin.delete("/secrets/B"),
  ];
  expect(nameless.map(({ status, body }) => [status, body.errors[0].path])).toEqual(
    nameless.map(() => [400, "ownerId"]),
  );
  const two = await admin.put("/secrets/A?ownerId=ada", { value: "value-one", ownerId: "bob" });
  expect([two.status, two.body.detail]).toEqual([400, "ownerId: body and query name different owners"]);
});

test("a key changes with servers:write and looks with servers:read", async () => {
  const { as, store, read } = serve();
  await store("ada", "A", "value-one");
  const reader = as(keyOf("ada", ["servers:read"]));
  const writer = as(keyOf("ada", ["servers:write"]));
  const other = as(keyOf("ada", ["deploy", "search", "agents:run"]));
  const statuses = async (http: typeof reader) => [
    (await http.get("/secrets")).status,
    (await http.get("/secrets/A")).status,
    (await http.put("/secrets/A", { value: "value-two" })).status,
    (await http.delete("/secrets/A")).status,
  ];
  expect(await statuses(other)).toEqual([403, 403, 403, 403]);
  expect(await statuses(reader)).toEqual([200, 200, 403, 403]);
  expect(await read("ada", "A")).toEqual({ A: "value-one" });
  expect(await statuses(writer)).toEqual([403, 403, 200, 204]);
  expect(await statuses(as({ kind: "anonymous", id: "somebody" }))).toEqual([401, 401, 401, 401]);
});

test("without ENCRYPTION_KEY a put says what to set, and what is there can be seen and deleted", async () => {
  const { documents, store } = serve();
  await store("ada", "A", VALUE);
  const { http } = serve(keyOf("ada"), { documents, encryptionKey: null });
  const refused = await http.put("/secrets/A", { value: "a new value" });
  expect([refused.status, refused.body.code]).toEqual([503, "TARGET_NOT_CONFIGURED"]);
  expect(refused.body.detail).toContain("set ENCRYPTION_KEY");
  expect((await http.get("/secrets")).body.items).toHaveLength(1);
  expect((await http.delete("/secrets/A")).status).toBe(204);
});

test("one secret more than the quota is refused", async () => {
  const { http } = serve(keyOf("ada"), { quota: 1 });
  await http.put("/secrets/A", { value: VALUE });
  const refused = await http.put("/secrets/B", { value: VALUE });
  expect([refused.status, refused.body.code]).toEqual([403, "FORBIDDEN"]);
  expect((await http.put("/secrets/A", { value: "a new value" })).status).toBe(200);
});

test("no answer, log line or row of a whole life holds the value", async () => {
  const { http, as, logs, documents } = serve();
  const replies = [
    await http.put("/secrets/A", { value: VALUE }),
    await http.put("/secrets/A", { value: VALUE }),
    await http.get("/secrets"),
    await http.get("/secrets/A"),
    await as(keyOf("bob")).get("/secrets/A"),
  ];
  const rows = JSON.stringify(documents.all());
  replies.push(await http.delete("/secrets/A"), await http.delete("/secrets/A"));
  const seen = replies.map(({ text, headers }) => text + JSON.stringify([...headers])).join() + rows + logs.join();
  expect(rows).toContain('"sealed":');
  expect(seen).not.toContain(VALUE);
  expect(seen).not.toContain(btoa(VALUE).slice(0, -4));
});

test("the API's description has a value in the put's body and nowhere in an answer", () => {
  const { service } = createScene();
  const described = describeApi(
    createSecretEndpoints(service).map(({ spec }) => spec),
    { version: "1" },
  );
  const { Secret, PutSecretInput }: any = (described.components as any).schemas;
  expect(Object.keys(Secret.properties)).toEqual(["name", "createdAt", "updatedAt", "version"]);
  expect(PutSecretInput.properties.value).toMatchObject({ minLength: 8, maxLength: 16_384, writeOnly: true });
  expect(Object.keys((described.paths as any)["/secrets/{name}"])).toEqual(["put", "get", "delete"]);
  expect(Object.keys((described.paths as any)["/secrets/{name}"].put.responses)).toEqual(
    expect.arrayContaining(["200", "201", "400", "401", "403", "409", "503"]),
  );
});
