import { randomUUID } from "node:crypto";
import type { McpTool } from "./mcp.ts";

export interface Label {
  readonly key: string;
  readonly value: string;
}

export interface CatalogItem {
  readonly id: string;
  readonly name: string;
  readonly serverUrl: string;
  readonly labels: readonly Label[];
}

export interface Install {
  readonly id: string;
  readonly name: string;
  readonly catalogId: string;
  readonly scope: string;
}

export interface PlatformGateway {
  readonly id: string;
  readonly name: string;
  readonly slug: string;
  readonly labels: readonly Label[];
  /** Names of the tools that it offers. */
  readonly tools: readonly string[];
  /** Who may use it, in the words of its version. */
  readonly sharing: unknown;
}

interface Tool extends McpTool {
  readonly id: string;
  readonly catalogId: string | null;
}

export type ArchestraState = ReturnType<typeof createArchestraState>;

const BUILT_IN = ["archestra__whoami", "archestra__search_private_mcp_registry"];

/** What an Archestra keeps, and its rules. */
export function createArchestraState() {
  const items = new Map<string, CatalogItem>();
  const installs = new Map<string, Install & { readonly accessToken: string }>();
  const tools = new Map<string, Tool>();
  const gateways = new Map<string, Omit<PlatformGateway, "tools">>();
  /** Of a gateway: ids of its tools. */
  const assigned = new Map<string, Set<string>>();

  for (const name of BUILT_IN) {
    const id = randomUUID();
    tools.set(id, { id, name, description: "", inputSchema: { type: "object" }, catalogId: null });
  }

  function addItem(body: any): CatalogItem {
    const { name, serverUrl, labels = [] } = body;
    const item = { id: randomUUID(), name, serverUrl, labels, serverType: body.serverType, scope: body.scope };
    items.set(item.id, item);
    return item;
  }

  function addGateway(body: any): Omit<PlatformGateway, "tools"> {
    const { name, labels = [], scope, teams, initialGrants } = body;
    const sharing = initialGrants ?? { scope, teams };
    const slug = `${name}-${gateways.size + 1}`.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-");
    const gateway = { id: randomUUID(), name, slug, labels, sharing };
    gateways.set(gateway.id, gateway);
    const builtIn = [...tools.values()].filter(({ catalogId }) => catalogId === null).map(({ id }) => id);
    assigned.set(gateway.id, new Set(builtIn));
    return gateway;
  }

  function removeTools(ids: readonly string[]): void {
    for (const id of ids) {
      tools.delete(id);
      for (const set of assigned.values()) set.delete(id);
    }
  }

  const toolsOf = (catalogId: string) => [...tools.values()].filter((tool) => tool.catalogId === catalogId);

  function toolsOfGateway(id: string): readonly Tool[] | null {
    const ids = assigned.get(id);
    return ids === undefined ? null : [...tools.values()].filter((tool) => ids.has(tool.id));
  }

  function connection(installId: string): { readonly serverUrl: string; readonly accessToken: string } {
    const install = installs.get(installId);
    return {
      serverUrl: items.get(install?.catalogId ?? "")?.serverUrl ?? "",
      accessToken: install?.accessToken ?? "",
    };
  }

  return {
    addItem,
    addGateway,
    connection,
    toolsOf,
    toolsOfGateway,
    /** Puts things there as another program would have. */
    seed: { item: addItem, gateway: addGateway },
    catalog: (): readonly CatalogItem[] => [...items.values()],
    installs: (): readonly Install[] => [...installs.values()].map(({ accessToken: _, ...install }) => install),
    gateways: (): readonly PlatformGateway[] =>
      [...gateways.values()].map((gateway) => ({
        ...gateway,
        tools: (toolsOfGateway(gateway.id) ?? []).map(({ name }) => name),
      })),
    removeItem(id: string): boolean {
      for (const install of installs.values()) if (install.catalogId === id) installs.delete(install.id);
      removeTools(toolsOf(id).map((tool) => tool.id));
      return items.delete(id);
    },
    addInstall(body: any): Install {
      const { name, catalogId, scope, accessToken = "" } = body;
      const install = { id: randomUUID(), name, catalogId, scope };
      installs.set(install.id, { ...install, accessToken });
      return install;
    },
    /** Its tools stay, and stay advertised, unless they go with it. */
    removeInstall(id: string, { withTools = false } = {}): boolean {
      const install = installs.get(id);
      if (withTools && install !== undefined) removeTools(toolsOf(install.catalogId).map((tool) => tool.id));
      return installs.delete(id);
    },
    keepTools(installId: string, listed: readonly McpTool[]) {
      const install = installs.get(installId);
      if (install === undefined) return { created: 0, updated: 0, deleted: 0 };
      const known = toolsOf(install.catalogId);
      const named = listed.map((tool) => ({ ...tool, name: `${install.name}__${tool.name}`.toLowerCase() }));
      const gone = known.filter(({ name }) => !named.some((tool) => tool.name === name));
      const fresh = named.filter(({ name }) => !known.some((tool) => tool.name === name));
      removeTools(gone.map(({ id }) => id));
      for (const tool of fresh) {
        const id = randomUUID();
        tools.set(id, { ...tool, id, catalogId: install.catalogId });
      }
      return { created: fresh.length, updated: known.length - gone.length, deleted: gone.length };
    },
    /** Why a tool can't be assigned, or what became of it. */
    assign(gatewayId: string, toolId: string, installId: string): string {
      const set = assigned.get(gatewayId);
      const tool = tools.get(toolId);
      if (set === undefined) return `Agent with ID ${gatewayId} not found`;
      if (tool === undefined) return `Tool with ID ${toolId} not found`;
      if (installs.get(installId)?.catalogId !== tool.catalogId) return "The MCP server is not of the tool's catalog";
      if (set.has(toolId)) return "duplicates";
      set.add(toolId);
      return "succeeded";
    },
    unassign: (gatewayId: string, toolId: string): boolean => assigned.get(gatewayId)?.delete(toolId) ?? false,
    removeGateway(id: string): boolean {
      assigned.delete(id);
      return gateways.delete(id);
    },
    /** Where a tool is called, by the name that it is advertised under. */
    origin(name: string) {
      const tool = [...tools.values()].find((one) => one.name === name);
      const install = [...installs.values()].find((one) => one.catalogId === tool?.catalogId);
      const prefix = `${install?.name ?? ""}__`.toLowerCase();
      return { ...connection(install?.id ?? ""), toolName: name.slice(prefix.length) };
    },
  };
}
