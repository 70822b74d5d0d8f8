// A server that keeps putting an element back: to the same value three times in a day, each time after something else stood there (lanes.md
// 14). From then on a person decides, instead of source and server writing over each other for ever.

import { sql } from 'kysely';
import { contentHash } from '../../fhir/fhir.ts';
import type { Json } from '../../json.ts';
import { type Database, json, type Store, type Transaction } from '../../store/store.ts';
import { nameOf, type ResourceKey } from '../lane-resource.ts';
import type { Lease } from '../lease.ts';

/** With this one, as often as it takes until a person is asked. */
export const mostReverts = 3;

/** An element that another value stands in now than we left there. */
export interface Revert {
  readonly key: ResourceKey;
  readonly element: string;
  readonly value: Json | undefined;
}

/** How often it was put back to this very value before, within a day. */
export type CountReverts = (revert: Revert) => number;

export async function countReverts({ db }: Store, lease: Lease, keys: readonly ResourceKey[]): Promise<CountReverts> {
  if (keys.length === 0) return () => 0;
  const wanted = json(keys.map(({ type, id, slot }) => ({ type, id, slot })));
  const { rows } = await sql<ResourceKey & { element: string; value_hash: string; times: number }>`
    select r.type, r.id, r.slot, r.element, r.value_hash, r.times
    from revert r join jsonb_to_recordset(${wanted}) as k(type text, id text, slot text)
      on r.type = k.type and r.id = k.id and r.slot = k.slot
    where r.connection = ${lease.connection} and r.source = ${lease.source} and r.since > now() - interval '1 day'`.execute(
    db,
  );
  return ({ key, element, value }) =>
    rows.find((row) => nameOf(row) === nameOf(key) && row.element === element && row.value_hash === hashOf(value))
      ?.times ?? 0;
}

/** Another value, or another day, begins to count anew. */
export async function keepReverts(trx: Transaction<Database>, lease: Lease, reverts: readonly Revert[]): Promise<void> {
  if (reverts.length === 0) return;
  const rows = reverts.map(({ key: { type, id, slot }, element, value }) => ({
    type,
    id,
    slot,
    element,
    value_hash: hashOf(value),
  }));
  await sql`
    insert into revert (connection, source, type, id, slot, element, value_hash)
    select ${lease.connection}, ${lease.source}, r.* from jsonb_to_recordset(${json(rows)})
      as r(type text, id text, slot text, element text, value_hash text)
    on conflict (connection, source, type, id, slot, element) do update set
      times = case when revert.value_hash = excluded.value_hash and revert.since > now() - interval '1 day'
        then revert.times + 1 else 1 end,
      since = case when revert.value_hash = excluded.value_hash and revert.since > now() - interval '1 day'
        then revert.since else now() end,
      value_hash = excluded.value_hash`.execute(trx);
}

function hashOf(value: Json | undefined): string {
  return contentHash(value ?? null);
}
