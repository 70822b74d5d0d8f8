// The records that the clocks of some cases are made from, in one statement.

import { type RawBuilder, sql, type Transaction } from 'kysely';
import { type JsonObject, textAt } from '../json.ts';
import { isRecordType, sourceOf } from '../records/records.ts';
import { type Database, json } from '../store/store.ts';
import type { CaseFacts, ClockRecord } from './evaluate.ts';
import { type Said, withSaid } from './said.ts';

interface Row {
  readonly subject: string;
  readonly type: string;
  readonly id: string;
  readonly deleted: boolean;
  readonly content: JsonObject;
  readonly status_since: Date;
  readonly has_moved: boolean;
  /** It counts for the clocks of others; its own are another case's. */
  readonly beside: boolean;
  /** Of a referral: what the other side says of it, and its source has neither taken over nor refused. */
  readonly said: readonly Said[] | null;
}

/** What counts as the status of a record of this name: of a goal whether it was given up, which its status alone does not say. */
function statusIn(row: string, type: string) {
  const content = sql`${sql.raw(row)}.content`;
  return sql`case when ${sql.raw(type)}.type = 'goal'
    then (${content} ->> 'status' = 'cancelled' or coalesce(${content} ->> 'achievement' = 'not-attainable', false))::text
    else ${content} ->> 'status' end`;
}

/** Statuses of which it matters since when they hold, and no field says it. */
const ends = ['completed', 'revoked', 'closed', 'declined', 'cancelled', 'failed'];

/**
 * The facts by subject; a subject without records has none. The coverages are all those of the client, whichever case they are of. A stay that a hospital has told of counts before its source has taken it over: for all
 * open cases of the client, and its own clock runs in the oldest of them. So does what the other side says of a referral (`said.ts`).
 * `zoneOf` is the zone of a source, for cases whose organization tells none. Of a
 * withdrawn record it is the last version that was not, for it may say nothing itself.
 */
export async function loadFacts(
  trx: Transaction<Database>,
  subjects: readonly string[],
  zoneOf: (source: string) => string,
): Promise<Map<string, CaseFacts>> {
  const asked = json(subjects.map((subject) => ({ subject })));
  const { rows } = await sql<Row>`
    with asked as (select a.subject from jsonb_to_recordset(${asked}) as a(subject text)),
    own as (
      select r.* from asked join record r on r.subject = asked.subject
      where r.type in ('case', 'referral', 'note', 'appointment', 'incident', 'carePlan', 'hospitalStay', 'safetyPlan', 'need', 'goal')
    ), counted as (
      select own.subject, own.source, own.type, own.id, own.deleted, own.content, own.updated_at from own
      union all
      select own.subject, r.source, r.type, r.id, r.deleted, r.content, r.updated_at from own
      join record r on r.source = own.source and r.type = 'coverage' and r.client_id = own.client_id where own.type = 'case'
    ), beside as (
      select own.subject, r.type, r.id, r.content, r.updated_at from own join record r on r.source = own.source
        and (r.type = 'client' and r.id = own.client_id or r.type = 'organization' and r.id = own.content ->> 'organizationId')
      where own.type = 'case' and not r.deleted
    )
    select own.subject, own.type, own.id, own.deleted, coalesce(last.content, own.content) as content,
      coalesce(since.at, own.updated_at) as status_since, coalesce(since.moved, false) as has_moved, false as beside, said.fields as said
    from counted own
    left join lateral (
      select jsonb_agg(jsonb_build_object('pointer', v.pointer, 'value', v.value)) as fields from remote_value v
      where v.source = own.source and v.type = own.type and v.id = own.id and v.refused_at is null
        and v.pointer in ('/firstContact', '/cancelRequest')
    ) said on own.type = 'referral'
    left join lateral (
      select v.content from record_version v
      where v.source = own.source and v.type = own.type and v.id = own.id and (v.content -> 'deleted') is distinct from 'true'::jsonb
      order by v.version desc limit 1
    ) last on own.deleted
    left join lateral (
      select min(v.updated_at) as at, bool_or(other.version > 0) as moved
      from record_version v, (
        select coalesce(max(w.version), 0) as version from record_version w
        where w.source = own.source and w.type = own.type and w.id = own.id
          and ${statusIn('w', 'own')} is distinct from ${statusIn('own', 'own')}) other
      where v.source = own.source and v.type = own.type and v.id = own.id and v.version > other.version
    ) since on own.type in ('case', 'carePlan', 'referral') and own.content ->> 'status' in (${sql.join(ends)})
      or own.type = 'coverage' or own.type = 'goal' and ${statusIn('own', 'own')} = 'true'
    union all
    select own.subject, i.type, i.id, false, i.offered, i.updated_at, false, own.subject <> ${caseOfStay('i')}, null
    from own join inbound i on i.subject = own.source || '.client.' || own.client_id and ${isProposedStay('i')}
      and not exists (select from record r where r.source = own.source and r.type = 'hospitalStay' and r.id = i.id)
    where own.type = 'case' and ${isOpenCase('own')}
    union all
    select subject, type, id, false, content, updated_at, false, false, null from beside
    order by 1, 2, 3`.execute(trx);
  return new Map(
    [...Map.groupBy(rows, ({ subject }) => subject)].map(([subject, own]) => [subject, factsOf(own, zoneOf)]),
  );
}

function isProposedStay(name: string) {
  const row = sql.raw(name);
  return sql`${row}.type = 'hospitalStay' and ${row}.state = 'proposed'`;
}

/** The subject in which the clocks of a row of `inbound` run: of a proposed stay the oldest open case of the client, else null. */
export function caseOfStay(name: string): RawBuilder<string | null> {
  const row = sql.raw(name);
  return sql`(select c.subject from record c
    where ${isProposedStay(name)} and c.source = ${row}.source and c.type = 'case'
      and c.client_id = substring(${row}.subject from '^[^.]+[.]client[.](.*)$') and ${isOpenCase('c')}
    order by coalesce(c.content ->> 'openedOn', ''), c.id limit 1)`;
}

function isOpenCase(name: string) {
  const row = sql.raw(name);
  return sql`not ${row}.deleted and coalesce(${row}.content ->> 'status', '') not in ('closed', 'declined')`;
}

function factsOf(rows: readonly Row[], zoneOf: (source: string) => string): CaseFacts {
  const beside = (type: string) => rows.find((row) => row.type === type)?.content;
  const client = beside('client');
  return {
    records: rows.flatMap(clockRecord),
    ...(client && { client }),
    zone: textAt(beside('organization'), 'timeZone') ?? zoneOf(sourceOf(rows[0]?.subject ?? '')),
  };
}

function clockRecord({
  type,
  id,
  deleted,
  content,
  status_since: since,
  has_moved: hasMoved,
  beside,
  said,
}: Row): ClockRecord[] {
  if (!isRecordType(type) || type === 'client' || type === 'organization') return [];
  const record = { ...withSaid(content, said ?? []), id };
  const statusSince = since.getTime();
  return [{ type, record, isWithdrawn: deleted, statusSince, hasMoved, ...(beside && { isBeside: true }) }];
}
