// Moves the replays of the store on, a few hundred lanes at a time: wants lanes that were asked for, at the priority of back-fill; settles those
// that have run; plans instead of running where it is a dry run. Every step is one transaction, so a killed process costs nothing but time.

import { type Selectable, sql } from 'kysely';
import { CasebridgeError, type Reason, reason } from '../../errors.ts';
import type { Json } from '../../json.ts';
import { type Database, json, type Store, type Transaction } from '../../store/store.ts';
import { activeVersion } from '../configuration/activate.ts';
import type { LaneDeps } from '../lane-connection.ts';
import type { LaneKey, Lease } from '../lease.ts';
import { raiseWanted } from '../links/wanted.ts';
import { type PlanNow, planNow, show } from './dry-run.ts';

const mostAtOnce = 500;
const dryAtOnce = 50;
/** Behind everything that happens now; as back-fill. */
const priority = 90;

type ReplayRow = Selectable<Database['replay']>;

/** @returns true when lanes have become due or there is more to do at once */
export async function workReplays(deps: LaneDeps): Promise<boolean> {
  let more = false;
  for (const replay of await runningReplays(deps.store)) {
    const went = replay.dry_run ? await planSome(deps, replay, 'in-force') : await runSome(deps, replay);
    await endIfDone(deps.store, replay.id);
    more ||= went;
  }
  return more;
}

/** Moves dry runs on, and nothing else: for a process that sends nothing. They tell what its own configuration would do, in force or not. */
export async function workDryRuns(deps: LaneDeps): Promise<void> {
  for (const replay of await runningReplays(deps.store)) {
    if (!replay.dry_run) continue;
    await planSome(deps, replay, 'own');
    await endIfDone(deps.store, replay.id);
  }
}

function runningReplays({ db }: Store): Promise<ReplayRow[]> {
  return db.selectFrom('replay').selectAll().where('state', '=', 'running').orderBy('id').execute();
}

async function runSome(deps: LaneDeps, replay: ReplayRow): Promise<boolean> {
  return deps.store.tx(async (trx) => {
    if (!(await claim(trx, replay.id))) return false;
    const wanted = await wantSome(trx, replay);
    const settled = await settleSome(trx, replay);
    await leaveResting(trx, replay.id);
    return wanted + settled > 0;
  });
}

/** One process at a time works on a replay. */
async function claim(trx: Transaction<Database>, id: number): Promise<boolean> {
  const row = await trx
    .selectFrom('replay')
    .select('id')
    .where('id', '=', id)
    .where('state', '=', 'running')
    .forUpdate()
    .skipLocked()
    .executeTakeFirst();
  return row !== undefined;
}

interface OpenItem extends LaneKey {
  /** Switched off or taken out, by the configuration in force. */
  readonly off: boolean;
  readonly paused: Reason | null;
  readonly draining: boolean;
  readonly stopped: { readonly by: string } | null;
}

/** @param planned by these connections of this process only, and what is off */
async function openItems(
  trx: Transaction<Database>,
  replay: number,
  limit: number,
  planned?: LaneDeps['connections'],
): Promise<OpenItem[]> {
  const own = [...(planned?.values() ?? [])].map(({ config: { id }, configuration }) => ({ id, configuration }));
  const { rows } = await sql<OpenItem>`
    select i.connection, i.subject, c.id is null or c.off_since is not null as off, c.paused, c.draining_since is not null as draining, l.stopped
    from replay_item i join lane l on l.connection = i.connection and l.subject = i.subject
    left join connection c on c.id = i.connection
    where i.replay = ${replay} and i.outcome is null and i.wanted is null
      and (${planned === undefined}::boolean or c.id is null or c.off_since is not null or exists (
        select 1 from jsonb_to_recordset(${json(own)}) as o(id text, configuration text) where o.id = c.id and o.configuration = c.configuration))
    order by i.connection, i.subject limit ${limit}`.execute(trx);
  return rows;
}

async function wantSome(trx: Transaction<Database>, replay: ReplayRow): Promise<number> {
  const items = await openItems(trx, replay.id, mostAtOnce);
  if (items.length === 0) return 0;
  const active = await activeVersion(trx);
  const ended: Ended[] = [];
  const lanes: LaneKey[] = [];
  for (const item of items) {
    const { connection, subject } = item;
    const early = endsUnasked(replay, active, item);
    if (early === undefined) lanes.push({ connection, subject });
    else ended.push({ connection, subject, writes: 0, ...early });
  }
  await storeEnded(trx, replay.id, ended);
  await raiseWanted(trx, lanes, { reread: true, unpark: true, priority });
  await sql`
    update replay_item i set wanted = l.wanted, asked_at = now()
    from jsonb_to_recordset(${json(lanes)}) as k(connection text, subject text)
    join lane l on l.connection = k.connection and l.subject = k.subject
    where i.replay = ${replay.id} and i.connection = k.connection and i.subject = k.subject`.execute(trx);
  return items.length;
}

type Verdict = { readonly outcome: 'done' | 'skipped' | 'refused'; readonly reason: Reason | null };
type Ended = LaneKey & Verdict & { readonly writes: number; readonly plan?: Json };

/** What is not even tried, and why. */
function endsUnasked(
  { scope }: ReplayRow,
  active: string | undefined,
  { off, paused, draining, stopped }: OpenItem,
): Verdict | undefined {
  if (off) return { outcome: 'skipped', reason: reason('connection-off') };
  if (scope.mapping !== undefined && scope.mapping !== active)
    return { outcome: 'skipped', reason: notActive(scope.mapping, active) };
  if (paused !== null) return { outcome: 'skipped', reason: paused };
  if (draining) return { outcome: 'skipped', reason: reason('connection-draining', { why: '' }) };
  return stopped === null
    ? undefined
    : { outcome: 'refused', reason: reason('lane-parked-by-operator', { by: stopped.by }) };
}

interface RanRow extends LaneKey {
  readonly parked: Reason | null;
  readonly reason: Reason | null;
  readonly stopped: { readonly by: string } | null;
  readonly stuck: Reason | null;
  readonly writes: number;
  /** Of its last finished run. */
  readonly mapping: string | null;
  /** Whether that was since the replay has asked for it. */
  readonly finished: boolean;
}

/** Of a `replay_item i`: writes that have gone through since its lane was asked for. */
const writesSince = sql`(select count(*)::integer from record r join operation o on o.source = r.source and o.type = r.type and o.record_id = r.id
  where r.subject = i.subject and o.connection = i.connection and o.intended_at >= i.asked_at and o.outcome in ('ok', 'found'))`;

/** What a person has said is to rest is no refusal. */
const restCodes = ['version-set-aside', 'patient-left', 'remote-left', 'elsewhere-left'];

async function settleSome(trx: Transaction<Database>, { id: replay, scope }: ReplayRow): Promise<number> {
  const active = await activeVersion(trx);
  const { rows } = await sql<RanRow>`
    select i.connection, i.subject, l.parked, l.reason, l.stopped, l.basis ->> 'mapping' as mapping,
      coalesce((l.basis ->> 'at')::timestamptz >= i.asked_at, false) as finished,
      (select k.reason from link k where k.connection = i.connection and k.subject = i.subject and k.state = 'parked'
        and k.retired_at is null and k.reason ->> 'code' not in (${sql.join(restCodes)}) order by k.type, k.id, k.slot limit 1) as stuck,
      ${writesSince} as writes
    from replay_item i join lane l on l.connection = i.connection and l.subject = i.subject
    where i.replay = ${replay} and i.outcome is null and i.wanted is not null and (l.done >= i.wanted or l.stopped is not null)
    order by i.connection, i.subject limit ${mostAtOnce}`.execute(trx);
  const ended = rows.map(({ connection, subject, writes, ...row }) => ({
    connection,
    subject,
    writes,
    ...verdictOf(row, writes, sentUnder(row, scope.mapping, active)),
  }));
  await storeEnded(trx, replay, ended);
  return ended.length;
}

/** A lane that has done all but what it cannot read is tried for who knows how long: the replays that asked for it do not wait for that. */
export async function refuseUnread(
  trx: Transaction<Database>,
  { connection, subject, wanted }: Lease,
  why: Reason,
): Promise<void> {
  await sql`
    update replay_item i set outcome = 'refused', reason = ${json(why)}, writes = ${writesSince}
    where i.replay in (select r.id from replay r where r.state = 'running') and i.connection = ${connection} and i.subject = ${subject}
      and i.outcome is null and i.wanted <= ${wanted}`.execute(trx);
}

/** The other mapping by which a lane has run, or is held, where the replay was of one; undefined: none. */
function sentUnder(
  { mapping, finished }: Pick<RanRow, 'mapping' | 'finished'>,
  asked: string | undefined,
  active: string | undefined,
): Reason | undefined {
  if (asked === undefined || mapping === asked) return undefined;
  const under = finished && mapping !== null ? mapping : active;
  return under === asked ? undefined : notActive(asked, under);
}

function notActive(version: string, active: string | undefined): Reason {
  return reason('mapping-not-active', { version, active: active ?? 'none' });
}

function verdictOf(
  { parked, stuck, stopped, ...lane }: Pick<RanRow, 'parked' | 'stuck' | 'stopped' | 'reason'>,
  writes: number,
  otherwise: Reason | undefined,
): Verdict {
  if (stopped !== null) return { outcome: 'refused', reason: reason('lane-parked-by-operator', { by: stopped.by }) };
  if (otherwise !== undefined) return { outcome: 'skipped', reason: otherwise };
  const refusal = parked ?? stuck;
  if (refusal !== null) return { outcome: 'refused', reason: refusal };
  if (writes > 0) return { outcome: 'done', reason: null };
  return { outcome: 'skipped', reason: lane.reason ?? reason('replay-nothing-to-do') };
}

/**
 * A connection that pauses or is switched off meanwhile would keep the job open for who knows how long: its lanes stay wanted, and are counted as skipped,
 * with what they have written by then. One that is under way is left to come to its end.
 */
async function leaveResting(trx: Transaction<Database>, replay: number): Promise<void> {
  await sql`
    with resting as (
      select i.connection, i.subject, c.off_since is not null as off, ${writesSince} as writes
      from replay_item i join lane l on l.connection = i.connection and l.subject = i.subject
      join connection c on c.id = i.connection
      where i.replay = ${replay} and i.outcome is null and l.done < i.wanted and l.stopped is null
        and (l.lease_until is null or l.lease_until <= now()) and (c.paused is not null or c.off_since is not null))
    update replay_item i set outcome = 'skipped', writes = r.writes,
      reason = case when r.off then ${json(reason('connection-off'))} when r.writes > 0 then ${json(reason('replay-cut-short'))}
        else ${json(reason('replay-left-paused'))} end
    from resting r where i.replay = ${replay} and i.connection = r.connection and i.subject = r.subject`.execute(trx);
}

async function storeEnded(trx: Transaction<Database>, replay: number, ended: readonly Ended[]): Promise<void> {
  if (ended.length === 0) return;
  const rows = ended.map(({ reason: why, ...rest }) => ({ ...rest, reason: why === null ? null : { ...why } }));
  await sql`
    update replay_item i set outcome = e.outcome, reason = e.reason, writes = e.writes, plan = e.plan
    from jsonb_to_recordset(${json(rows)})
      as e(connection text, subject text, outcome text, reason jsonb, writes integer, plan jsonb)
    where i.replay = ${replay} and i.connection = e.connection and i.subject = e.subject`.execute(trx);
}

/** Planning takes long and asks for capabilities: it is done outside the transaction; a second process may do the same, to the same end. */
async function planSome(deps: LaneDeps, replay: ReplayRow, configuration: 'own' | 'in-force'): Promise<boolean> {
  const { items, active } = await deps.store.tx(async (trx) => ({
    items: await openItems(trx, replay.id, dryAtOnce, configuration === 'own' ? undefined : deps.connections),
    active: await activeVersion(trx),
  }));
  const ended: Ended[] = [];
  for (const item of items) {
    const { connection, subject } = item;
    const off = configuration === 'own' ? !deps.connections.has(connection) : item.off;
    const early = endsUnasked(replay, active, { ...item, off });
    const rest = early === undefined ? await planned(deps, { connection, subject }) : { writes: 0, ...early };
    ended.push({ connection, subject, ...rest });
  }
  await deps.store.tx((trx) => storeEnded(trx, replay.id, ended));
  return items.length === dryAtOnce;
}

async function planned(deps: LaneDeps, key: LaneKey): Promise<Verdict & { writes: number; plan?: Json }> {
  const connection = deps.connections.get(key.connection);
  if (connection === undefined) throw new Error('A lane of another process was to be planned.');
  try {
    return told(await planNow(deps, connection, key, { unparks: true }));
  } catch (error) {
    // The server does not say what it can do.
    if (error instanceof CasebridgeError) return { outcome: 'refused', reason: error.reason, writes: 0 };
    throw error;
  }
}

function told(planned: PlanNow): Verdict & { writes: number; plan: Json } {
  const { operations, parked } = show(planned);
  const writes = operations.filter(({ kind }) => kind !== 'find' && kind !== 'read' && kind !== 'encounter').length;
  const plan: Json = JSON.parse(JSON.stringify(operations));
  const [stuck] = parked.flatMap(({ reason: why }) => why ?? []).filter(({ code }) => !restCodes.includes(code));
  if (stuck !== undefined) return { outcome: 'refused', reason: stuck, writes, plan };
  if (operations.length > 0) return { outcome: 'done', reason: null, writes, plan };
  const waiting = planned.states.find(({ state }) => state === 'waiting')?.reason;
  return { outcome: 'skipped', reason: waiting ?? reason('replay-nothing-to-do'), writes, plan };
}

async function endIfDone({ db }: Store, replay: number): Promise<void> {
  await sql`
    update replay r set state = 'done', ended_at = now() where r.id = ${replay} and r.state = 'running'
      and not exists (select 1 from replay_item i where i.replay = r.id and i.outcome is null)`.execute(db);
}
