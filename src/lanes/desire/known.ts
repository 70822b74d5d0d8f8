// What a run has read from the store: its own records and links, and those of others that the mappings asked for on the way.
// Projection is pure and synchronous, so what it misses is noted, fetched from the same snapshot, and the projection is done again.

import type { Selectable } from 'kysely';
import { type Reason, reason } from '../../errors.ts';
import type { JsonObject } from '../../json.ts';
import type { SlotRef } from '../../mapping/mapping.ts';
import type { RecordType } from '../../records/records.ts';
import type { Database } from '../../store/store.ts';
import { goneCodes, nameOf, type Wait } from '../lane-resource.ts';

export type RecordRow = Pick<
  Selectable<Database['record']>,
  'type' | 'id' | 'version' | 'content' | 'deleted' | 'updated_at' | 'accepted_at'
>;
export type LinkRow = Selectable<Database['link']>;
export type SeenRow = Selectable<Database['seen']>;

export interface RecordName {
  readonly type: string;
  readonly id: string;
}

export class Known {
  readonly own: readonly RecordRow[];
  readonly links: readonly LinkRow[];
  /** By record, as `type/id`; undefined: there is none. Of others only what was fetched. */
  readonly #records: Map<string, RecordRow | undefined>;
  /** By slot; all generations, retired ones too. */
  readonly #generations = new Map<string, readonly LinkRow[]>();
  /** Links that stand. */
  readonly #live = new Map<string, LinkRow>();
  /** Why slots are parked that have no resource on the server. */
  readonly #parked = new Map<string, Reason>();
  readonly #own: ReadonlySet<string>;
  readonly #missing = new Map<string, RecordName>();

  constructor(own: readonly RecordRow[], links: readonly LinkRow[]) {
    this.own = own;
    this.links = links;
    this.#records = new Map(own.map((row) => [recordKey(row), row]));
    this.#own = new Set(this.#records.keys());
    this.#keepLinks(links);
  }

  /** Takes in records of other lanes; a name without a row is known not to be there. */
  keepOthers(names: readonly RecordName[], rows: readonly RecordRow[], links: readonly LinkRow[]): void {
    const found = new Map(rows.map((row) => [recordKey(row), row]));
    for (const name of names) this.#records.set(recordKey(name), found.get(recordKey(name)));
    this.#keepLinks(links);
  }

  /** A record of the same source; undefined when it is not there, withdrawn, or not fetched yet. */
  record(type: RecordType, id: string): JsonObject | undefined {
    const row = this.#row({ type, id });
    return row === undefined || row.deleted ? undefined : row.content;
  }

  /** The same as its source sent it last, also where that withdrew it: what was labelled is not told because it is gone. */
  heldRecord(type: RecordType, id: string): JsonObject | undefined {
    return this.#row({ type, id })?.content;
  }

  /** Its source has withdrawn it: nothing points at it any more, whether its own resources have been retired yet or not. */
  isWithdrawn(target: SlotRef): boolean {
    return this.#row(target)?.deleted === true;
  }

  isOwn(target: RecordName): boolean {
    return this.#own.has(recordKey(target));
  }

  /** All that was read: the lane's own records, and those of others that are there. */
  get rows(): RecordRow[] {
    return [...this.#records.values()].flatMap((row) => row ?? []);
  }

  /** The live link of a slot, of this lane or of another; undefined when there is none or it is not fetched yet. */
  link(target: SlotRef): LinkRow | undefined {
    this.#row(target);
    return this.#live.get(nameOf(target));
  }

  /** All generations of a slot, retired ones too; fetched together with its live link. */
  generations(target: SlotRef): readonly LinkRow[] {
    return this.#generations.get(nameOf(target)) ?? [];
  }

  /** Why the slot is parked, if it is: what needs it shows this reason (lanes.md 6). */
  parkedReason(target: SlotRef): Reason | undefined {
    return this.#parked.get(nameOf(target));
  }

  /** What stands under the link's id is not it, or nothing does: nothing is to point there. */
  isGone({ state, reason }: LinkRow): boolean {
    return state === 'parked' && reason !== null && goneCodes.includes(reason.code);
  }

  /** What other lanes hold and was read here; a new version of it wakes this lane. Undefined: there is no such record. */
  get readRecords(): (RecordName & { readonly version: number | undefined })[] {
    return [...this.#records].flatMap(([key, row]) =>
      this.#own.has(key) ? [] : [{ ...splitKey(key), version: row?.version }],
    );
  }

  /** What was asked for and has not been fetched. Asked for once: the next call tells only of what was missed since. */
  takeMissing(): RecordName[] {
    const names = [...this.#missing.values()];
    this.#missing.clear();
    return names;
  }

  #row(name: RecordName): RecordRow | undefined {
    const key = recordKey(name);
    if (!this.#records.has(key)) this.#missing.set(key, { type: name.type, id: name.id });
    return this.#records.get(key);
  }

  #keepLinks(rows: readonly LinkRow[]): void {
    for (const [slot, generations] of Map.groupBy(rows, nameOf)) this.#generations.set(slot, generations);
    for (const row of rows) {
      if (isStanding(row)) this.#live.set(nameOf(row), row);
      if (row.state === 'parked' && row.retired_at === null && row.reason !== null)
        this.#parked.set(nameOf(row), row.reason);
    }
  }
}

/** It names what is on the server now: neither retired nor without an id. */
export function isStanding({ remote_id: id, retired_at: at }: LinkRow): boolean {
  return id !== null && at === null;
}

export function recordKey({ type, id }: RecordName): string {
  return `${type}/${id}`;
}

function splitKey(key: string): RecordName {
  const slash = key.indexOf('/');
  return { type: key.slice(0, slash), id: key.slice(slash + 1) };
}

/** What has no link there yet is waited for. */
export function waitFor(known: Known, target: SlotRef): Wait {
  const parked = known.parkedReason(target);
  if (parked !== undefined) return haltedBy(target, parked);
  const isThere = known.record(target.type, target.id) !== undefined;
  return { target, reason: reason(isThere ? 'waits-for-link' : 'waits-for-record', { target: nameOf(target) }) };
}

/** It waits for what does not go on, for this reason. */
export function haltedBy(target: SlotRef, { code, text }: Reason): Wait {
  return { target, reason: { code, text: `Waits for ${nameOf(target)}: ${text}` } };
}
