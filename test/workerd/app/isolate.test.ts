import { exports } from "cloudflare:workers";
import { expect, test } from "vitest";

const worker = exports.default;

test("requests that share an isolate are served one after the other and all at once", async () => {
  const ask = async () => {
    const response = await worker.fetch("http://orchestrix.test/ready");
    return [response.status, (await response.json<{ status: string }>()).status];
  };
  for (let i = 0; i < 5; i++) expect(await ask()).toEqual([200, "ready"]);
  const together = await Promise.all(Array.from({ length: 15 }, ask));
  expect(together).toEqual(Array(15).fill([200, "ready"]));
});
