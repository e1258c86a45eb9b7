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
 * whoever meets it PLACE_HOLD_MS later settles it by whether the record stands. Records that were there before the
 * document are counted when it is made, those that other programs write or remove when the count is a day old.
 */
export interface Places {
  /** Null where the owner has `max` servers. One call, unless it is the owner's first or there seems to be no room. */
  take(server: { readonly ownerId: string; readonly serverId: string }, max: number): Promise<HeldPlace | null>;
  /** The record is written. What never comes to this is settled later, the same way. */
  keep(place: Place): Promise<void>;
  /** No record was written, and none will be; or the caller has just deleted it. */
  free(place: Place): Promise<void>;
  /** Before a record goes. Nothing has to follow where it stays after all; `free` where it went. */
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

  const ending = ({ name }: Pick<Place, "name">) => ({ $unset: { [pathTo(name)]: "" } });
  const endingWithout = (place: Pick<Place, "name">) => ({ ...ending(place), $inc: { places: -1 } });

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

  /** Settles what broke off. Who else does so meanwhile, or goes on after all, loses or wins by the time in the entry. */
  async function settle({ ownerId, name, serverId, at }: Entry & { readonly ownerId: string }): Promise<boolean> {
    const record = await documents.findOne(servers(ownerId), { serverId, ownerId });
    const stands = record !== null && nameOfPlace(record) === name;
    const unchanged = { [`${pathTo(name)}.at`]: at };
    return change(ownerId, unchanged, stands ? ending({ name }) : endingWithout({ name }));
  }

  /** Only while nothing is under way: what begins meanwhile changes `changes`, and the old count stays. */
  async function recount(document: StoredDocument): Promise<number> {
    const { _id: ownerId, changes = 0 } = document;
    const { counted, pages, complete } = await countRecords(ownerId);
    const set = { countedAt: isoTime(clock.now()), ...(complete ? { places: counted } : {}) };
    await change(ownerId, { changes }, { $set: set });
    return pages + 1;
  }

  async function free(place: Place): Promise<void> {
    await change(place.ownerId, { [pathTo(place.name)]: { $exists: true } }, endingWithout(place));
  }

  /** Counts again only what was last counted before `countedBefore`, and nothing while a change is under way. */
  async function reconcile(document: StoredDocument, countedBefore: number): Promise<PlacesReport> {
    const entries = readEntries(document);
    const before = isoTime(clock.now() - PLACE_HOLD_MS);
    const brokenOff = entries.filter(({ at }) => at < before);
    let settled = 0;
    for (const entry of brokenOff) if (await settle({ ...entry, ownerId: document._id })) settled++;
    const isDue = typeof document.countedAt !== "string" || document.countedAt < isoTime(countedBefore);
    const counting = isDue && entries.length === 0 ? await recount(document) : 0;
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
        const held = { ownerId, serverId, name, until: now + PLACE_USE_MS };
        const free = { places: { $lt: max }, [pathTo(name)]: { $exists: false } };
        const entry = { serverId, at: isoTime(now), leaving: false };
        if (await change(ownerId, free, { $inc: { places: 1, changes: 1 }, $set: { [pathTo(name)]: entry } }))
          return held;
        const document = await find(ownerId);
        // Taken by the call before, whose answer did not come through.
        if (document !== null && readEntries(document).some((entry) => entry.name === name)) return held;
        if (!(await makeRoom(ownerId, document))) return null;
      }
      return null;
    },

    async keep(place) {
      // A delete that has begun since then has made the entry its own.
      await change(place.ownerId, { [`${pathTo(place.name)}.leaving`]: false }, ending(place));
    },

    free,

    async beginLeaving(place) {
      const { ownerId, serverId, name } = place;
      const now = clock.now();
      const entry = { serverId, at: isoTime(now), leaving: true };
      const begin = () => change(ownerId, {}, { $inc: { changes: 1 }, $set: { [pathTo(name)]: entry } });
      if (!(await begin())) {
        await open(ownerId);
        await begin();
      }
      return { ...place, until: now + PLACE_USE_MS };
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
  readonly name: string;
  readonly serverId: string;
  readonly at: string;
}

function readEntries({ underWay }: StoredDocument): readonly Entry[] {
  return Object.entries(isJsonObject(underWay) ? underWay : {}).flatMap(([name, value]) => readEntry(name, value));
}

function readEntry(name: string, value: Json): readonly Entry[] {
  if (!isJsonObject(value)) return [];
  const { serverId, at } = value;
  return typeof serverId === "string" && typeof at === "string" ? [{ name, serverId, at }] : [];
}

function pathTo(name: string): string {
  return `underWay.${name}`;
}
