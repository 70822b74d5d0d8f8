// What a partner may see of what is held for it, judged anew at each look: a consent that has been withdrawn counts at once, not only when the
// lane has taken back what it covered. Of a referral that its source has deleted or turned to somebody else the Task is left, and nothing of it but
// that it was an error (closed-loop B2): who has seen it learns so, instead of meeting a 404. Of a deleted appointment it is left that it is off.

import { sql, type Transaction } from 'kysely';
import { isDirectoryType, questionAbout, type Telling, withheldBy } from '../access/access.ts';
import { dateOf } from '../clocks/clocks.ts';
import type { PartnerConfig } from '../config.ts';
import { type JsonObject, objectAt, objectsAt, textAt } from '../json.ts';
import { clientTypes, isShared } from '../lanes/lanes.ts';
import { isRecordType, sameClient } from '../records/records.ts';
import { isTaskStatus, isTerminal } from '../referrals/referrals.ts';
import { type Database, json, type Store } from '../store/store.ts';
import type { HomeResource } from './rows.ts';

type Db = Store['db'] | Transaction<Database>;

/** A resource that the partner may see, and the record that it was made from; what the partner made itself has none. */
export interface Visible extends HomeResource {
  readonly at: Date;
  /** The lane that keeps it; undefined: the partner made it. */
  readonly subject: string | undefined;
  readonly record: { readonly type: string; readonly id: string; readonly content: JsonObject } | undefined;
}

/** Which of the resources: by type, id, the order that they are based on, or the time of their last change. */
export interface Narrowing {
  readonly type?: string;
  /** As `Type/id`. */
  readonly names?: readonly string[];
  /** As `ServiceRequest/<id>`. */
  readonly basedOn?: readonly string[];
  /** Changed at or after. */
  readonly since?: Date;
}

interface Row {
  readonly resource_type: string;
  readonly id: string;
  readonly version: number;
  readonly at: Date;
  readonly body: JsonObject;
  readonly own_value: string | null;
  readonly based_on: string | null;
  readonly subject: string | null;
  readonly record_type: string | null;
  readonly record_id: string | null;
  readonly client_id: string | null;
  readonly content: JsonObject | null;
  /** It was taken back, because its record is deleted or, of a Task, is theirs no more; and it says so. */
  readonly is_error: boolean;
  /** Of a referral: the organization that it names, or whose service it does. */
  readonly performer: string | null;
}

/** Oldest change first. */
export async function visibleTo(db: Db, partner: PartnerConfig, narrowing: Narrowing): Promise<Visible[]> {
  return visibleOf(db, partner, await readRows(db, partner, narrowing));
}

/** Where a reading of one type stands: at the change that was met last. */
export interface Place {
  readonly at: Date;
  readonly id: string;
}

export interface Course {
  readonly newestFirst: boolean;
  /** Absent: from the first. */
  readonly after?: Place | undefined;
}

export interface Portion {
  readonly resources: readonly Visible[];
  readonly isLast: boolean;
}

const rowsAtOnce = 500;

/** All of one type in portions, so that no more of them is held at a time, however many there are. What changes meanwhile is met again where it goes to. */
export async function* visibleInTurn(
  db: Db,
  partner: PartnerConfig,
  narrowing: Narrowing & { readonly type: string },
  course: Course,
): AsyncGenerator<Portion> {
  for (let after = course.after; ; ) {
    const rows = await readRows(db, partner, narrowing, { ...course, after });
    const seen = await visibleOf(db, partner, rows);
    after = rows.at(course.newestFirst ? 0 : -1);
    const isLast = rows.length < rowsAtOnce || after === undefined;
    yield { resources: course.newestFirst ? seen.toReversed() : seen, isLast };
    if (isLast) return;
  }
}

async function visibleOf(db: Db, partner: PartnerConfig, rows: readonly Row[]): Promise<Visible[]> {
  const permitted = await neededBy(db, partner, await permittedBy(db, partner, rows));
  const made = rows.filter(isPartnersOwn);
  const orders = await visibleOrders(db, partner, made, rows, permitted);
  const seen = rows.filter((row) => (isPartnersOwn(row) ? orders.has(row.based_on ?? '') : permitted.has(row)));
  const silent = await withoutPhones(db, partner, seen);
  const secret = await atSecretPlaces(db, partner, seen);
  return seen.map((row) => shown(partner, row, silent, secret));
}

function isPartnersOwn({ own_value, based_on }: Row): boolean {
  return own_value === null && based_on !== null;
}

/** A part that is not asked for is not in the statement: a plan that is made once for all finds an index only for what is always asked. */
async function readRows(db: Db, { id }: PartnerConfig, narrowing: Narrowing, course?: Course): Promise<readonly Row[]> {
  const { type, names, basedOn, since } = narrowing;
  const { newestFirst = false, after } = course ?? {};
  const parts = [
    sql`h.partner = ${id}`,
    type && sql`h.resource_type = ${type}`,
    names &&
      sql`(h.resource_type, h.id) in (
        select split_part(n, '/', 1), split_part(n, '/', 2) from jsonb_array_elements_text(${json(names)}) as n)`,
    basedOn && sql`h.based_on in (select * from jsonb_array_elements_text(${json(basedOn)}))`,
    since && sql`h.at >= ${since}::timestamptz`,
    after && sql`(h.at, h.id) ${newestFirst ? sql`<` : sql`>`} (${after.at}::timestamptz, ${after.id})`,
  ].filter((part) => part !== undefined);
  const limited =
    course &&
    sql`order by h.at ${newestFirst ? sql`desc` : sql``}, h.id ${newestFirst ? sql`desc` : sql``} limit ${rowsAtOnce}`;
  const { rows } = await sql<Row>`
    select h.resource_type, h.id, h.version, h.at, h.body, h.own_value, h.based_on, l.subject, l.type as record_type,
      l.id as record_id, r.client_id, r.content, r.id is not null and (r.deleted or l.retired_at is not null) as is_error,
      coalesce(r.content ->> 'organizationId', s.content ->> 'organizationId') as performer
    from (select * from home_resource h where ${sql.join(parts, sql` and `)} ${limited ?? sql``}) h
    left join lateral (
      select k.subject, k.source, k.type, k.id, k.retired_at from link k
      where k.connection = h.partner and k.resource_type = h.resource_type and k.remote_id = h.id
        and (k.retired_at is null or (h.resource_type in ('Task', 'Appointment') and h.body ->> 'status' = 'entered-in-error'))
      order by k.retired_at is not null, k.generation desc limit 1) l on true
    left join record r on r.source = l.source and r.type = l.type and r.id = l.id
      and (case when h.resource_type = 'Task' and h.body ->> 'status' = 'entered-in-error' then true
        when h.resource_type = 'Appointment' and h.body ->> 'status' = 'entered-in-error' then r.deleted or l.retired_at is null
        else not r.deleted and l.retired_at is null end)
    left join record s on s.source = r.source and s.type = 'service' and s.id = r.content ->> 'serviceId'
    order by h.at, h.resource_type, h.id`.execute(db);
  return rows;
}

/** Those whose record may go to the partner now, by the client's consents as they are. */
async function permittedBy(
  db: Db,
  { id, organization, timeZone = 'UTC', otherConnections = [] }: PartnerConfig,
  rows: readonly Row[],
): Promise<ReadonlySet<Row>> {
  const clients = [
    ...new Set(rows.flatMap(({ client_id, record_type, record_id }) => clientOf(record_type, record_id, client_id))),
  ];
  const found = await sql<{ client: string; content: JsonObject; now: Date }>`
    with recursive ${sameClient(organization.source, sql`select * from jsonb_array_elements_text(${json(clients)})`)}
    select s.client, r.content, now() as now from same_client s, lateral (
      select r.content from record r
      where r.source = ${organization.source} and r.client_id = s.id and r.type = 'consent' and not r.deleted
        and (s.id = s.client or r.content ->> 'status' = 'declined') offset 0) r`.execute(db);
  const now = found.rows[0]?.now.getTime() ?? 0;
  const today = dateOf(now, timeZone);
  const consents = Map.groupBy(found.rows, ({ client }) => client);
  const receiver = { basis: 'consent', organization: organization.id, connection: id, otherConnections } as const;
  return withRecords(db, organization.source, (find) => {
    const permitted = rows.filter((row) => {
      const { record_type: recordType, content } = row;
      if (recordType === null || content === null || !isRecordType(recordType)) return false;
      if (isDirectoryType(recordType)) return true;
      const [client = ''] = clientOf(recordType, row.record_id, row.client_id);
      const own = (consents.get(client) ?? []).map((consent) => consent.content);
      const why = withheldBy(questionAbout(recordType, content, { ...receiver, find, consents: own, today, now }));
      // A referral that has been turned to somebody else is theirs no more, before its lane has got round to it.
      const isTheirs = recordType !== 'referral' || row.is_error || row.performer === organization.id;
      return why === undefined && isTheirs;
    });
    return new Set(permitted);
  });
}

/** What is made from other records of the source, which are read as it turns out which ones are asked for. */
async function withRecords<T>(db: Db, source: string, make: (find: Telling['find']) => T): Promise<T> {
  const read = new Map<string, JsonObject | undefined>();
  for (;;) {
    const missing = new Map<string, { type: string; id: string }>();
    const made = make((type, id) => {
      const key = `${type}/${id}`;
      if (!read.has(key)) missing.set(key, { type, id });
      return read.get(key);
    });
    if (missing.size === 0) return made;
    for (const key of missing.keys()) read.set(key, undefined);
    const { rows } = await sql<{ type: string; id: string; content: JsonObject }>`
      select r.type, r.id, r.content
      from jsonb_to_recordset(${json([...missing.values()])}) as n(type text, id text), lateral (
        select * from record r where r.source = ${source} and r.type = n.type and r.id = n.id offset 0) r`.execute(db);
    for (const { type, id, content } of rows) read.set(`${type}/${id}`, content);
  }
}

/**
 * Without what tells of a client whom no referral to the partner needs any more: the target may read only what its Task needs (closed-loop B4), and
 * a Task that has ended needs nothing. What the partner had by then stays with it.
 */
async function neededBy(db: Db, partner: PartnerConfig, permitted: ReadonlySet<Row>): Promise<ReadonlySet<Row>> {
  const typed = [...permitted].flatMap((row) => {
    const type = clientTypes.find((one) => one === row.record_type);
    return type === undefined ? [] : [{ row, type }];
  });
  if (typed.length === 0) return permitted;
  const clients = [...new Set(typed.flatMap(({ row }) => clientOf(row.record_type, row.record_id, row.client_id)))];
  const open = await openReferrals(db, partner, clients);
  const byClient = Map.groupBy(open, ({ clientId }) => clientId);
  const spared = typed.flatMap(({ row, type }) => {
    const [client = ''] = clientOf(row.record_type, row.record_id, row.client_id);
    const referred = byClient.get(client) ?? [];
    return isShared({ type, record: { ...row.content, id: row.record_id ?? '' }, referred }) ? [] : [row];
  });
  const without = new Set(spared);
  return new Set([...permitted].filter((row) => !without.has(row)));
}

/** Of these clients, those to the partner whose Task it may see and has not brought to an end. */
async function openReferrals(db: Db, partner: PartnerConfig, clients: readonly string[]): Promise<JsonObject[]> {
  const { rows } = await sql<{ id: string }>`
    select k.remote_id as id from record r
    join link k on k.connection = ${partner.id} and k.source = r.source and k.type = r.type and k.id = r.id
      and k.resource_type = 'Task' and k.retired_at is null
    where r.source = ${partner.organization.source} and r.type = 'referral' and not r.deleted
      and r.client_id in (select * from jsonb_array_elements_text(${json(clients)}))`.execute(db);
  if (rows.length === 0) return [];
  const tasks = await visibleTo(db, partner, { type: 'Task', names: rows.map(({ id }) => `Task/${id}`) });
  return tasks.flatMap(({ body, record }) =>
    record === undefined || (isTaskStatus(body.status) && isTerminal(body.status)) ? [] : [record.content],
  );
}

function clientOf(recordType: string | null, recordId: string | null, clientId: string | null): string[] {
  const id = recordType === 'client' ? recordId : clientId;
  return id === null ? [] : [id];
}

/** What the partner made is seen as long as the order is that it belongs to. */
async function visibleOrders(
  db: Db,
  partner: PartnerConfig,
  made: readonly Row[],
  rows: readonly Row[],
  permitted: ReadonlySet<Row>,
): Promise<ReadonlySet<string>> {
  if (made.length === 0) return new Set();
  const here = rows.filter((row) => permitted.has(row)).map(({ resource_type, id }) => `${resource_type}/${id}`);
  const asked = new Set(made.map(({ based_on }) => based_on ?? ''));
  const names = [...asked].filter((name) => !here.includes(name));
  const others = names.length === 0 ? [] : await visibleTo(db, partner, { type: 'ServiceRequest', names });
  return new Set([...here, ...others.map(({ resourceType, id }) => `${resourceType}/${id}`)]);
}

/**
 * Those of the patients who must not be contacted, by their record as it is now, or of whom a consent to the partner does not permit (any more), their own or one that an order for them names: their telephone
 * numbers are told nowhere. One that permits has to be there for the referral to leave at all.
 */
async function withoutPhones(db: Db, { id: partner }: PartnerConfig, rows: readonly Row[]): Promise<ReadonlySet<Row>> {
  const patients = rows.filter(isPatient);
  if (patients.length === 0) return new Set();
  const names = json(patients.map(({ id }) => `Patient/${id}`));
  const { rows: found } = await sql<{ patient: string }>`
    with refusal as (
      select h.id, h.body #>> '{patient,reference}' as patient from home_resource h
      join link k on k.connection = h.partner and k.resource_type = h.resource_type and k.remote_id = h.id and k.retired_at is null
      where h.partner = ${partner} and h.resource_type = 'Consent'
        and (h.body ->> 'status' <> 'active' or h.body #>> '{provision,type}' = 'deny'))
    select patient from refusal where patient in (select * from jsonb_array_elements_text(${names}))
    union
    select o.body #>> '{subject,reference}' from home_resource o
    where o.partner = ${partner} and o.resource_type = 'ServiceRequest'
      and o.body #>> '{subject,reference}' in (select * from jsonb_array_elements_text(${names}))
      and exists (select 1 from refusal, jsonb_path_query(o.body, '$.**.reference') as named(name)
        where named.name #>> '{}' = 'Consent/' || refusal.id)`.execute(db);
  return new Set(
    patients.filter(
      (row) => mayNotContact(row.content) || found.some(({ patient }) => patient === `Patient/${row.id}`),
    ),
  );
}

/** @param client as its source says */
export function mayNotContact(client: JsonObject | null | undefined): boolean {
  return objectAt(client ?? undefined, 'preferredContact')?.safeToContact === false;
}

/** Those that say where a place is, or how to reach it, that is to be told to nobody, by the records as they are now. */
function atSecretPlaces(
  db: Db,
  { organization: { source } }: PartnerConfig,
  rows: readonly Row[],
): Promise<ReadonlySet<Row>> {
  return withRecords(db, source, (find) => new Set(rows.filter((row) => isAtSecretPlace(row, find))));
}

function isAtSecretPlace({ resource_type: resourceType, own_value, content }: Row, find: Telling['find']): boolean {
  if (content === null) return false;
  switch (resourceType) {
    case 'Organization':
      return isSecret(content);
    case 'HealthcareService': {
      const organization = textAt(content, 'organizationId');
      return organization !== undefined && isSecret(find('organization', organization));
    }
    case 'Location':
      return objectsAt(content, 'locations').some(
        (one) => isSecret(one) && own_value?.includes(`#location[${textAt(one, 'id')}]`),
      );
    case 'Appointment':
      return isSecret(objectAt(content, 'place'));
    default:
      return false;
  }
}

function isSecret(place: JsonObject | undefined): boolean {
  return objectAt(place, 'address')?.confidential === true;
}

/** Elements that say where it is, or how to reach it. */
const whereabouts: Readonly<Record<string, readonly string[]>> = {
  Organization: ['telecom', 'address'],
  HealthcareService: ['telecom'],
  Location: ['address', 'position'],
  Appointment: ['comment'],
};

function withoutWhereabouts(body: JsonObject): JsonObject {
  const told = whereabouts[String(body.resourceType)] ?? [];
  return Object.fromEntries(Object.entries(body).filter(([name]) => !told.includes(name)));
}

function isPatient({ resource_type: resourceType }: Row): boolean {
  return resourceType === 'Patient';
}

function shown({ id: partner }: PartnerConfig, row: Row, silent: ReadonlySet<Row>, secret: ReadonlySet<Row>): Visible {
  const { resource_type: resourceType, id, version, at, subject, record_type: type, record_id, content } = row;
  const record = type === null || record_id === null || content === null ? undefined : { type, id: record_id, content };
  const whole = isPatient(row) ? onlyNeeded(row, !silent.has(row)) : row.body;
  const told = secret.has(row) ? withoutWhereabouts(whole) : whole;
  const body = row.is_error ? onlyError(row.body) : told;
  return { partner, resourceType, id, version, at, body, subject: subject ?? undefined, record };
}

/** What a Task needs of the patient: whom it is about, how to reach them, and in what language (closed-loop B4). */
function onlyNeeded({ body, own_value: own }: Row, hasPhones: boolean): JsonObject {
  const kept = ['resourceType', 'id', 'meta', 'active', 'name', 'gender', 'birthDate', 'communication'];
  const lists = {
    identifier: objectsAt(body, 'identifier').filter(({ value }) => value === own),
    telecom: objectsAt(body, 'telecom').filter(({ system }) => hasPhones && (system === 'phone' || system === 'sms')),
  };
  return {
    ...Object.fromEntries(Object.entries(body).filter(([name]) => kept.includes(name))),
    ...Object.fromEntries(Object.entries(lists).filter(([, items]) => items.length > 0)),
  };
}

/** What stays of what was taken back: which one it is, and that it was an error or is off. */
function onlyError(body: JsonObject): JsonObject {
  const own = body.resourceType === 'Task' ? ['intent'] : ['basedOn', 'start', 'end'];
  const kept = ['resourceType', 'id', 'identifier', 'status', ...own];
  const meta = objectAt(body, 'meta');
  const stamp = Object.fromEntries(
    Object.entries(meta ?? {}).filter(([name]) => ['versionId', 'lastUpdated'].includes(name)),
  );
  return { ...Object.fromEntries(Object.entries(body).filter(([name]) => kept.includes(name))), meta: stamp };
}
