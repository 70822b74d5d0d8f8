// Which codes the ConceptMaps lack, as the runs of lanes find them: on the way out for as long as the record holds the code, on the way back for
// as long as the server does.

import { sql, type Transaction } from 'kysely';
import type { MappingIssue } from '../../mapping/mapping.ts';
import { type Database, json } from '../../store/store.ts';
import type { LaneResource } from '../lane-resource.ts';
import type { Lease } from '../lease.ts';

type About = Pick<LaneResource, 'key'>;

/** Whether the lane's records hold codes that no ConceptMap knows. */
export function hasUnmapped(resources: readonly Pick<LaneResource, 'desired'>[]): boolean {
  return resources.some(({ desired }) => desired?.issues.some(({ unmapped }) => unmapped !== undefined));
}

/** Replaces what the lane's records hold that no ConceptMap knows. */
export async function keepUnmapped(
  trx: Transaction<Database>,
  lease: Lease,
  resources: readonly (About & Pick<LaneResource, 'desired'>)[],
): Promise<void> {
  const rows = resources.flatMap((resource) => rowsOf(resource, resource.desired?.issues ?? []));
  await sql`
    delete from unmapped where connection = ${lease.connection} and subject = ${lease.subject} and way = 'out'`.execute(
    trx,
  );
  await insert(trx, lease, 'out', rows);
}

/** Replaces what the server holds in a resource that no ConceptMap knows. */
export async function keepUnmappedBack(
  trx: Transaction<Database>,
  lease: Lease,
  { key }: About,
  issues: readonly MappingIssue[],
  isHeld: boolean,
): Promise<void> {
  const rows = rowsOf({ key }, issues);
  if (rows.length === 0 && !isHeld) return;
  await sql`
    delete from unmapped where connection = ${lease.connection} and source = ${lease.source} and type = ${key.type}
      and id = ${key.id} and slot = ${key.slot} and way = 'back'`.execute(trx);
  await insert(trx, lease, 'back', rows);
}

function rowsOf({ key }: About, issues: readonly MappingIssue[]) {
  return issues.flatMap(({ unmapped, pointer }) =>
    unmapped === undefined
      ? []
      : [
          {
            type: key.type,
            id: key.id,
            slot: key.slot,
            pointer: pointer ?? '',
            concept_map: unmapped.conceptMap,
            code: unmapped.code,
          },
        ],
  );
}

async function insert(
  trx: Transaction<Database>,
  lease: Lease,
  way: 'out' | 'back',
  rows: ReturnType<typeof rowsOf>,
): Promise<void> {
  if (rows.length === 0) return;
  await sql`
    insert into unmapped (connection, source, subject, way, type, id, slot, pointer, concept_map, code)
    select ${lease.connection}, ${lease.source}, ${lease.subject}, ${way}, u.* from jsonb_to_recordset(${json(rows)})
      as u(type text, id text, slot text, pointer text, concept_map text, code text)
    on conflict do nothing`.execute(trx);
}
