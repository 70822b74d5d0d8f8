// The rows that a run decides from, in as few statements as may be: a run loads several times, and each statement is a round trip.

import { sql, type Transaction } from 'kysely';
import type { JsonObject } from '../json.ts';
import { type Database, json } from '../store/store.ts';
import { type DecisionRow, patientTopic } from './desire.ts';
import type { LinkRow, RecordName, RecordRow, SeenRow } from './known.ts';
import type { Lease } from './lease.ts';
import type { OperationRow } from './operations.ts';

/** What changes while a lane runs. */
export interface LaneRows {
  /** Database time of the snapshot. */
  readonly now: Date;
  /** Undefined: there is no such lane. */
  readonly wanted: number | undefined;
  readonly connection_epoch: number | null;
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
}

/** What stays as it is until a cause raises `wanted`. */
export interface LaneRecords {
  /** The lane's counter when they were read. */
  readonly wanted: number | undefined;
  readonly own: readonly RecordRow[];
  readonly clientId: string | undefined;
  readonly consents: readonly JsonObject[];
  /** Records of other lanes that were looked for, and those of them that are there. */
  readonly others: readonly RecordName[];
  readonly otherRows: readonly RecordRow[];
}

/** A row as it comes out of `json_agg`: instants are text. */
type Stored<Row> = {
  readonly [Column in keyof Row]: Row[Column] extends Date
    ? string
    : Row[Column] extends Date | null
      ? string | null
      : Row[Column];
};

type StoredRows = Pick<LaneRows, 'now' | 'connection_epoch' | 'is_paused' | 'epochs'> & {
  readonly wanted: number | null;
  readonly links: readonly Stored<LinkRow>[];
  readonly other_links: readonly Stored<LinkRow>[];
  readonly seen: readonly Stored<SeenRow>[];
  readonly decisions: readonly Stored<DecisionRow>[];
  readonly operations: readonly Stored<OperationRow>[];
};

/** @param others records of other lanes whose links are wanted too */
export async function readLane(
  trx: Transaction<Database>,
  { connection, subject, source }: Lease,
  others: readonly RecordName[],
): Promise<LaneRows> {
  const { rows } = await sql<StoredRows>`
    select now() as now,
      (select wanted from lane where connection = ${connection} and subject = ${subject}) as wanted,
      c.epoch as connection_epoch, coalesce(c.paused is not null, false) as is_paused,
      (select coalesce(json_agg(l order by l.generation), '[]') from link l
        where l.connection = ${connection} and l.subject = ${subject}) as links,
      (select coalesce(json_agg(l order by l.generation), '[]') from link l
        join (
          select type, id from lane_read where connection = ${connection} and subject = ${subject}
          union select o.type, o.id from jsonb_to_recordset(${json(nameRows(others))}) as o(type text, id text)
        ) o on o.type = l.type and o.id = l.id
        where l.connection = ${connection} and l.source = ${source} and l.subject <> ${subject}) as other_links,
      (select coalesce(json_agg(s), '[]') from seen s where s.connection = ${connection}
        and (s.resource_type, s.remote_id) in (
          select l.resource_type, l.remote_id from link l where l.connection = ${connection} and l.subject = ${subject})) as seen,
      (select coalesce(json_agg(d order by d.id desc), '[]') from decision d
        where d.connection = ${connection} and d.subject = ${subject}
          and (d.state = 'open' or d.state = 'decided' and d.topic = ${patientTopic})) as decisions,
      (select coalesce(json_agg(o order by o.id), '[]') from operation o
        where o.connection = ${connection} and o.subject = ${subject}
          and (o.outcome is null or o.late_check_at is not null)) as operations,
      (select coalesce(json_object_agg(e.key, e.n), '{}') from epoch e where e.key in (
        select prefix || client.id from (${clientsOf(subject)}) as client(id),
          (values ('client:' || ${source}::text || '/'), ('patient:' || ${connection}::text || ':' || ${source}::text || '/')) as p(prefix)
      )) as epochs
    from (values (1)) as one left join connection c on c.id = ${connection}`.execute(trx);
  const [row] = rows;
  if (row === undefined) throw new Error('The lane was not read.');
  return {
    now: row.now,
    wanted: row.wanted ?? undefined,
    connection_epoch: row.connection_epoch,
    is_paused: row.is_paused,
    links: row.links.map(linkRow),
    otherLinks: row.other_links.map(linkRow),
    seen: row.seen.map((one) => ({ ...one, seen_at: new Date(one.seen_at) })),
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
    epochs: row.epochs,
  };
}

/** The lane's records, the consents of its client, and the records of other lanes that its last run read. */
export async function readRecords(
  trx: Transaction<Database>,
  { connection, subject, source }: Lease,
  wanted: number | undefined,
): Promise<LaneRecords> {
  const { rows } = await sql<{
    own: readonly Stored<RecordRow>[];
    others: RecordName[];
    other_rows: readonly Stored<RecordRow>[];
    consents: readonly JsonObject[];
  }>`
    with other as (select type, id from lane_read where connection = ${connection} and subject = ${subject})
    select
      (select coalesce(json_agg(r order by r.type, r.id), '[]') from (
        select ${recordColumns} from record r where r.subject = ${subject}) r) as own,
      (select coalesce(json_agg(other), '[]') from other) as others,
      (select coalesce(json_agg(r), '[]') from (
        select ${recordColumns} from record r join other o on o.type = r.type and o.id = r.id
        where r.source = ${source} and r.subject <> ${subject}) r) as other_rows,
      (select coalesce(json_agg(r.content order by r.id), '[]') from record r
        where r.source = ${source} and r.type = 'consent' and not r.deleted
          and r.client_id in (${clientsOf(subject)})) as consents`.execute(trx);
  const [row] = rows;
  if (row === undefined) throw new Error('The records of the lane were not read.');
  const own = row.own.map(recordRow);
  const clientId = clientOf(own);
  const names = new Set(own.map(nameKey));
  return {
    wanted,
    own,
    clientId,
    consents: row.consents.filter((consent) => consent.clientId === clientId),
    others: row.others.filter((name) => !names.has(nameKey(name))),
    otherRows: row.other_rows.map(recordRow),
  };
}

/** Records of other lanes, with all generations of their links. */
export async function readOthers(
  trx: Transaction<Database>,
  { connection, source }: Lease,
  names: readonly RecordName[],
): Promise<{ rows: RecordRow[]; links: LinkRow[] }> {
  const { rows } = await sql<{ rows: readonly Stored<RecordRow>[]; links: readonly Stored<LinkRow>[] }>`
    with other as (select * from jsonb_to_recordset(${json(nameRows(names))}) as o(type text, id text))
    select
      (select coalesce(json_agg(r), '[]') from (
        select ${recordColumns} from record r join other o on o.type = r.type and o.id = r.id
        where r.source = ${source}) r) as rows,
      (select coalesce(json_agg(l order by l.generation), '[]') from link l join other o on o.type = l.type and o.id = l.id
        where l.connection = ${connection} and l.source = ${source}) as links`.execute(trx);
  return { rows: (rows[0]?.rows ?? []).map(recordRow), links: (rows[0]?.links ?? []).map(linkRow) };
}

const recordColumns = sql.raw('r.type, r.id, r.version, r.content, r.deleted, r.updated_at, r.accepted_at');

/** The client or clients whom the records of a lane are about. */
function clientsOf(subject: string) {
  return sql`select case when r.type = 'client' then r.id else r.client_id end from record r where r.subject = ${subject}`;
}

function clientOf(own: readonly RecordRow[]): string | undefined {
  const record = own.find(({ type }) => type === 'client') ?? own.find(({ type }) => type === 'case') ?? own[0];
  if (record === undefined) return undefined;
  const id = record.type === 'client' ? record.content.id : record.content.clientId;
  return typeof id === 'string' ? id : undefined;
}

function nameRows(names: readonly RecordName[]) {
  return names.map(({ type, id }) => ({ type, id }));
}

function nameKey({ type, id }: RecordName): string {
  return `${type}/${id}`;
}

function recordRow(row: Stored<RecordRow>): RecordRow {
  return { ...row, updated_at: new Date(row.updated_at), accepted_at: new Date(row.accepted_at) };
}

function linkRow(row: Stored<LinkRow>): LinkRow {
  return { ...row, retired_at: instant(row.retired_at), updated_at: new Date(row.updated_at) };
}

function instant(text: string | null): Date | null {
  return text === null ? null : new Date(text);
}
