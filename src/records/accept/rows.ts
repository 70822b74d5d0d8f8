// The statements of acceptance over `record`, `record_version` and `stale_record`: each takes a whole batch.

import { type RawBuilder, sql, type Transaction } from 'kysely';
import { reason } from '../../errors.ts';
import type { JsonObject } from '../../json.ts';
import { type Database, json } from '../../store/store.ts';
import type { RecordType } from '../record-type.ts';
import type { Judged, Received, Stored } from './judge.ts';
import { timestampOf } from './micros.ts';
import { signedTypes } from './signed-text.ts';

/** More records of one source than this within an hour that are older than what is stored raise an alert (lanes.md 24). */
export const staleLimit = 20;

interface StoredRow {
  readonly type: RecordType;
  readonly id: string;
  readonly version: number;
  readonly micros: number;
  readonly hash: string;
  readonly subject: string;
  readonly client_id: string | null;
  readonly case_id: string | null;
  readonly content: JsonObject | null;
  readonly was_signed: boolean;
}

/** One text per (type, id) within a source. */
export function keyOf({ type, id }: { readonly type: string; readonly id: string }): string {
  return `${type}/${id}`;
}

/** Locks the rows of these records in key order and says what they hold. */
export async function lockRecords(
  trx: Transaction<Database>,
  source: string,
  received: readonly Received[],
): Promise<Map<string, Stored>> {
  const keys = new Map(received.map(({ type, id }) => [keyOf({ type, id }), { type, id }]));
  const { rows } = await sql<StoredRow>`
    select r.type, r.id, r.version, (extract(epoch from r.updated_at) * 1000000)::float8 as micros, r.hash,
           r.subject, r.client_id, r.case_id,
           case when r.type not in (${sql.join(signedTypes)}) then null when not r.deleted then r.content else (
             select v.content from record_version v
             where v.source = r.source and v.type = r.type and v.id = r.id and (v.content -> 'deleted') is distinct from 'true'::jsonb
             order by v.version desc limit 1) end as content,
           r.type in (${sql.join(signedTypes)}) and (r.deleted or r.content ->> 'status' <> 'draft') and exists (
             select from record_version v
             where v.source = r.source and v.type = r.type and v.id = r.id and jsonb_exists(v.content, 'signedAt')
               and v.content ->> 'status' <> 'draft') as was_signed
    from jsonb_to_recordset(${json([...keys.values()])}) as k(type text, id text)
    join record r on r.source = ${source} and r.type = k.type and r.id = k.id
    order by r.type, r.id
    for update of r`.execute(trx);
  return new Map(
    rows.map((row) => {
      const {
        version,
        micros,
        hash,
        subject,
        client_id: clientId,
        case_id: caseId,
        content,
        was_signed: isSigned,
      } = row;
      return [
        keyOf(row),
        { version, micros, hash, subject, clientId, caseId, ...(content && { signed: { content, isSigned } }) },
      ];
    }),
  );
}

/** Those among the contents of `older` that some stored version of the same record holds, by key. */
export async function hashesOfVersions(
  trx: Transaction<Database>,
  source: string,
  older: readonly Received[],
): Promise<Map<string, Set<string>>> {
  const found = new Map<string, Set<string>>();
  if (older.length === 0) return found;
  const asked = older.map(({ type, id, hash }) => ({ type, id, hash }));
  const { rows } = await sql<{ type: string; id: string; hash: string }>`
    select v.type, v.id, v.hash
    from jsonb_to_recordset(${json(asked)}) as k(type text, id text, hash text)
    join record_version v on v.source = ${source} and v.type = k.type and v.id = k.id and v.hash = k.hash`.execute(trx);
  for (const row of rows) found.set(keyOf(row), (found.get(keyOf(row)) ?? new Set()).add(row.hash));
  return found;
}

/** Inserts records that were not here; answers the keys that another transaction has brought first. */
export async function insertRecords(
  trx: Transaction<Database>,
  source: string,
  latest: readonly Judged[],
): Promise<Set<string>> {
  const missing = new Set(latest.map(({ received }) => keyOf(received)));
  if (missing.size === 0) return missing;
  const { rows } = await sql<{ type: string; id: string }>`
    insert into record (source, type, id, version, updated_at, content, hash, deleted, client_id, case_id, subject)
    select ${source}::text, x.* from ${recordset(latest)} order by x.type, x.id
    on conflict (source, type, id) do nothing
    returning type, id`.execute(trx);
  for (const row of rows) missing.delete(keyOf(row));
  return missing;
}

/** Puts new versions into rows that `lockRecords` has locked. */
export async function updateRecords(
  trx: Transaction<Database>,
  source: string,
  latest: readonly Judged[],
): Promise<void> {
  if (latest.length === 0) return;
  await sql`
    update record r
    set version = x.version, updated_at = x.updated_at, content = x.content, hash = x.hash, deleted = x.deleted,
        client_id = x.client_id, case_id = x.case_id, subject = x.subject, accepted_at = now()
    from ${recordset(latest)}
    where r.source = ${source} and r.type = x.type and r.id = x.id`.execute(trx);
}

/** Keeps every accepted version, the ones that were overtaken within the batch too. */
export async function insertVersions(
  trx: Transaction<Database>,
  source: string,
  accepted: readonly Judged[],
): Promise<void> {
  if (accepted.length === 0) return;
  await sql`
    insert into record_version (source, type, id, version, updated_at, content, hash)
    select ${source}::text, x.type, x.id, x.version, x.updated_at, x.content, x.hash
    from ${recordset(accepted)}`.execute(trx);
}

/** Keeps stale records beside the newer ones, and raises one alert when there are many. */
export async function keepStale(trx: Transaction<Database>, source: string, stale: readonly Judged[]): Promise<void> {
  if (stale.length === 0) return;
  await sql`
    insert into stale_record (source, type, id, hash, updated_at, content)
    select ${source}::text, x.type, x.id, x.hash, x.updated_at, x.content
    from ${recordset(stale)} order by x.type, x.id, x.hash
    on conflict (source, type, id, hash) do nothing`.execute(trx);
  await sql`
    insert into alert (topic, reason)
    select ${`stale:${source}`}, ${json(reason('stale-many', { source, limit: staleLimit }))}
    from (
      select from stale_record
      where source = ${source} and received_at > now() - interval '1 hour'
      limit ${staleLimit + 1}
    ) recent
    having count(*) > ${staleLimit}
    on conflict (topic) where resolved_at is null do update set count = alert.count + 1`.execute(trx);
}

function recordset(judged: readonly Judged[]): RawBuilder<unknown> {
  const rows = judged.map(({ received, version, place }) => ({
    type: received.type,
    id: received.id,
    version,
    updated_at: timestampOf(received.micros),
    content: received.record,
    hash: received.hash,
    deleted: received.record.deleted === true,
    client_id: place.clientId,
    case_id: place.caseId,
    subject: place.subject,
  }));
  return sql`jsonb_to_recordset(${json(rows)}) as x(
    type text, id text, version integer, updated_at timestamptz, content jsonb, hash text, deleted boolean,
    client_id text, case_id text, subject text)`;
}
