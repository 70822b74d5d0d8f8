// What came of writes, put into the rows of the lane in one statement, which tells the rows as they are afterwards. With them a run goes on from what
// it has read before: every other cause that may change those rows raises `wanted` (lanes.md 1), and then they are read anew.

import { type Kysely, sql } from 'kysely';
import type { Database } from '../../store/store.ts';
import type { LinkRow, SeenRow } from '../desire/known.ts';
import type { LaneResource } from '../lane-resource.ts';
import { nameOf } from '../lane-resource.ts';
import { type Lease, LeaseLost } from '../lease.ts';
import { type LinkTarget, type LinkUpdate, type NewLink, updateLinks, upsertLinks } from '../links/links.ts';
import { type SeenResource, upsertSeen } from '../links/seen.ts';
import { type ClosedOperation, updateClosed } from '../send/operations.ts';
import { type LaneRows, linkRow, type Stored, seenRow } from './lane-rows.ts';

export interface WrittenRows {
  /** The lane's counter now. */
  readonly wanted: number;
  readonly links: readonly LinkRow[];
  readonly seen: readonly SeenRow[];
}

export interface Writing {
  readonly closed: readonly ClosedOperation[];
  readonly looks: readonly SeenResource[];
  readonly links: readonly (readonly [LinkTarget, NewLink])[];
  readonly changes: readonly (readonly [LaneResource, LinkUpdate])[];
}

/** Holds the lease as `holdLease` does, and notes that the run has got somewhere (lanes.md 5). @throws LeaseLost: nothing was stored. */
export async function storeWriting(
  db: Kysely<Database>,
  lease: Lease,
  leaseMs: number,
  { closed, looks, links, changes }: Writing,
): Promise<WrittenRows> {
  const isHeld = sql`exists (select 1 from held)`;
  const { rows } = await sql<{
    wanted: number | null;
    links: readonly Stored<LinkRow>[];
    seen: readonly Stored<Omit<SeenRow, 'body'>>[];
  }>`
    with held as (
        update lane set lease_until = now() + ${leaseMs} * interval '1 millisecond', starts = 0
        where connection = ${lease.connection} and subject = ${lease.subject} and fence = ${lease.fence} and lease_until > now()
        returning wanted),
      closed as (${updateClosed(lease, closed, isHeld)}),
      looks as (${upsertSeen(lease.connection, looks, isHeld)}
        returning connection, resource_type, remote_id, version_tag, hash, gone, seen_at),
      made as (${upsertLinks(lease, links, isHeld)} returning *),
      changed as (${updateLinks(lease, changes, isHeld)} returning l.*)
    select (select wanted from held) as wanted, (select coalesce(json_agg(looks), '[]') from looks) as seen,
      (select coalesce(json_agg(x), '[]') from (select * from made union all select * from changed) x) as links`.execute(
    db,
  );
  const [row] = rows;
  if (row === undefined || row.wanted === null) throw new LeaseLost();
  const bodies = new Map(looks.map((look) => [`${look.resourceType}/${look.remoteId}`, look.body ?? null]));
  return {
    wanted: row.wanted,
    links: row.links.map(linkRow),
    seen: row.seen.map((one) => seenRow({ ...one, body: bodies.get(`${one.resource_type}/${one.remote_id}`) ?? null })),
  };
}

/** The rows that were read before with those that were written since; undefined when something else may have changed them. */
export function carriedOver(rows: LaneRows, written: WrittenRows): LaneRows | undefined {
  if (written.wanted !== rows.wanted) return undefined;
  const linkKey = (row: LinkRow) => `${nameOf(row)}~${row.generation}`;
  const seenKey = (row: SeenRow) => `${row.resource_type}/${row.remote_id}`;
  return {
    ...rows,
    links: replaced(rows.links, written.links, linkKey),
    seen: replaced(rows.seen, written.seen, seenKey),
  };
}

function replaced<Row>(before: readonly Row[], now: readonly Row[], keyOf: (row: Row) => string): Row[] {
  const left = new Map(now.map((row) => [keyOf(row), row]));
  const kept = before.map((row) => {
    const key = keyOf(row);
    const newer = left.get(key);
    left.delete(key);
    return newer ?? row;
  });
  return [...kept, ...left.values()];
}
