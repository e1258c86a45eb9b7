import { SANDBOX_ERROR_MAX_CHARS } from "./limits.ts";

/** What the wrapper answers beside 200, whose body is the result as JSON. */
export const THREW_STATUS = 422;

export const WRAPPER_MODULE = "wrapper.js";
export const CODE_MODULE = "code.js";

/**
 * The module that runs the author's, in the author's isolate. It keeps the functions that it needs before the author's
 * module is evaluated, so that changing them changes nothing here; beyond that it trusts nobody to be honest, and whoever
 * reads its answer reads it as the author's. What may outlive a run is closed: the log, and prototypes to new properties.
 */
export const WRAPPER_SOURCE = `
const { parse, stringify } = JSON;
const { preventExtensions, getOwnPropertyNames } = Object;
const Answer = Response;
const text = String;
const cut = Function.prototype.call.bind(String.prototype.slice);
for (const name of getOwnPropertyNames(console)) console[name] = () => {};
delete globalThis.caches;
for (const { prototype } of [Object, Array, Function, String, Number, Boolean]) preventExtensions(prototype);

const shown = (read) => {
  try {
    return cut(text(read()), 0, ${SANDBOX_ERROR_MAX_CHARS});
  } catch {
    return "";
  }
};
const threw = (name, message) => new Answer(stringify({ name, message }), { status: ${THREW_STATUS} });

export default {
  async fetch(request) {
    try {
      const { input, outputs } = parse(await request.text());
      const code = (await import("./${CODE_MODULE}")).default;
      if (typeof code !== "function") return threw("TypeError", "the module's default export is not a function");
      const result = await code(input, { outputs });
      const json = stringify(result === undefined ? null : result);
      return json === undefined ? threw("TypeError", "a " + typeof result + " is not JSON") : new Answer(json);
    } catch (error) {
      const isObject = typeof error === "object" && error !== null;
      if (!isObject) return threw("", shown(() => error));
      return threw(shown(() => error.name), shown(() => error.message));
    }
  },
};
`;

/**
 * Modules of the runtime that an isolate has without Node's: a module of the same name in the bundle stands before
 * theirs. None leads out, but `cloudflare:workers` would let code outlive its run. Beside them there is `node:process`,
 * which cannot be replaced: an empty `env`, and an `exit` that ends the run.
 */
const RUNTIME_MODULES = [
  ...["cloudflare:ai", "cloudflare:br", "cloudflare:email", "cloudflare:node", "cloudflare:pipelines"],
  ...["cloudflare:sockets", "cloudflare:vectorize", "cloudflare:workers", "cloudflare:workflows"],
];

const NO_MODULE = { js: 'throw new Error("there is nothing to import: a code step is one module");' };

/** The modules of the author's isolate. A module that is not among them cannot be imported. */
export function modulesOf(source: string): Record<string, { readonly js: string }> {
  const none = RUNTIME_MODULES.map((name) => [name, NO_MODULE]);
  return { ...Object.fromEntries(none), [WRAPPER_MODULE]: { js: WRAPPER_SOURCE }, [CODE_MODULE]: { js: source } };
}
