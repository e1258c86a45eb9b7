/**
 * A plugin for miniflare that opens a socket straight to a Worker. Miniflare's own direct sockets let a caller write
 * `request.cf` in a header, and take remote calls past the Worker's `fetch`; on this one workerd itself fills in the
 * address of the peer, as `request.cf.clientIp`.
 */
export interface OwnSocketOptions {
  readonly host: string;
  readonly port: number;
  readonly worker: string;
  /** Removed from every request: what only a proxy in front may say. In lower case. */
  readonly removedHeaders: readonly string[];
}

export const OWN_SOCKET = "own-socket";

/** The one of the Worker's bindings that says where to listen. It is not there for the Worker. */
const BINDING = "OWN_SOCKET";

/** What the options of a Worker need so that the socket is opened. */
export function ownSocketBinding(options: OwnSocketOptions) {
  return {
    name: BINDING,
    type: OWN_SOCKET,
    plugin: { package: import.meta.filename, name: OWN_SOCKET },
    options: { ...options, removedHeaders: [...options.removedHeaders] },
  };
}

interface PluginInput {
  readonly options: {
    readonly config: { readonly env?: Readonly<Record<string, { readonly dev?: { readonly options?: unknown } }>> };
  };
}

/** By this name miniflare looks for it. */
export const plugins = {
  [OWN_SOCKET]: {
    getBindings: () => undefined,
    getNodeBindings: () => ({}),
    getServices({ options }: PluginInput) {
      const own = options.config.env?.[BINDING]?.dev?.options as OwnSocketOptions | undefined;
      if (own === undefined) return undefined;
      const { host, port, worker, removedHeaders } = own;
      const socket = {
        name: OWN_SOCKET,
        address: `${host.includes(":") ? `[${host}]` : host}:${port}`,
        service: { name: `core:user:${worker}` },
        // A header without a value is removed.
        http: { injectRequestHeaders: removedHeaders.map((name) => ({ name })) },
      };
      return { services: [], extensions: [], sockets: [socket] };
    },
  },
};
