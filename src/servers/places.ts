import { type Clock, isoTime } from "../core/clock.ts";
import { StorageUnavailable } from "../core/errors.ts";
import type { IdSource } from "../core/ids.ts";
import { isJsonObject, type Json } from "../core/json.ts";
import { owners, serverPlaces, servers } from "../storage/documents/collections.ts";
import type { Document, Documents, StoredDocument } from "../storage/documents/documents.ts";
import {
  COUNT_MAX_PAGES,
  PLACE_HOLD_MS,
  PLACE_USE_MS,
  RECOUNT_EVERY_MS,
  RECOUNT_REFUSED_AFTER_MS,
  SERVERS_PER_PAGE,
  TAKE_MAX_ATTEMPTS,
} from "./limits.ts";
import { nameOfPlace } from "./record.ts";

/** One of the owner's places, and the server that has it or is to have it. */
export interface Place {
  readonly ownerId: string;
  readonly serverId: string;
  /** Stands in the record too; what was made without one is known by its serverId. */
  readonly name: string;
}

/** A place that is being taken or left. After `until` (epoch milliseconds) others may settle what became of it. */
export interface HeldPlace extends Place {
  /** What says so in the owner's document. Of each delete its own: of several at once, one counts the place free. */
  readonly entry: string;
  readonly until: number;
}

export interface PlacesReport {
  /** Places whose create or delete had broken off. */
  readonly settled: number;
  /** Calls of the store, about. */
  readonly calls: number;
}

/**
 * How many servers each owner has: one document, which counts and names what is under way. A create is in it before its
 * record, a delete until after it, so the count is never too low; what breaks off between the two is still named, and
 * whoever meets it PLACE_HOLD_MS later settles it by whether the record stands. One that is gone while several deletes
 * were at it may have been counted free by one of them: then the records are counted again. So are those that were
 * there before the document, and those that other programs write or remove, once the count is a day old.
 */
export interface Places {
  /** Null where the owner has `max` servers. One call, unless it is the owner's first or there seems to be no room. */
  take(server: { readonly ownerId: string; readonly serverId: string }, max: number): Promise<HeldPlace | null>;
  /** The record is written; or the caller has not deleted it. What never comes to this is settled later. */
  keep(place: HeldPlace): Promise<void>;
  /** No record was written, and none will be; or the caller, and nobody else, has just deleted it. */
  free(place: HeldPlace): Promise<void>;
  /** Before a record goes. `free` where the caller has deleted it, `keep` where it stays or another one was faster. */
  beginLeaving(place: Place): Promise<HeldPlace>;
  /** @throws StorageUnavailable where the place can no longer be relied on: too much time has gone by. */
  assertHeld(place: HeldPlace): void;
  /** For the scheduled clean-up. */
  reconcile(ownerId: string): Promise<PlacesReport>;
}

export function createPlaces(deps: {
  readonly documents: Documents;
  readonly ids: IdSource;
  readonly clock: Clock;
}): Places {
  const { documents, ids, clock } = deps;

  const find = (ownerId: string) => documents.findOne(serverPlaces(ownerId), { _id: ownerId });

  async function change(ownerId: string, condition: Document, update: Document): Promise<boolean> {
    const changed = await documents.updateOne(serverPlaces(ownerId), { _id: ownerId, ...condition }, update);
    return changed.ok && changed.value.matchedCount === 1;
  }

  const ending = (entry: string) => ({ $unset: { [pathTo(entry)]: "" } });
  const endingWithout = (entry: string) => ({ ...ending(entry), $inc: { places: -1 } });

  /** Not `complete` where there are more than one go may look at. */
  async function countRecords(ownerId: string) {
    let counted = 0;
    let after = "";
    for (let pages = 1; ; pages++) {
      const filter = { ownerId, serverId: { $gt: after } };
      const query = { filter, sort: { serverId: 1 }, limit: SERVERS_PER_PAGE } as const;
      const page = await documents.find(servers(ownerId), query);
      counted += page.length;
      const last = page.at(-1)?.serverId;
      const complete = page.length < SERVERS_PER_PAGE || typeof last !== "string";
      if (complete || pages === COUNT_MAX_PAGES) return { counted, pages, complete };
      after = last;
    }
  }

  /** Makes the document. Until it is there nobody makes or removes a server, so that what is counted stays true. */
  async function open(ownerId: string): Promise<void> {
    await documents.insertOne(owners(), { _id: ownerId });
    const { counted } = await countRecords(ownerId);
    const document = { _id: ownerId, places: counted, changes: 0, underWay: {}, countedAt: isoTime(clock.now()) };
    await documents.insertOne(serverPlaces(ownerId), document);
  }

  /**
   * Settles what broke off; who goes on after all loses or wins by the entry's time. `isUnsure` where a delete's record
   * is gone: by which delete, and whether that one has counted it free, nobody knows any more.
   */
  async function settle({ ownerId, entry, name, serverId, at, leaving }: Entry & { readonly ownerId: string }) {
    const record = await documents.findOne(servers(ownerId), { serverId, ownerId });
    const stands = record !== null && nameOfPlace(record) === name;
    const isUnsure = leaving && !stands;
    const update = stands || leaving ? ending(entry) : endingWithout(entry);
    const settled = await change(ownerId, { [`${pathTo(entry)}.at`]: at }, isUnsure ? countingDue(update) : update);
    return { settled, isUnsure };
  }

  /** Only while nothing is under way: what begins meanwhile changes `changes`, and the old count stays. */
  async function recount(document: StoredDocument): Promise<number> {
    const { _id: ownerId, changes = 0 } = document;
    const { counted, pages, complete } = await countRecords(ownerId);
    const set = { countedAt: isoTime(clock.now()), ...(complete ? { places: counted } : {}) };
    await change(ownerId, { changes }, { $set: set });
    return pages + 1;
  }

  async function free({ ownerId, entry }: HeldPlace): Promise<void> {
    await change(ownerId, { [pathTo(entry)]: { $exists: true } }, endingWithout(entry));
  }

  /** Counts again only what was last counted before `countedBefore`, and nothing while a change is under way. */
  async function reconcile(document: StoredDocument, countedBefore: number): Promise<PlacesReport> {
    const entries = readEntries(document);
    const before = isoTime(clock.now() - PLACE_HOLD_MS);
    const brokenOff = entries.filter(({ at }) => at < before);
    let settled = 0;
    let isDue = typeof document.countedAt !== "string" || document.countedAt < isoTime(countedBefore);
    for (const entry of brokenOff) {
      const outcome = await settle({ ...entry, ownerId: document._id });
      if (outcome.settled) settled++;
      isDue ||= outcome.isUnsure;
    }
    // What has begun since then changes `changes`.
    const counting = isDue && entries.length === brokenOff.length ? await recount(document) : 0;
    return { settled, calls: 2 * brokenOff.length + counting };
  }

  /** Of an owner that seems to have no room. True where it is worth trying again. */
  async function makeRoom(ownerId: string, document: StoredDocument | null): Promise<boolean> {
    if (document === null) await open(ownerId);
    else if ((await reconcile(document, clock.now() - RECOUNT_REFUSED_AFTER_MS)).calls === 0) return false;
    return true;
  }

  return {
    async take({ ownerId, serverId }, max) {
      const name = ids.next("place");
      for (let attempt = 0; attempt < TAKE_MAX_ATTEMPTS; attempt++) {
        const now = clock.now();
        const held = { ownerId, serverId, name, entry: name, until: now + PLACE_USE_MS };
        const free = { places: { $lt: max }, [pathTo(name)]: { $exists: false } };
        const entry = { serverId, at: isoTime(now), leaving: false };
        if (await change(ownerId, free, { $inc: { places: 1, changes: 1 }, $set: { [pathTo(name)]: entry } }))
          return held;
        const document = await find(ownerId);
        // Taken by the call before, whose answer did not come through.
        if (document !== null && readEntries(document).some(({ entry }) => entry === name)) return held;
        if (!(await makeRoom(ownerId, document))) return null;
      }
      return null;
    },

    async keep({ ownerId, entry }) {
      await change(ownerId, {}, ending(entry));
    },

    free,

    async beginLeaving(place) {
      const { ownerId, serverId, name } = place;
      const entry = ids.next("place");
      const now = clock.now();
      const leaving = { serverId, place: name, at: isoTime(now), leaving: true };
      // The create's entry goes: the record stood, and where it is gone from here on a delete was at it.
      const update = { $inc: { changes: 1 }, $set: { [pathTo(entry)]: leaving }, ...ending(name) };
      if (!(await change(ownerId, {}, update))) {
        await open(ownerId);
        await change(ownerId, {}, update);
      }
      return { ...place, entry, until: now + PLACE_USE_MS };
    },

    assertHeld({ until }) {
      if (clock.now() > until) throw new StorageUnavailable("the document store is too slow");
    },

    async reconcile(ownerId) {
      const document = await find(ownerId);
      if (document === null) return { settled: 0, calls: 1 };
      const { settled, calls } = await reconcile(document, clock.now() - RECOUNT_EVERY_MS);
      return { settled, calls: calls + 1 };
    },
  };
}

/** What is under way: a record that is about to be written, or to go. */
interface Entry {
  readonly entry: string;
  /** The place's. */
  readonly name: string;
  readonly serverId: string;
  readonly at: string;
  readonly leaving: boolean;
}

function readEntries({ underWay }: StoredDocument): readonly Entry[] {
  return Object.entries(isJsonObject(underWay) ? underWay : {}).flatMap(([entry, value]) => readEntry(entry, value));
}

function readEntry(entry: string, value: Json): readonly Entry[] {
  if (!isJsonObject(value)) return [];
  // A create's entry is called like its place; so was a delete's once.
  const { serverId, at, leaving, place: name = entry } = value;
  if (typeof serverId !== "string" || typeof at !== "string" || typeof name !== "string") return [];
  return [{ entry, name, serverId, at, leaving: leaving === true }];
}

function pathTo(entry: string): string {
  return `underWay.${entry}`;
}

/** The next that looks at the owner counts, should this one not come to it. */
function countingDue({ $unset }: { readonly $unset: Document }) {
  return { $unset: { ...$unset, countedAt: "" } };
}
