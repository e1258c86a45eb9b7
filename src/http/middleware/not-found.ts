import type { AppContext } from "../context.ts";
import { type AnyEndpointSpec, refusal } from "../endpoint.ts";

/** Answers what no route took: 405 with `Allow` where the path exists under another method, else 404. */
export function createNotFound(specs: readonly AnyEndpointSpec[]): (c: AppContext) => Response {
  const routes = specs.map((spec) => ({ method: spec.method.toUpperCase(), pattern: pathPattern(spec.path) }));
  return function answerNotFound(c) {
    const path = c.req.path;
    const methods = routes.filter((route) => route.pattern.test(path)).map((route) => route.method);
    if (methods.length === 0) return refusal(c, { code: "NOT_FOUND", detail: "there is nothing at this path" });
    const allow = [...new Set(methods.includes("GET") ? [...methods, "HEAD"] : methods)];
    return refusal(c, {
      code: "METHOD_NOT_ALLOWED",
      detail: `this path takes ${allow.join(", ")}`,
      allow,
    });
  };
}

function pathPattern(path: string): RegExp {
  const source = path.replaceAll(/[.*+?^$()|[\]\\]/g, "\\$&").replaceAll(/\{\w+\}/g, "[^/]+");
  return new RegExp(`^${source}$`);
}
