// The rows that a run decides from, in one statement: it is a snapshot by itself (lanes.md 1), and a run that loads several times pays one round
// trip each.

import type { ConnectionConfig } from '../../config.ts';
import type { JsonObject } from '../../json.ts';
import { sameClient, sourceOf } from '../../records/records.ts';
import { json, type Store, sql } from '../../store/store.ts';
import type { LaneOfSource } from '../changes.ts';
import type { DecisionRow } from '../decisions/decisions.ts';
import { type LinkRow, type RecordName, type RecordRow, recordKey, type SeenRow } from '../desire/known.ts';
import type { EditionRow } from '../documents/editions.ts';
import { crashTopic, type LaneKey, type Lease, leaseQuery, type Taker } from '../lease.ts';
import { patientTopic } from '../patients/patient-link.ts';
import type { OperationRow } from '../send/operations.ts';

/** What changes while a lane runs. */
export interface LaneRows {
  /** Database time of the snapshot. */
  readonly now: Date;
  /** Undefined: there is no such lane. */
  readonly wanted: number | undefined;
  readonly connection_epoch: number | null;
  /** Of the connection, as in force; null: it is not known. */
  readonly configuration: string | null;
  readonly is_paused: boolean;
  /** Those of the lane, by generation. */
  readonly links: readonly LinkRow[];
  /** Those of the records of other lanes that were named, or read by the lane's last run. */
  readonly otherLinks: readonly LinkRow[];
  readonly seen: readonly SeenRow[];
  /** Those that are open, and the answers to who the client is; newest first. */
  readonly decisions: readonly DecisionRow[];
  /** Without an outcome, or with a late check ahead; oldest first. */
  readonly operations: readonly OperationRow[];
  /** Counters of the lane's client (lanes.md 7), by key; one that is not there has never been raised. */
  readonly epochs: Readonly<Record<string, number>>;
  readonly holds: LaneHolds;
  /** The lane's client as seen on the server. */
  readonly patient: JsonObject | null;
  /** Of all documents of the lane; oldest first. */
  readonly editions: readonly EditionRow[];
  readonly documents_held_until: Date | null;
  readonly records: LaneRecords | undefined;
}

/** What the store keeps of the lane besides, so that the end of a run touches only what there is. */
export interface LaneHolds {
  /** Records of other lanes that its last run read. */
  readonly reads: readonly RecordName[];
  readonly waits: boolean;
  readonly remoteValues: boolean;
  readonly alerts: boolean;
  /** What began on the other side and is this lane's to see to. */
  readonly inbound: boolean;
  /** Anything that began there and was for the source. */
  readonly begun: boolean;
  /** Something that others said, arranged or asked in the chart of the lane's client. */
  readonly spoken: boolean;
  /** Codes that no ConceptMap knew. */
  readonly unmapped: boolean;
}

/** What stays as it is until a cause raises `wanted`. */
export interface LaneRecords {
  /** The lane's counter when they were read. */
  readonly wanted: number | undefined;
  readonly own: readonly RecordRow[];
  readonly clientId: string | undefined;
  /** The client's, and what the same person has refused under another id (`mergedInto`). */
  readonly consents: readonly JsonObject[];
  /** Of the client; read only where the connection shares nothing else. */
  readonly referrals: readonly JsonObject[];
  /** Records of other lanes that were looked for, and those of them that are there. */
  readonly others: readonly RecordName[];
  readonly otherRows: readonly RecordRow[];
}

/** A row as it comes out of `json_agg`: instants are text. */
export type Stored<Row> = {
  readonly [Column in keyof Row]: Row[Column] extends Date
    ? string
    : Row[Column] extends Date | null
      ? string | null
      : Row[Column];
};

type StoredRows = Pick<
  LaneRows,
  'now' | 'connection_epoch' | 'configuration' | 'is_paused' | 'documents_held_until' | 'epochs' | 'holds' | 'patient'
> & {
  readonly wanted: number | null;
  readonly links: readonly Stored<LinkRow>[];
  readonly other_links: readonly Stored<LinkRow>[];
  readonly seen: readonly Stored<SeenRow>[];
  readonly decisions: readonly Stored<DecisionRow>[];
  readonly operations: readonly Stored<OperationRow>[];
  readonly editions: readonly Stored<EditionRow>[];
  readonly records: StoredRecords | null;
};

interface StoredRecords {
  readonly own: readonly Stored<RecordRow>[];
  readonly others: readonly Stored<RecordRow>[];
  readonly consents: readonly { readonly client: string; readonly content: JsonObject }[];
  readonly referrals: readonly JsonObject[];
}

/**
 * Reads the lane in one statement, which is one snapshot.
 *
 * @param others records of other lanes that are wanted too, with their links, beside those that the last run read
 * @param kept what is known of the records; they are read only when a cause has raised `wanted` since
 * @param share of the connection
 */
export async function readLane(
  { db }: Store,
  lane: LaneOfSource,
  others: readonly RecordName[],
  kept: LaneRecords | undefined,
  share?: ConnectionConfig['share'],
): Promise<LaneRows> {
  const { parts, columns, tables } = laneQuery(lane, others, kept, share);
  const { rows } = await sql<StoredRows>`
    with ${parts} select ${columns} from (values (1)) as one ${tables}`.execute(db);
  const [row] = rows;
  if (row === undefined) throw new Error('The lane was not read.');
  return laneRows(row, others, kept);
}

/**
 * Takes the lane as `takeLease` does and reads it in the same statement. Its snapshot may be older than what the lease waited for; so the lane is taken
 * only as the snapshot shows it: every transaction that changes what a lane is made of changes the row of the lane.
 *
 * @returns undefined where `takeLease` is to be asked: it is not to be had, or somebody has just changed it
 */
export async function takeLane(
  { db }: Store,
  key: LaneKey,
  taker: Taker,
  share?: ConnectionConfig['share'],
): Promise<{ readonly lease: Lease; readonly rows: LaneRows } | undefined> {
  const { parts, columns, tables } = laneQuery({ ...key, source: sourceOf(key.subject) }, [], undefined, share);
  const asShown = sql<boolean>`xmin = (select shown.version from shown)`;
  const { rows } = await sql<StoredRows & { lease: Omit<Lease, keyof LaneKey> }>`
    with shown as (select xmin as version from lane where connection = ${key.connection} and subject = ${key.subject}),
      taken as (${leaseQuery(db, key, taker).where(asShown)}),
      ${parts} select ${columns}, to_json(taken) as lease from taken ${tables}`.execute(db);
  const [row] = rows;
  return row && { lease: { ...key, ...row.lease }, rows: laneRows(row, [], undefined) };
}

/**
 * `offset 0` keeps the database from joining a few names with a whole table: each name is looked up by key, however little it knows of how many there
 * are.
 */
function laneQuery(
  { connection, subject, source }: LaneOfSource,
  others: readonly RecordName[],
  kept: LaneRecords | undefined,
  share: ConnectionConfig['share'],
) {
  const parts = sql`own as (
      select ${recordColumns}, r.client_id from record r where r.subject = ${subject}
      union all
      select i.type, i.id, 0, i.answer, false, i.updated_at, i.updated_at, i.answer ->> 'clientId' from inbound i
      where i.connection = ${connection} and i.subject = ${subject} and i.state = 'refused' and i.answer is not null),
    client as (select distinct case when type = 'client' then id else client_id end as id from own),
    other as (
      select type, id from lane_read where connection = ${connection} and subject = ${subject}
      union select o.type, o.id from jsonb_to_recordset(${json(nameRows(others))}) as o(type text, id text))`;
  const columns = sql`now() as now, l.wanted, c.epoch as connection_epoch, c.configuration, coalesce(c.paused is not null, false) as is_paused,
      c.documents_held_until,
      (select coalesce(json_agg(x order by x.generation), '[]') from link x
        where x.connection = ${connection} and x.subject = ${subject}) as links,
      (select coalesce(json_agg(x order by x.generation), '[]') from other o, lateral (
        select * from link x where x.connection = ${connection} and x.source = ${source} and x.type = o.type and x.id = o.id
          and x.subject <> ${subject} offset 0) x) as other_links,
      (select coalesce(json_agg(s), '[]') from (
          select distinct x.resource_type, x.remote_id from link x where x.connection = ${connection} and x.subject = ${subject}) x,
        lateral (select * from seen s where s.connection = ${connection} and s.resource_type = x.resource_type
          and s.remote_id = x.remote_id offset 0) s) as seen,
      (select s.body from client, lateral (
          select x.resource_type, x.remote_id from link x where x.connection = ${connection} and x.source = ${source}
            and x.type = 'client' and x.id = client.id and x.retired_at is null offset 0) x, lateral (
          select s.body from seen s where s.connection = ${connection} and s.resource_type = x.resource_type
            and s.remote_id = x.remote_id offset 0) s
        limit 1) as patient,
      (select coalesce(json_agg(d order by d.id desc), '[]') from decision d
        where d.connection = ${connection} and d.subject = ${subject}
          and (d.state = 'open' or d.state = 'decided' and (d.topic = ${patientTopic} or d.kind = 'entry-match'))) as decisions,
      (select coalesce(json_agg(o order by o.id), '[]') from operation o
        where o.connection = ${connection} and o.subject = ${subject}
          and (o.outcome is null or o.late_check_at is not null)) as operations,
      (select coalesce(json_agg(e order by e.edition), '[]') from own, lateral (
        select * from edition e where e.connection = ${connection} and e.source = ${source} and e.type = own.type
          and e.id = own.id offset 0) e) as editions,
      (select coalesce(json_object_agg(e.key, e.n), '{}') from client, (values ('client:' || ${source}::text || '/'),
          ('patient:' || ${connection}::text || ':' || ${source}::text || '/')) as p(prefix), lateral (
        select e.key, e.n from epoch e where e.key = p.prefix || client.id offset 0) e) as epochs,
      json_build_object(
        'reads', (select coalesce(json_agg(json_build_object('type', r.type, 'id', r.id)), '[]') from lane_read r
          where r.connection = ${connection} and r.subject = ${subject}),
        'waits', exists (select 1 from waiting w where w.connection = ${connection} and w.subject = ${subject}),
        'remoteValues', exists (select 1 from own, lateral (
          select 1 from remote_value v where v.source = ${source} and v.type = own.type and v.id = own.id
            and v.connection = ${connection} offset 0) v),
        'alerts', exists (select 1 from alert a
          where a.topic = ${crashTopic({ connection, subject })} and a.resolved_at is null),
        'inbound', exists (select 1 from inbound i where i.connection = ${connection} and i.subject = ${subject}),
        'begun', exists (select 1 from inbound i where i.connection = ${connection} and i.source = ${source}),
        'spoken', exists (select 1 from client, lateral (
            select x.remote_id from link x where x.connection = ${connection} and x.source = ${source} and x.type = 'client'
              and x.id = client.id and x.resource_type = 'Patient' and x.retired_at is null offset 0) x, lateral (
            select s.resource_type, s.remote_id from seen s where s.connection = ${connection} and s.patient = x.remote_id
              and s.resource_type in ('Communication', 'Appointment', 'Task') offset 0) s
          where not exists (select 1 from link l where l.connection = ${connection} and l.resource_type = s.resource_type
            and l.remote_id = s.remote_id and l.origin <> 'theirs')),
        'unmapped', exists (select 1 from unmapped u
          where u.connection = ${connection} and u.subject = ${subject})) as holds,
      case when l.wanted = ${kept?.wanted ?? -1}::bigint then null else json_build_object(
        'own', (select coalesce(json_agg(own order by own.type, own.id), '[]') from own),
        'others', (select coalesce(json_agg(x), '[]') from other o, lateral (
          select ${recordColumns} from record r where r.source = ${source} and r.type = o.type and r.id = o.id
            and r.subject <> ${subject} offset 0) x),
        'consents', (select coalesce(json_agg(json_build_object('client', r.client, 'content', r.content) order by r.id), '[]') from (
          with recursive ${sameClient(source, sql`select client.id from client`)}
          select s.client, r.id, r.content from same_client s, lateral (
            select r.id, r.content from record r where r.source = ${source} and r.client_id = s.id and r.type = 'consent'
              and not r.deleted and (s.id = s.client or r.content ->> 'status' = 'declined') offset 0) r) r),
        'referrals', (select coalesce(json_agg(r.content order by r.id), '[]') from client, lateral (
          select r.id, r.content from record r where ${share === 'referrals'}::boolean and r.source = ${source}
            and r.client_id = client.id and r.type = 'referral' and not r.deleted offset 0) r)) end as records`;
  const tables = sql`
      left join lane l on l.connection = ${connection} and l.subject = ${subject}
      left join connection c on c.id = ${connection}`;
  return { parts, columns, tables };
}

function laneRows(row: StoredRows, others: readonly RecordName[], kept: LaneRecords | undefined): LaneRows {
  return {
    now: row.now,
    wanted: row.wanted ?? undefined,
    connection_epoch: row.connection_epoch,
    configuration: row.configuration,
    is_paused: row.is_paused,
    documents_held_until: row.documents_held_until,
    links: row.links.map(linkRow),
    otherLinks: row.other_links.map(linkRow),
    seen: row.seen.map(seenRow),
    patient: row.patient,
    decisions: row.decisions.map((one) => ({
      ...one,
      opened_at: new Date(one.opened_at),
      decided_at: instant(one.decided_at),
      used_at: instant(one.used_at),
    })),
    operations: row.operations.map((one) => ({
      ...one,
      intended_at: new Date(one.intended_at),
      send_before: new Date(one.send_before),
      missed_at: instant(one.missed_at),
      late_check_at: instant(one.late_check_at),
      closed_at: instant(one.closed_at),
    })),
    editions: row.editions.map((one) => ({ ...one, as_of: new Date(one.as_of), sent_at: new Date(one.sent_at) })),
    epochs: row.epochs,
    holds: row.holds,
    records: recordsFrom(row, others) ?? kept,
  };
}

function recordsFrom({ wanted, records, holds }: StoredRows, others: readonly RecordName[]): LaneRecords | undefined {
  if (records === null) return undefined;
  const own = records.own.map(recordRow);
  const names = new Set(own.map(recordKey));
  const clientId = clientOf(own);
  return {
    wanted: wanted ?? undefined,
    own,
    clientId,
    consents: records.consents.flatMap(({ client, content }) => (client === clientId ? [content] : [])),
    referrals: records.referrals.filter((referral) => referral.clientId === clientId),
    others: [...holds.reads, ...others].filter((name) => !names.has(recordKey(name))),
    otherRows: records.others.map(recordRow),
  };
}

const recordColumns = sql.raw('r.type, r.id, r.version, r.content, r.deleted, r.updated_at, r.accepted_at');

function clientOf(own: readonly RecordRow[]): string | undefined {
  const record = own.find(({ type }) => type === 'client') ?? own.find(({ type }) => type === 'case') ?? own[0];
  if (record === undefined) return undefined;
  const id = record.type === 'client' ? record.content.id : record.content.clientId;
  return typeof id === 'string' ? id : undefined;
}

function nameRows(names: readonly RecordName[]) {
  return names.map(({ type, id }) => ({ type, id }));
}

function recordRow(row: Stored<RecordRow>): RecordRow {
  return { ...row, updated_at: new Date(row.updated_at), accepted_at: new Date(row.accepted_at) };
}

export function seenRow(row: Stored<SeenRow>): SeenRow {
  return {
    ...row,
    seen_at: new Date(row.seen_at),
    news_since: instant(row.news_since),
    absent_since: instant(row.absent_since),
  };
}

export function linkRow(row: Stored<LinkRow>): LinkRow {
  return { ...row, retired_at: instant(row.retired_at), updated_at: new Date(row.updated_at) };
}

function instant(text: string | null): Date | null {
  return text === null ? null : new Date(text);
}
