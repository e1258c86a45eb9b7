import * as z from "zod";
import type { ServerRef } from "./target.ts";

/** Nothing on the platform is unique by name: these two labels say whose a thing is. */
const SERVER_LABEL = "server-id";
const OWNER_LABEL = "owner-id";

export const labelled = z.object({
  labels: z.array(z.object({ key: z.string(), value: z.string() })).optional(),
});

type Labelled = z.output<typeof labelled>;

export function labelsOf({ serverId, ownerId }: ServerRef): readonly { key: string; value: string }[] {
  return [
    { key: SERVER_LABEL, value: serverId },
    { key: OWNER_LABEL, value: ownerId },
  ];
}

/** For the platform's own filter. By the server alone: an owner's name may hold what the filter is written with. */
export function labelFilter({ serverId }: ServerRef): string {
  return `${SERVER_LABEL}:${serverId}`;
}

/** The platform keeps the things of every owner, of every deployment of ours, and of others. */
export function isLabelledFor(thing: Labelled, server: ServerRef): boolean {
  const has = ({ key, value }: { key: string; value: string }) =>
    thing.labels?.some((label) => label.key === key && label.value === value) ?? false;
  return labelsOf(server).every(has);
}
