// What a run has read from the store: its own records and links, and those of others that the mappings asked for on the way.
// Projection is pure and synchronous, so what it misses is noted, fetched from the same snapshot, and the projection is done again.

import type { Selectable, Transaction } from 'kysely';
import type { Reason } from '../errors.ts';
import type { JsonObject } from '../json.ts';
import type { SlotRef } from '../mapping/mapping.ts';
import type { RecordType } from '../records/records.ts';
import type { Database } from '../store/store.ts';
import type { Lease } from './lease.ts';

export type RecordRow = Pick<
  Selectable<Database['record']>,
  'type' | 'id' | 'version' | 'content' | 'deleted' | 'updated_at' | 'accepted_at'
>;
export type LinkRow = Selectable<Database['link']>;
export type SeenRow = Selectable<Database['seen']>;

export class Known {
  readonly own: readonly RecordRow[];
  readonly links: readonly LinkRow[];
  /** Links of this lane that count: neither retired nor without an id. */
  readonly #ownLinks: ReadonlyMap<string, LinkRow>;
  readonly #records = new Map<string, RecordRow | undefined>();
  readonly #others = new Map<string, LinkRow | undefined>();
  /** All generations of the slots of other lanes that were fetched. */
  readonly #generations = new Map<string, readonly LinkRow[]>();
  /** Why slots are parked that have no resource on the server. */
  readonly #parked = new Map<string, Reason>();
  readonly #missingRecords = new Map<string, { type: RecordType; id: string }>();
  readonly #missingLinks = new Map<string, SlotRef>();

  constructor(own: readonly RecordRow[], links: readonly LinkRow[]) {
    this.own = own;
    this.links = links;
    for (const row of own) this.#records.set(recordKey(row.type, row.id), row);
    this.#ownLinks = new Map(links.filter(isLive).map((row) => [slotKey(row), row]));
    this.#keepParked(links);
  }

  /** A record of the same source; undefined when it is not there, withdrawn, or not fetched yet. */
  record(type: RecordType, id: string): JsonObject | undefined {
    const key = recordKey(type, id);
    if (!this.#records.has(key)) {
      this.#missingRecords.set(key, { type, id });
      return undefined;
    }
    const row = this.#records.get(key);
    return row === undefined || row.deleted ? undefined : row.content;
  }

  hasRecord(type: RecordType, id: string): boolean {
    return this.#records.get(recordKey(type, id)) !== undefined;
  }

  /** Its source has withdrawn it: nothing points at it any more, whether its own resources have been retired yet or not. */
  isWithdrawn({ type, id }: SlotRef): boolean {
    const key = recordKey(type, id);
    if (!this.#records.has(key)) this.#missingRecords.set(key, { type, id });
    return this.#records.get(key)?.deleted === true;
  }

  isOwn(target: SlotRef): boolean {
    return this.own.some(({ type, id }) => type === target.type && id === target.id);
  }

  /** The live link of a slot, of this lane or of another; undefined when there is none or it is not fetched yet. */
  link(target: SlotRef): LinkRow | undefined {
    const key = slotKey(target);
    if (this.isOwn(target)) return this.#ownLinks.get(key);
    if (!this.#others.has(key)) this.#missingLinks.set(key, target);
    return this.#others.get(key);
  }

  /** All generations of a slot, retired ones too; fetched together with its live link. */
  generations(target: SlotRef): readonly LinkRow[] {
    const key = slotKey(target);
    return this.isOwn(target) ? this.links.filter((row) => slotKey(row) === key) : (this.#generations.get(key) ?? []);
  }

  /** Why the slot is parked, if it is: what needs it shows this reason (lanes.md 6). */
  parkedReason(target: SlotRef): Reason | undefined {
    return this.#parked.get(slotKey(target));
  }

  #keepParked(rows: readonly LinkRow[]): void {
    for (const row of rows) {
      if (row.state === 'parked' && row.retired_at === null && row.reason !== null)
        this.#parked.set(slotKey(row), row.reason);
    }
  }

  /** Records of others that were read, and therefore wake this lane when they change. */
  get readRecords(): { type: string; id: string }[] {
    const own = new Set(this.own.map(({ type, id }) => recordKey(type, id)));
    return [...this.#records.keys()].filter((key) => !own.has(key)).map((key) => splitKey(key));
  }

  /** Fetches what was missed. False when nothing was: the projection is complete. */
  async fetchMissing(trx: Transaction<Database>, lease: Lease): Promise<boolean> {
    const records = [...this.#missingRecords.values()];
    const links = [...this.#missingLinks.values()];
    this.#missingRecords.clear();
    this.#missingLinks.clear();
    if (records.length > 0) await this.#fetchRecords(trx, lease.source, records);
    if (links.length > 0) await this.#fetchLinks(trx, lease, links);
    return records.length + links.length > 0;
  }

  async #fetchRecords(
    trx: Transaction<Database>,
    source: string,
    wanted: { type: RecordType; id: string }[],
  ): Promise<void> {
    const rows = await trx
      .selectFrom('record')
      .select(['type', 'id', 'version', 'content', 'deleted', 'updated_at', 'accepted_at'])
      .where('source', '=', source)
      .where(({ eb, refTuple, tuple }) =>
        eb(
          refTuple('type', 'id'),
          'in',
          wanted.map(({ type, id }) => tuple(type, id)),
        ),
      )
      .execute();
    const found = new Map(rows.map((row) => [recordKey(row.type, row.id), row]));
    for (const { type, id } of wanted) this.#records.set(recordKey(type, id), found.get(recordKey(type, id)));
  }

  async #fetchLinks(trx: Transaction<Database>, lease: Lease, wanted: SlotRef[]): Promise<void> {
    const rows = await trx
      .selectFrom('link')
      .selectAll()
      .where('connection', '=', lease.connection)
      .where('source', '=', lease.source)
      .where(({ eb, refTuple, tuple }) =>
        eb(
          refTuple('type', 'id', 'slot'),
          'in',
          wanted.map(({ type, id, slot }) => tuple(type, id, slot)),
        ),
      )
      .execute();
    this.#keepParked(rows);
    const live = new Map(rows.filter(isLive).map((row) => [slotKey(row), row]));
    for (const target of wanted) {
      const key = slotKey(target);
      this.#others.set(key, live.get(key));
      this.#generations.set(
        key,
        rows.filter((row) => slotKey(row) === key),
      );
    }
  }
}

export function slotKey({ type, id, slot }: { type: string; id: string; slot: string }): string {
  return `${type}/${id}#${slot}`;
}

function isLive(row: LinkRow): boolean {
  return row.remote_id !== null && row.retired_at === null;
}

function recordKey(type: string, id: string): string {
  return `${type}/${id}`;
}

function splitKey(key: string): { type: string; id: string } {
  const slash = key.indexOf('/');
  return { type: key.slice(0, slash), id: key.slice(slash + 1) };
}
