// Looks for an existing patient or directory entry before one is made (lanes.md 18, 19). Twins are kept apart by leases on what they
// would be matched by, held until what one of them writes must be visible to the other's search.

import type { Transaction } from 'kysely';
import { sql } from 'kysely';
import { isWholeSearch } from '../../connections/connections.ts';
import { reason } from '../../errors.ts';
import { type Json, type JsonObject, objectsIn } from '../../json.ts';
import { type Database, json } from '../../store/store.ts';
import type { Abilities, LaneConnection, LaneDeps } from '../lane-connection.ts';
import type { LaneResource } from '../lane-resource.ts';
import type { Lease } from '../lease.ts';
import { linkFound } from '../link-found.ts';
import { finalSearchFailure } from '../search-failure.ts';
import { findPatient, type PatientFound } from './find-patient.ts';
import { directoryIdentifiers, matchKeys, type StrongIdentifier, strongIdentifiers } from './match.ts';

export type FindResult =
  | Exclude<PatientFound, { kind: 'not-found' }>
  /** The leases that hold as long as nobody else looks for the same. */
  | { readonly kind: 'not-found'; readonly matchKeys: readonly string[] };

export async function findExisting(
  deps: LaneDeps,
  connection: LaneConnection,
  abilities: Abilities,
  lease: Lease,
  resource: LaneResource,
): Promise<FindResult> {
  // A server that cannot be asked by number cannot tell whether it knows the entry.
  if (resource.key.type !== 'client' && !abilities.searches(resource.resourceType, 'identifier'))
    return { kind: 'not-found', matchKeys: [] };
  const record = resource.record ?? {};
  const isPatient = resource.key.type === 'client';
  const { identifierSystems } = connection.config;
  const strong = isPatient
    ? strongIdentifiers(record, identifierSystems)
    : directoryIdentifiers(record, identifierSystems);
  const keys = isPatient
    ? matchKeys(record, strong)
    : strong.map(({ system, value }) => `identifier|${system}|${value}`);
  const inOrder = [...new Set(keys)].sort();
  if (!(await takeMatchLeases(deps, connection, lease, inOrder))) {
    return { kind: 'again', reason: reason('twin-in-progress'), afterMs: 1_000 };
  }
  const found = isPatient
    ? await findPatient(deps, connection, lease, resource, strong)
    : await findEntry(deps, connection, lease, resource, strong);
  return found.kind === 'not-found' ? { ...found, matchKeys: inOrder } : found;
}

async function findEntry(
  deps: LaneDeps,
  connection: LaneConnection,
  lease: Lease,
  resource: LaneResource,
  strong: readonly StrongIdentifier[],
): Promise<PatientFound> {
  const byId = new Map<string, JsonObject>();
  for (const { system, value } of strong) {
    const query = connection.vendor.queries.identifier(system, value);
    const result = await connection.client.searchAll(resource.resourceType, query);
    if (!isWholeSearch(result)) return finalSearchFailure(connection, result);
    for (const entry of result.resources) byId.set(String(entry.id), entry);
  }
  const [first] = [...byId.values()]
    .filter((entry) => entry.active !== false && carries(entry, strong))
    .sort((a, b) => (String(a.id) < String(b.id) ? -1 : 1));
  return first === undefined
    ? { kind: 'not-found' }
    : { kind: 'linked', woken: await linkFound(deps, lease, resource, first) };
}

/** A server that does not know the search parameter answers with everybody (ehr-behaviour E12): what has none of the numbers is no hit. */
function carries({ identifier }: JsonObject, strong: readonly StrongIdentifier[]): boolean {
  const held = objectsIn(identifier);
  return held.some(({ system, value }) =>
    strong.some((ours) => ours.system === system && typeof value === 'string' && ours.value === value.trim()),
  );
}

/** What the lane has found or made is visible to the other's search after `settle`; no twin needs to wait longer. */
export async function releaseMatchLeases(trx: Transaction<Database>, lease: Lease, settleMs: number): Promise<void> {
  await sql`
    update match_lease set until = least(until, now() + ${settleMs} * interval '1 millisecond')
    where connection = ${lease.connection} and holder = ${lease.subject}`.execute(trx);
}

/** All or none, in one statement; ours again after a restart, because the lane is the holder. */
async function takeMatchLeases(
  deps: LaneDeps,
  connection: LaneConnection,
  lease: Lease,
  keys: readonly string[],
): Promise<boolean> {
  if (keys.length === 0) return true;
  const rows: Json = keys.map((key) => ({ key }));
  const heldMs = deps.leaseMs + connection.config.settleMs;
  return deps.store.tx(async (trx) => {
    await sql`delete from match_lease where connection = ${lease.connection} and until < now()`.execute(trx);
    const { rows: taken } = await sql<{ key: string }>`
      insert into match_lease (connection, key, holder, until)
      select ${lease.connection}, k.key, ${lease.subject}, now() + ${heldMs} * interval '1 millisecond'
      from jsonb_to_recordset(${json(rows)}) as k(key text) order by k.key
      on conflict (connection, key) do update set until = excluded.until where match_lease.holder = excluded.holder
      returning key`.execute(trx);
    if (taken.length === rows.length) return true;
    await sql`
      delete from match_lease where connection = ${lease.connection} and holder = ${lease.subject}
        and key in (select k.key from jsonb_to_recordset(${json(taken)}) as k(key text))`.execute(trx);
    return false;
  });
}
