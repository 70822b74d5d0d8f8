// Takes checked records into the store: which version each becomes, and which lanes have work because of it (lanes.md 1, 14, 24).
// A batch is a handful of statements in one transaction; nothing is promised to a source before that has committed.

import type { Transaction } from 'kysely';
import { contentHash } from '../fhir/fhir.ts';
import type { Database } from '../store/store.ts';
import { type Judged, judge, type Received } from './accept/judge.ts';
import { markAcceptedClocks } from './accept/mark-clocks.ts';
import { microsOf } from './accept/micros.ts';
import { moveRecords } from './accept/move.ts';
import { withParents } from './accept/parents.ts';
import {
  hashesOfVersions,
  insertRecords,
  insertVersions,
  keepStale,
  keyOf,
  lockRecords,
  updateRecords,
} from './accept/rows.ts';
import { type LaneKey, type Recipient, raiseConsentEpochs, wantLanes } from './accept/want-lanes.ts';
import type { FieldError } from './field-error.ts';
import type { StoredRecord } from './parse-record.ts';
import type { RecordType } from './record-type.ts';

export { staleLimit } from './accept/rows.ts';
export type { LaneKey, Recipient } from './accept/want-lanes.ts';

/** A record that has passed `parseRecord`. */
export interface CheckedRecord {
  readonly type: RecordType;
  readonly record: StoredRecord;
}

export interface Acceptance {
  /**
   * `unchanged`: this version is here already. `stale`: older than what is here, and unlike every version of it. `refused`: it changes what
   * the version that holds has signed, or names another record that it may not name.
   */
  readonly outcome: 'accepted' | 'unchanged' | 'stale' | 'refused';
  /** The version that now holds; 0: none does. */
  readonly version: number;
  /** Lanes of its subject that have work because of it; wake them after the commit. */
  readonly lanes: readonly LaneKey[];
  /** Why it is refused. */
  readonly errors?: readonly FieldError[];
}

/**
 * Accepts records of one source in the order given and says in the same order what became of each. Runs inside the caller's
 * transaction, with up to some hundred records; the same id may occur several times.
 */
export async function acceptRecords(
  trx: Transaction<Database>,
  source: string,
  items: readonly CheckedRecord[],
  connections: readonly Recipient[],
): Promise<Acceptance[]> {
  const received = await withParents(
    trx,
    source,
    items.map(({ type, record }) => receive(type, record)),
  );
  const judged = await judgeAndStore(trx, source, received);
  const ordered = received.flatMap((one) => judged.get(one) ?? []);
  const accepted = ordered.filter(({ outcome }) => outcome === 'accepted');
  await insertVersions(trx, source, accepted);
  await keepStale(
    trx,
    source,
    ordered.filter(({ outcome }) => outcome === 'stale'),
  );
  await raiseConsentEpochs(trx, source, accepted);
  const wanted = await wantLanes(trx, source, accepted, connections);
  const lanes = Map.groupBy(wanted, ({ subject }) => subject);
  await moveRecords(trx, source, accepted);
  await markAcceptedClocks(trx, source, accepted);
  return ordered.map((one) => ({
    outcome: one.outcome,
    version: one.version,
    ...(one.errors && { errors: one.errors }),
    lanes: one.outcome === 'accepted' ? (lanes.get(one.place.subject) ?? []) : [],
  }));
}

/** A checked record as acceptance judges it. */
export function receive(type: RecordType, record: StoredRecord): Received {
  const { updatedAt, ...content } = record;
  return { type, id: record.id, record, micros: microsOf(updatedAt), hash: contentHash(content) };
}

async function judgeAndStore(
  trx: Transaction<Database>,
  source: string,
  received: readonly Received[],
): Promise<Map<Received, Judged>> {
  const done = new Map<Received, Judged>();
  let open = [...Map.groupBy(received, keyOf)];
  while (open.length > 0) {
    const stored = await lockRecords(
      trx,
      source,
      open.flatMap(([, group]) => group),
    );
    const known = await hashesOfVersions(trx, source, olderThanSome(open, stored));
    const judged = open.map(([key, group]) => judge(source, group, stored.get(key), known.get(key) ?? new Set()));
    const latest = judged.flatMap((group) => group.findLast(({ outcome }) => outcome === 'accepted') ?? []);
    await updateRecords(
      trx,
      source,
      latest.filter(({ received }) => stored.has(keyOf(received))),
    );
    const raced = await insertRecords(
      trx,
      source,
      latest.filter(({ received }) => !stored.has(keyOf(received))),
    );
    for (const one of judged.flat()) if (!raced.has(keyOf(one.received))) done.set(one.received, one);
    // Another transaction brought the same new id first and has committed since: judge again by what it left.
    open = open.filter(([key]) => raced.has(key));
  }
  return done;
}

/** Those for which it matters whether an earlier version had the same content. */
function olderThanSome(
  open: readonly (readonly [string, readonly Received[]])[],
  stored: Awaited<ReturnType<typeof lockRecords>>,
): Received[] {
  return open.flatMap(([key, group]) => {
    const before = stored.get(key);
    if (!before) return [];
    const newest = Math.max(before.micros, ...group.map(({ micros }) => micros));
    return group.filter(({ micros }) => micros < newest);
  });
}
