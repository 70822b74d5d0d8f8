// What an operator is shown of a connection before and after it goes live: who lets us in, what goes where and why, what would be written, and
// what stands in the way.

import type { RawBuilder } from 'kysely';
import { type ConnectionConfig, organizationsOf } from '../../config.ts';
import { type Connection, type RouteRow, vendorRules, vendors } from '../../connections/connections.ts';
import { CasebridgeError, type Reason, reason } from '../../errors.ts';
import type { MappingSet } from '../../mapping/mapping.ts';
import { oneText, type Store, sql } from '../../store/store.ts';
import { slotsOf } from '../configuration/abilities.ts';
import { type Standing, standingColumns, standingOf } from '../configuration/configuration.ts';
import { type Abilities, type LaneConnection, type LaneDeps, receiverFor } from '../lane-connection.ts';
import type { LaneKey } from '../lease.ts';
import { type PollReport, pollReport } from '../polls/poll-report.ts';
import { rosterFindings } from '../polls/roster.ts';
import { awaitsDocument, kindOf, planNow } from './dry-run.ts';

export interface ConnectionReport extends Standing {
  readonly connection: string;
  readonly vendor: string;
  readonly mode: string;
  readonly basis: ConnectionConfig['basis'];
  readonly reachable: boolean;
  readonly auth: { readonly ok: boolean; readonly reason: Reason | null };
  readonly scopes: readonly string[];
  /** What an operator should mend, the gravest first. */
  readonly findings: readonly Reason[];
  readonly routes: readonly RouteRow[];
  /** Whether the server is told who wrote what, in one line; absent where it is not known. */
  readonly provenance?: string;
  /**
   * Types written there without version tags: what others change between our last look and our write is seen by no client (lanes.md 28). Absent where
   * it is not known.
   */
  readonly withoutVersions?: readonly string[];
  /** Sources in which the organization whose server this is has no record that the connection knows of; absent where it is switched off. */
  readonly withoutOrganization?: readonly string[];
  /** What is known of servers of this vendor: what they take, what not and why. */
  readonly vendorRules: ReturnType<typeof vendorRules>;
  readonly wouldWrite: { readonly create: number; readonly update: number; readonly document: number };
  /**
   * Present where there may be more to write than `wouldWrite` says: more lanes have work than are planned for a report, or some have not looked yet
   * for a patient or a directory entry.
   */
  readonly wouldWriteAtLeast?: true;
  /** Why resources wait or rest, and how many for each reason, the most frequent first. */
  readonly missing: readonly { readonly code: string; readonly text: string; readonly count: number }[];
  /** What asking the server takes; absent where it is switched off, and for one source: it is about the patients of all. */
  readonly polls?: PollReport;
}

/**
 * Asks the server who it is and what it lets us do. Never throws for what it answers.
 * @param source whose lanes alone are told of; absent: those of all, as operators are told
 */
export async function connectionReport(
  deps: LaneDeps,
  connection: Connection,
  lane: LaneConnection,
  source?: string,
): Promise<ConnectionReport> {
  const { config } = connection;
  const { reachable, auth, scopes = [], findings } = await connection.diagnose();
  const standing = await standingNow(deps.store, config);
  const mappings = await deps.mappings();
  const abilities = reachable && auth.ok ? await readableAbilities(lane, mappings) : undefined;
  return {
    ...identityOf(config),
    ...standing,
    reachable,
    auth: { ok: auth.ok, reason: auth.reason ?? null },
    scopes: [...scopes],
    findings: [
      ...standingFindings(standing),
      ...findings,
      ...(await organizationFindings(deps.store, config, source)),
      ...(source === undefined ? await rosterFindings(deps.store, config.id) : []),
    ],
    routes: abilities?.routes ?? routesOff(mappings, reason('route-capabilities-unknown')),
    ...(abilities && { provenance: abilities.provenance.why, withoutVersions: withoutVersions(abilities) }),
    ...(abilities === undefined ? { wouldWrite: nothing } : await countWrites(deps, lane, source)),
    withoutOrganization: config.sources.filter(
      (one) => one === (source ?? one) && receiverFor(config, one).organization === undefined,
    ),
    missing: await countMissing(deps, config.id, source),
    ...(source === undefined && { polls: await pollReport(deps.store, lane) }),
  };
}

async function standingNow({ db }: Store, config: ConnectionConfig): Promise<Standing> {
  const row = await db
    .selectFrom('connection')
    .select([...standingColumns])
    .where('id', '=', config.id)
    .executeTakeFirst();
  return standingOf(config, row);
}

/** Another configuration is no fault of the connection: a new one may be looked at before it is started with. */
function standingFindings({ paused, draining }: Standing): Reason[] {
  const why = draining?.by ? `, as ${draining.by} wants it` : '';
  return [...(paused === null ? [] : [paused]), ...(draining === null ? [] : [reason('connection-draining', { why })])];
}

/** Under another id than the one that is configured nothing is meant for it: no referral, and no consent that names it. */
async function organizationFindings(
  { db }: Store,
  config: ConnectionConfig,
  source: string | undefined,
): Promise<Reason[]> {
  const named = organizationsOf(config).filter((one) => one.source === (source ?? one.source));
  if (named.length === 0) return [];
  const known = await db
    .selectFrom('record')
    .select(['source', 'id'])
    .where('type', '=', 'organization')
    .where('deleted', '=', false)
    .where(({ eb, or }) => or(named.map(({ source, id }) => eb.and({ source, id }))))
    .execute();
  return named
    .filter(({ source, id }) => !known.some((one) => one.source === source && one.id === id))
    .map((organization) => reason('organization-unsent', { ...organization, connection: config.id }));
}

function withoutVersions({ routes, namesVersions }: Abilities): string[] {
  const written = routes.filter(({ route }) => route === 'native' || route === 'answer');
  const types = new Set(written.map(({ resourceType }) => resourceType));
  return [...types].filter((type) => !namesVersions(type)).sort();
}

/** Undefined where the server does not say what it can do; the diagnosis says why. */
async function readableAbilities(lane: LaneConnection, mappings: MappingSet): Promise<Abilities | undefined> {
  try {
    return await lane.abilities(mappings);
  } catch (error) {
    if (error instanceof CasebridgeError) return undefined;
    throw error;
  }
}

/** A connection that is switched off is not asked. */
export function offReport(config: ConnectionConfig, mappings: MappingSet): ConnectionReport {
  const why = reason('connection-off');
  return {
    ...identityOf(config),
    ...standingOf(config, undefined),
    reachable: false,
    auth: { ok: false, reason: why },
    scopes: [],
    findings: [],
    routes: routesOff(mappings, why),
    wouldWrite: nothing,
    missing: [],
  };
}

function identityOf({
  id,
  vendor,
  mode,
  basis,
}: ConnectionConfig): Pick<ConnectionReport, 'connection' | 'vendor' | 'mode' | 'basis' | 'vendorRules'> {
  return { connection: id, vendor, mode, basis, vendorRules: vendorRules(vendors[vendor]) };
}

function routesOff(mappings: MappingSet, why: Reason): ConnectionReport['routes'] {
  return slotsOf(mappings).map(({ recordType, resourceType }) => ({
    recordType,
    resourceType,
    route: 'off',
    reason: why,
  }));
}

/** Operations that change what is there. */
const changing: readonly string[] = ['update', 'move', 'ask', 'unask', 'retire'];

const nothing: ConnectionReport['wouldWrite'] = { create: 0, update: 0, document: 0 };

/** Each lane is planned, which takes milliseconds, while somebody waits for the answer. */
const mostPlanned = 1_000;

/**
 * What the lanes that have work, or that a shadow keeps from writing, would send; documents also where their quiet time is not over. A lane's links
 * say what is left to do: its reason is another one where something of it waits or is parked beside that. Whom a lane that has run would look for
 * first was not found then, and what waits for such a one alone would follow it.
 */
async function countWrites(
  deps: LaneDeps,
  lane: LaneConnection,
  source: string | undefined,
): Promise<Pick<ConnectionReport, 'wouldWrite' | 'wouldWriteAtLeast'>> {
  const connection = lane.config.id;
  const { rows } = await sql<LaneKey & { has_run: boolean }>`
    select l.connection, l.subject, l.done >= l.wanted as has_run from lane l
    where l.connection = ${connection} and ${isOf(source, sql`l.source`)} and (l.done < l.wanted or l.subject in (
      select k.subject from link k where k.connection = ${connection} and k.state in ('due', 'leaving') and k.retired_at is null))
    order by l.subject limit ${mostPlanned + 1}`.execute(deps.store.db);
  let isLeast = rows.length > mostPlanned;
  let { create, update, document } = await countFollowing(deps, connection, source);
  for (const { has_run: hasRun, ...key } of rows.slice(0, mostPlanned)) {
    const { operations, states } = await planNow(deps, lane, key);
    const kinds = operations.map(kindOf);
    const sought = operations.filter(
      ({ kind, resource }) => kind === 'find' && resource.route.route === 'native',
    ).length;
    create += kinds.filter((kind) => kind === 'create').length + (hasRun ? sought : 0);
    update += kinds.filter((kind) => changing.includes(kind)).length;
    document += awaitsDocument(states) ? 1 : 0;
    isLeast ||= !hasRun && sought > 0;
  }
  return { wouldWrite: { create, update, document }, ...(isLeast && { wouldWriteAtLeast: true }) };
}

function isOf(source: string | undefined, column: RawBuilder<unknown>) {
  return source === undefined ? sql`true` : sql`${column} = ${source}`;
}

/** What waits for nothing but resources that are to be created, or that themselves wait for such alone: it follows them without anybody's doing. */
function following(connection: string, source: string | undefined) {
  return sql`with recursive following as (
    select k.source, k.type, k.id, k.slot, k.subject, k.route, k.remote_id, false as waits
    from link k where k.connection = ${connection} and ${isOf(source, sql`k.source`)} and k.state = 'due' and k.route = 'native' and k.remote_id is null and k.retired_at is null
    union
    select k.source, k.type, k.id, k.slot, k.subject, k.route, k.remote_id, true
    from following f join link k on k.connection = ${connection} and k.source = f.source and k.state = 'waiting' and k.retired_at is null
      and k.reason ->> 'text' = replace(${reason('waits-for-link').text}, '{target}', f.type || '/' || f.id || '#' || f.slot))`;
}

async function countFollowing(
  { store }: LaneDeps,
  connection: string,
  source: string | undefined,
): Promise<ConnectionReport['wouldWrite']> {
  const { rows } = await sql<ConnectionReport['wouldWrite']>`
    ${following(connection, source)}
    select count(*) filter (where f.route <> 'document' and f.remote_id is null)::integer as create,
      count(*) filter (where f.route <> 'document' and f.remote_id is not null)::integer as update,
      count(distinct f.subject) filter (where f.route = 'document')::integer as document
    from following f join lane l on l.connection = ${connection} and l.subject = f.subject
    where f.waits and l.done >= l.wanted`.execute(store.db);
  return rows[0] ?? nothing;
}

async function countMissing(
  { store }: LaneDeps,
  connection: string,
  source: string | undefined,
): Promise<ConnectionReport['missing']> {
  const { rows } = await sql<ConnectionReport['missing'][number]>`
    ${following(connection, source)}
    select k.reason ->> 'code' as code, ${oneText(sql`k.reason ->> 'text'`)} as text, count(*)::integer as count
    from link k where k.connection = ${connection} and ${isOf(source, sql`k.source`)} and k.state in ('waiting', 'parked') and k.retired_at is null and k.reason is not null
      and (k.source, k.type, k.id, k.slot) not in (select source, type, id, slot from following)
    group by 1 order by 3 desc, 1`.execute(store.db);
  return rows;
}
