// Who is asked about: patients that a client of ours is linked to, those of a Group or List that the configuration names, those of an operator's list,
// and for a while those whom a Task or request to us names. Each has its polls as rows, sooner or later by what is open for them, spread so that they do not come due together.

import { sql, type Transaction } from 'kysely';
import type { ConnectionConfig } from '../../config.ts';
import { pollShare, type Vendor } from '../../connections/connections.ts';
import { type Reason, reason } from '../../errors.ts';
import { parseReference } from '../../fhir/fhir.ts';
import { type JsonObject, objectAt, objectsAt, textAt } from '../../json.ts';
import { openCaseStatuses } from '../../records/records.ts';
import { finalStatuses } from '../../referrals/referrals.ts';
import { type Database, json, type Store } from '../../store/store.ts';
import type { LaneConnection } from '../lane-connection.ts';
import { readOne } from '../look/read-one.ts';
import { wasMergedInto } from '../patients/patient-link.ts';
import { reviewPollAlerts } from './poll-keep.ts';
import { pollEveryMs, tiers, typesOfAll, typesOfOne } from './poll-plan.ts';
import { type NumberSought, replaceSought } from './roster-sought.ts';
import { prepareSubscriptions } from './subscribe.ts';

type Polled = Pick<ConnectionConfig, 'id' | 'vendor' | 'pollEveryMs' | 'polls' | 'rateLimit' | 'hook'>;

/** Makes the polls that are about no single patient, due at once, and ends those that are not configured any more. */
export async function preparePolls(store: Store, config: Polled, vendor: Vendor): Promise<void> {
  const { roster } = config.polls;
  const rows = [
    ...typesOfAll(vendor, config).map((resource_type) => ({ resource_type, about: '' })),
    ...(roster === undefined ? [] : [{ resource_type: roster.resourceType, about: roster.id }]),
  ];
  const prepared = sql`
    with wanted as (select w.* from jsonb_to_recordset(${json(rows)}) as w(resource_type text, about text)),
    ended as (
      delete from poll p where p.connection = ${config.id} and p.tier = 0 and p.resource_type <> 'Subscription'
        and not exists (select 1 from wanted w where w.resource_type = p.resource_type and w.about = p.about)),
    left_out as (
      delete from roster r where r.connection = ${config.id} and r.origin = 'group' and ${roster === undefined})
    insert into poll (connection, resource_type, about)
    select ${config.id}, w.resource_type, w.about from wanted w
    on conflict do nothing`;
  await store.once((db) => prepared.execute(db));
  await prepareSubscriptions(store, config);
}

/** Whom a request to us names is asked about for so long, unless a client of ours is linked to them by then. */
const referredDays = 30;

/** Open cases and referrals: how they end is in their status. */
const openCase = sql`c.content ->> 'status' in (${sql.join(openCaseStatuses)})`;
const openReferral = sql`q.content ->> 'status' not in (${sql.join([...finalStatuses, 'draft'])})`;

/**
 * Brings the polls of single patients up to date with who is asked about: new ones are spread over the time that the connection's rate needs for
 * them, and those of a patient for whom more is open now come sooner. What could not be read of those who are asked about no more is told no more.
 * @param unlessBusy nothing is done where another process is at it; by default it is waited for
 */
export async function refreshRoster(
  store: Store,
  config: Polled,
  vendor: Vendor,
  { unlessBusy = false }: { readonly unlessBusy?: boolean } = {},
): Promise<void> {
  const types = typesOfOne(vendor, config).flatMap((type) =>
    tiers.slice(1).map((tier) => ({ type, tier, every_ms: pollEveryMs(config, vendor, type, tier) })),
  );
  const msPerRequest = pollShare * (1000 / config.rateLimit.requestsPerSecond);
  const refreshed = sql`
    with linked as (
      select k.remote_id as patient, min(case
          when exists (select 1 from record c join record q on q.source = c.source and q.case_id = c.id and q.type = 'referral'
            where c.source = k.source and c.type = 'case' and c.client_id = k.id and not c.deleted and not q.deleted
              and ${openReferral}) then 1
          when exists (select 1 from record c where c.source = k.source and c.type = 'case' and c.client_id = k.id
            and not c.deleted and ${openCase}) then 2
          else 3 end) as tier
      from link k
      where k.connection = ${config.id} and k.resource_type = 'Patient' and k.type = 'client' and k.retired_at is null
        and k.remote_id is not null
      group by k.remote_id
    ), patients as (
      select patient, min(tier) as tier, bool_and(is_merged) as is_merged from (
        select patient, tier, false as is_merged from linked
        -- Of whom was merged away nothing is asked but whether the merge still holds.
        union all select f.remote_id, l.tier, true from linked l
          join link k on k.connection = ${config.id} and k.resource_type = 'Patient' and k.type = 'client' and k.retired_at is null
            and k.remote_id = l.patient
          join link f on ${wasMergedInto}
        -- Who was referred to us waits for an answer.
        union all select r.patient, case r.origin when 'group' then 3 else 1 end, false from roster r
          where r.connection = ${config.id} and (r.origin <> 'referred' or r.since > now() - interval '${sql.raw(String(referredDays))} days')
      ) as everybody group by patient
    ), wanted as (
      select p.patient, p.tier, t.type, t.every_ms
      from patients p join jsonb_to_recordset(${json(types)}) as t(type text, tier integer, every_ms float8) on t.tier = p.tier
      where t.type = 'Patient' or not p.is_merged
    ), changed as materialized (
      select w.patient, w.type, w.tier, w.every_ms, o.about, o.resource_type
      from wanted w full join (select about, resource_type, tier from poll where connection = ${config.id} and tier > 0) o
        on o.about = w.patient and o.resource_type = w.type
      -- What is as it was is not locked: it may be with a process that asks just now.
      where o.tier is distinct from w.tier
    ), ended as (
      delete from poll o using changed c
      where c.patient is null and o.connection = ${config.id} and o.resource_type = c.resource_type and o.about = c.about
    ), spread as (
      select ${msPerRequest}::float8 * count(*) as ms from changed where about is null
    ), kept as (
      insert into poll as o (connection, resource_type, about, tier, next_at)
      -- Each at a place of its own in that time.
      select ${config.id}, c.type, c.patient, c.tier,
        now() + least(c.every_ms, s.ms) * ((hashtext(c.patient || c.type)::bigint + 2147483648) / 4294967296.0) * interval '1 millisecond'
      from changed c, spread s
      where c.patient is not null
      order by c.type, c.patient
      on conflict (connection, resource_type, about) do update set
        tier = excluded.tier, next_at = least(o.next_at, excluded.next_at)
      where o.tier <> excluded.tier
      returning 1)
    select count(*) from kept`;
  const isRefreshed = await store.tx(async (trx) => {
    if (!(await startRefresh(trx, config.id, unlessBusy))) return false;
    await refreshed.execute(trx);
    return true;
  });
  if (isRefreshed) await store.tx((trx) => reviewPollAlerts(trx, config.id));
}

// Any number will do, as long as every version of Casebridge takes the same one.
const refreshLock = 20_260_102;

/**
 * Takes the refresh of this connection for this transaction, and has it planned for the tables as they are: a plan that was made while there were no
 * polls does not end once there are thousands, and the first refreshes come before anybody has looked at the tables (`keepUp`).
 * @returns false: another process is at it
 */
async function startRefresh(trx: Transaction<Database>, connection: string, unlessBusy: boolean): Promise<boolean> {
  await sql`set local plan_cache_mode = force_custom_plan`.execute(trx);
  const key = sql`${refreshLock}::integer, hashtext(${connection})`;
  if (!unlessBusy) {
    await sql`select pg_advisory_xact_lock(${key})`.execute(trx);
    return true;
  }
  const { rows } = await sql<{ taken: boolean }>`select pg_try_advisory_xact_lock(${key}) as taken`.execute(trx);
  return rows[0]?.taken === true;
}

/** Puts an operator's list in the place of the one before. Who is named by a number joins it once the server has said who that is. */
export async function uploadRoster(
  { tx }: Pick<Store, 'tx'>,
  connection: string,
  patients: readonly string[],
  numbers: readonly NumberSought[] = [],
): Promise<{ added: number; removed: number }> {
  return tx(async (trx) => {
    const found = await replaceSought(trx, connection, numbers);
    return replaceRoster(trx, connection, 'uploaded', [...patients, ...found]);
  });
}

async function replaceRoster(
  trx: Transaction<Database>,
  connection: string,
  origin: 'group' | 'uploaded',
  patients: readonly string[],
): Promise<{ added: number; removed: number }> {
  const named = json(patients.map((patient) => ({ patient })));
  const { rows } = await sql<{ added: number; removed: number }>`
    with named as (select distinct n.patient from jsonb_to_recordset(${named}) as n(patient text)),
    removed as (
      delete from roster r where r.connection = ${connection} and r.origin = ${origin}
        and not exists (select 1 from named n where n.patient = r.patient) returning 1),
    added as (
      insert into roster (connection, patient, origin) select ${connection}, n.patient, ${origin} from named n
      on conflict do nothing returning 1)
    select (select count(*)::integer from added) as added, (select count(*)::integer from removed) as removed`.execute(
    trx,
  );
  return rows[0] ?? { added: 0, removed: 0 };
}

/**
 * Reads the configured Group or List, and keeps whom it names. One that names nobody any more takes nobody off: an empty answer ends nothing
 * (lanes.md 16). @returns why nothing could be kept
 */
export async function readRoster(
  store: Store,
  connection: LaneConnection,
  resourceType: string,
  id: string,
): Promise<Reason | undefined> {
  const { config } = connection;
  const { reply, body, failed } = await readOne(connection, { resourceType, id }, { isPoll: true });
  if (failed !== undefined) {
    // We ourselves have not asked.
    if (reply.fault === 'resting' || reply.fault === 'aborted') return failed.reason;
    return reason('roster-unreadable', { resourceType, id, why: failed.reason.text });
  }
  const patients = patientsOf(body, config.baseUrl);
  return store.tx(async (trx) => {
    if (patients.length === 0 && (await namesSomebody(trx, config.id))) return reason('roster-empty', { resourceType });
    await replaceRoster(trx, config.id, 'group', patients);
    return undefined;
  });
}

async function namesSomebody(trx: Transaction<Database>, connection: string): Promise<boolean> {
  const row = await trx
    .selectFrom('roster')
    .select('patient')
    .where('connection', '=', connection)
    .where('origin', '=', 'group')
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
}

/** What keeps us from knowing whom the configured Group or List names. */
export async function rosterFindings({ db }: Store, connection: string): Promise<Reason[]> {
  const rows = await db
    .selectFrom('poll')
    .select('reason')
    .where('connection', '=', connection)
    .where('resource_type', 'in', ['Group', 'List'])
    .execute();
  return rows.flatMap(({ reason: why }) => why ?? []);
}

/** Members of a Group who belong to it now, or entries of a List that are not taken off it. */
function patientsOf(body: JsonObject, baseUrl: string): string[] {
  const isOver = (part: JsonObject) => part.inactive === true || part.deleted === true;
  const references = [...objectsAt(body, 'member'), ...objectsAt(body, 'entry')]
    .filter((part) => !isOver(part))
    .map((part) => textAt(objectAt(part, 'entity') ?? objectAt(part, 'item'), 'reference'));
  return references.flatMap((reference) => {
    const named = reference === undefined ? undefined : parseReference(reference, baseUrl);
    return named?.resourceType === 'Patient' ? [named.id] : [];
  });
}
