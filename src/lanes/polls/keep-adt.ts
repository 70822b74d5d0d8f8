// What an ADT message tells: whose it is, and, where the server does not let visits be read, the visit itself as a resource seen.

import { sql } from 'kysely';
import { type JsonObject, objectAt, textAt } from '../../json.ts';
import { json, type Store } from '../../store/store.ts';
import { type Noting, noteInbound } from '../inbound/note.ts';
import type { LaneKey } from '../lease.ts';
import { hashOfSeen, saveSeen } from '../links/seen.ts';
import { raiseWanted } from '../links/wanted.ts';
import { notAskedCodes } from './poll-allowed.ts';
import { lanesOfPatients } from './poll-keep.ts';

export interface IdentifierSought {
  /** The system in which it counts on this server. */
  readonly system: string;
  /** Of a client record, as in `mrn`. */
  readonly kind: string;
  readonly value: string;
}

export interface PatientFound {
  readonly patient: string;
  /** Of the client or the server's Patient, as far as either says it. */
  readonly birthDate: string | null;
}

/** The patients who are asked about and have one of these identifiers, by the server's Patient or by the record of the client linked to it. */
export async function patientsWith(
  { db }: Pick<Store, 'db'>,
  connection: string,
  identifiers: readonly IdentifierSought[],
): Promise<PatientFound[]> {
  const sought = json(identifiers.map(({ system, kind, value }) => ({ system, kind, value })));
  const { rows } = await sql<PatientFound>`
    with sought as (select i.* from jsonb_to_recordset(${sought}) as i(system text, kind text, value text)),
    found as (
      select s.remote_id as patient, s.body ->> 'birthDate' as born from sought i join seen s
        on s.connection = ${connection} and s.resource_type = 'Patient'
        and s.body -> 'identifier' @> jsonb_build_array(jsonb_build_object('system', i.system, 'value', i.value))
      union
      select k.remote_id, r.content ->> 'birthDate' from sought i
      join record r on r.type = 'client' and not r.deleted
        and r.content -> 'identifiers' @> jsonb_build_array(jsonb_build_object('kind', i.kind, 'value', i.value))
      join link k on k.connection = ${connection} and k.source = r.source and k.type = 'client' and k.id = r.id
        and k.resource_type = 'Patient' and k.retired_at is null and k.remote_id is not null)
    select f.patient, max(f.born) as "birthDate" from found f
    where exists (select 1 from link k where k.connection = ${connection} and k.resource_type = 'Patient' and k.type = 'client'
        and k.remote_id = f.patient and k.retired_at is null)
      or exists (select 1 from roster o where o.connection = ${connection} and o.patient = f.patient)
    group by f.patient order by f.patient`.execute(db);
  return rows;
}

/**
 * Whether polls read visits of this patient: then a message only wakes them, and a visit is told of once. An outage changes nothing of that, nor that
 * this patient has not been asked about yet, where the visits of others are read.
 */
export async function readsVisits({ db }: Pick<Store, 'db'>, connection: string, patient: string): Promise<boolean> {
  const { rows } = await sql`
    select 1 from poll p
    where p.connection = ${connection} and p.resource_type = 'Encounter' and p.last_ok_at is not null
      and (p.reason is null or p.reason ->> 'code' not in (${sql.join(notAskedCodes)}))
      and (p.about in ('', ${patient}) or not exists (
        select 1 from poll own where own.connection = ${connection} and own.resource_type = 'Encounter' and own.about = ${patient}
          and own.reason is not null))
    limit 1`.execute(db);
  return rows.length > 0;
}

/**
 * Keeps a visit as an ADT message tells of it. A message that is older than what is kept changes nothing.
 * @returns the lanes that have work now, to be woken after the commit
 */
export async function keepVisit(store: Store, noting: Noting, patient: string, visit: JsonObject): Promise<LaneKey[]> {
  const { id: connection } = noting.config;
  const remoteId = textAt(visit, 'id') ?? '';
  return store.tx(async (trx) => {
    // A row that is not there yet could not be locked, and of two messages that come together the last to be stored would count.
    await trx
      .insertInto('seen')
      .values({ connection, resource_type: 'Encounter', remote_id: remoteId })
      .onConflict((conflict) => conflict.doNothing())
      .execute();
    const kept = await trx
      .selectFrom('seen')
      .select(['body', 'hash'])
      .where('connection', '=', connection)
      .where('resource_type', '=', 'Encounter')
      .where('remote_id', '=', remoteId)
      .forUpdate()
      .executeTakeFirst();
    if (isOlder(visit, kept?.body)) return [];
    const body = mergeVisit(kept?.body ?? {}, visit);
    if (hashOfSeen(body) === kept?.hash) return [];
    const look = { resourceType: 'Encounter', remoteId, versionTag: undefined, body, patient, origin: 'adt' } as const;
    await saveSeen(trx, connection, { ...look, isNews: true });
    // Taken over, it is linked in the lane of its case.
    const linked = await trx
      .selectFrom('link')
      .select(['connection', 'subject'])
      .where('connection', '=', connection)
      .where('resource_type', '=', 'Encounter')
      .where('remote_id', '=', remoteId)
      .where('retired_at', 'is', null)
      .execute();
    const lanes = [...(await lanesOfPatients(trx, connection, [patient])), ...linked];
    await raiseWanted(trx, lanes, { priority: 10 });
    return [...lanes, ...(await noteInbound(trx, noting, [body]))];
  });
}

/** A later message says less than all of them together; a visit that goes on has no end, and has been discharged nowhere. */
function mergeVisit(kept: JsonObject, visit: JsonObject): JsonObject {
  const { hospitalization, ...merged }: JsonObject = { ...kept, ...visit };
  const period = { ...objectAt(kept, 'period'), ...objectAt(visit, 'period') };
  const { end, ...open } = period;
  if (merged.status === 'in-progress') return { ...merged, period: open };
  return { ...merged, ...(hospitalization !== undefined && { hospitalization }), period };
}

function isOlder(visit: JsonObject, kept: JsonObject | null | undefined): boolean {
  const at = (body: JsonObject | undefined) => Date.parse(textAt(objectAt(body, 'meta'), 'lastUpdated') ?? '');
  return at(visit) < at(kept ?? undefined);
}
