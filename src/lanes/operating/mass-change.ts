// A mapping, a configuration or a route table that is another than at the last run of a lane may want very many resources changed at once. What
// one such cause changes on a connection is counted per link; beyond 1 % of its links, and at least 100, the rest is held and a person decides
// once (lanes.md 22). Changes of records never count: not of the resource's own record, not of a consent, not a withdrawal.

import { sql } from 'kysely';
import { isDirectoryType } from '../../access/access.ts';
import type { ConnectionConfig } from '../../config.ts';
import { CasebridgeError, type Reason, reason } from '../../errors.ts';
import { contentHash } from '../../fhir/fhir.ts';
import { type JsonObject, textsAt } from '../../json.ts';
import { type Database, json, type LaneBasis, type Transaction } from '../../store/store.ts';
import { activeVersion } from '../configuration/activate.ts';
import { configuredOtherwise, shapingOf } from '../configuration/configuration.ts';
import { type Answered, closeObsolete, openDecision } from '../decisions/decisions.ts';
import { documentSlot } from '../documents/document.ts';
import type { Abilities, LaneDeps, Run } from '../lane-connection.ts';
import { type LaneResource, nameOf, type ResourceKey } from '../lane-resource.ts';
import { type Lease, underLease } from '../lease.ts';
import { raiseWanted } from '../links/wanted.ts';
import type { LaneState } from '../load/load.ts';
import type { Operation, Plan, Write } from '../plan.ts';
import { placeholdersIn } from '../send/order.ts';
import { closeAlert, openAlert } from './alerts.ts';
import { diffOf } from './dry-run.ts';

/** What of a connection shapes what is sent: the same for a whole run. */
export function shapeOf(
  config: ConnectionConfig,
  abilities: Abilities,
): Required<Pick<LaneBasis, 'configuration' | 'routes'>> {
  const routes = abilities.routes.map(({ recordType, resourceType, route }) => [recordType, resourceType, route]);
  return {
    configuration: shapingOf(config),
    routes: contentHash(routes.map((row) => row.join(' ')).sort()),
  };
}

/** What a run of the lane is made from. */
export function basisOf(shape: ReturnType<typeof shapeOf>, state: LaneState): LaneBasis {
  return {
    ...shape,
    mapping: state.basis.mappingVersion,
    epochs: [...state.basis.epochs].map(([key, n]) => `${key}=${n}`).join(' '),
    ...(state.basis.until && { until: state.basis.until.toISOString() }),
    at: state.now.toISOString(),
  };
}

export interface Cause {
  readonly cause: 'mapping' | 'configuration' | 'scopes' | 'restored-server';
  /** Which one of them: a version or a hash. */
  readonly value: string;
}

/** What differs from the last finished run, the strongest first; undefined: nothing that could change masses. */
export function causeOf(before: LaneBasis | null, now: LaneBasis): Cause | undefined {
  if (before === null || (before.epochs !== undefined && before.epochs !== now.epochs)) return undefined;
  if (before.until !== undefined && before.until <= now.at) return undefined;
  if (before.mapping !== now.mapping) return { cause: 'mapping', value: now.mapping };
  const isOther = (one: string | undefined, other: string | undefined) =>
    one !== undefined && other !== undefined && one !== other;
  if (isOther(before.configuration, now.configuration))
    return { cause: 'configuration', value: now.configuration ?? '' };
  return isOther(before.routes, now.routes) ? { cause: 'scopes', value: now.routes ?? '' } : undefined;
}

/** More changes than this by one cause stop. */
export function massLimit(links: number): number {
  return Math.max(100, Math.floor(links / 100));
}

/** The plan without what a mass change holds; those resources end in a state that says so. Counts the rest. */
export async function withoutMassChange(
  { deps, lease }: Run,
  state: LaneState,
  now: LaneBasis,
  planned: Plan,
): Promise<Plan> {
  const cause = causeOf(lease.basis, now);
  if (cause === undefined || lease.basis === null) return planned;
  const since = Date.parse(lease.basis.at);
  if (isRelabelled(state, since)) return planned;
  const changes = changesIn(planned.operations, state, since, cause);
  if (changes.length === 0) return planned;
  const held = await underLease({ deps, lease }, async (trx) => {
    return count(trx, lease, cause, changes);
  });
  return held === undefined ? planned : without(planned, held);
}

/** True where something of the plan is held: its lane keeps the basis of its last finished run. */
export function isHolding({ states }: Plan): boolean {
  return states.some(({ reason: why }) => why?.code === 'mass-change' || why?.code === 'mass-change-stopped');
}

/** Whether a label may have come to count for the lane: something that it read is labelled, and something by which labels count (`labels.ts`) has changed. */
function isRelabelled({ known }: LaneState, since: number): boolean {
  const above = known.rows.filter(({ type }) => type === 'client' || type === 'case' || isDirectoryType(type));
  return (
    above.some(({ content }) => textsAt(content, 'sensitivity').length > 0) &&
    above.some(({ accepted_at: at }) => at.getTime() > since)
  );
}

/** Whether it points at what has been withdrawn since, or entered in error, and may say of it what it said. */
function isTakenOut({ desired }: LaneResource, { known }: LaneState, since: number): boolean {
  const lost = known.rows.filter(
    ({ accepted_at: at, deleted, content }) =>
      at.getTime() > since && (deleted || content.status === 'entered-in-error'),
  );
  return (
    desired?.references.some(({ target }) => lost.some(({ type, id }) => type === target.type && id === target.id)) ===
    true
  );
}

function changesIn(
  operations: readonly Operation[],
  state: LaneState,
  since: number,
  { cause }: Cause,
): readonly Write[] {
  const { known } = state;
  const accepted = (type: string, id: string) =>
    known.own.find((row) => row.type === type && row.id === id)?.accepted_at.getTime() ?? 0;
  return operations.filter((operation): operation is Write => {
    if (!('body' in operation)) return false;
    const { resource, edition } = operation;
    if (edition !== undefined)
      return (
        isRewritten(resource.key, cause) &&
        edition.number > 1 &&
        known.own.every((row) => row.accepted_at.getTime() <= since)
      );
    if (operation.kind === 'create' && resource.nextGeneration === 1) return false;
    if (operation.kind === 'retire' && isOwnCause(resource.leave?.code, cause)) return false;
    if (isTakenOut(resource, state, since)) return false;
    const link = known.links.findLast((row) => nameOf(row) === nameOf(resource.key));
    return link?.record_version === resource.recordVersion && accepted(resource.key.type, resource.key.id) <= since;
  });
}

/** The document of a case is made from its records, not by a mapping; a document of its own is made by one. */
function isRewritten({ slot }: ResourceKey, cause: Cause['cause']): boolean {
  return slot !== documentSlot || cause !== 'mapping';
}

/** A source's deletion, a move, a client's withdrawal. */
function isOwnCause(code: Reason['code'] | undefined, cause: Cause['cause']): boolean {
  if (code === 'condition-false') return false;
  return code !== 'consent-withdrawn' || cause !== 'configuration';
}

interface Held {
  readonly names: ReadonlySet<string>;
  readonly isStopped: boolean;
  readonly reason: Reason;
}

async function count(
  trx: Transaction<Database>,
  lease: Lease,
  cause: Cause,
  changes: readonly Write[],
): Promise<Held | undefined> {
  const row = await lockCount(trx, lease.connection, cause);
  if (row.state === 'go-on') return undefined;
  const links = changes.map(({ resource: { key } }) => ({ source: lease.source, ...key }));
  const counted = await countedLinks(trx, lease.connection, cause, links);
  const fresh = changes.filter(({ resource }) => !counted.has(nameOf(resource.key)));
  if (fresh.length === 0) return undefined;
  const limit = massLimit(row.links);
  const goes = row.state === 'counting' && row.let_through + fresh.length <= limit;
  const added = await addLinks(trx, lease, cause, fresh, !goes);
  const next = {
    let_through: row.let_through + (goes ? added : 0),
    held: row.held + (goes ? 0 : added),
    state: goes || row.state === 'stop' ? row.state : 'held',
  };
  await changeCount(trx, lease.connection, cause, next);
  if (goes) return undefined;
  const isStopped = row.state === 'stop';
  const words = { cause: causeWords[cause.cause], limit, connection: lease.connection };
  const why = reason(isStopped ? 'mass-change-stopped' : 'mass-change', words);
  if (!isStopped) await ask(trx, lease.connection, cause, { ...row, ...next }, why, fresh);
  return { names: new Set(fresh.map(({ resource }) => nameOf(resource.key))), isStopped, reason: why };
}

export const causeWords: Readonly<Record<Cause['cause'], string>> = {
  'restored-server': 'A server that has lost what it had',
  mapping: 'The active mapping',
  configuration: 'The configuration of the connection',
  scopes: 'What the server offers or grants',
};

export type CauseKey = { readonly cause: string; readonly value: string };

/** @param table the name under which a statement knows the row */
export function isRow(connection: string, { cause, value }: CauseKey, table: string) {
  const column = (name: string) => sql.ref(`${table}.${name}`);
  return sql<boolean>`${column('connection')} = ${connection} and ${column('cause')} = ${cause} and ${column('value')} = ${value}`;
}

/** The cause's count on this connection, locked for the rest of the transaction; begun if it is new. */
export async function lockCount(trx: Transaction<Database>, connection: string, cause: Cause) {
  const read = () =>
    trx
      .selectFrom('mass_change')
      .selectAll()
      .where(isRow(connection, cause, 'mass_change'))
      .forUpdate()
      .executeTakeFirst();
  const found = await read();
  if (found !== undefined) return found;
  await sql`
    insert into mass_change (connection, cause, value, links)
    select ${connection}, ${cause.cause}, ${cause.value}, count(*) from link
    where connection = ${connection} and remote_id is not null and retired_at is null
    on conflict do nothing`.execute(trx);
  const made = await read();
  if (made === undefined) throw new Error('A mass change was not counted.');
  return made;
}

export async function changeCount(
  trx: Transaction<Database>,
  connection: string,
  cause: CauseKey,
  change: { readonly state?: string; readonly let_through?: number; readonly held?: number },
): Promise<void> {
  await trx
    .updateTable('mass_change')
    .set(change)
    .where(isRow(connection, cause, 'mass_change'))
    .execute();
}

export type LinkKey = { readonly source: string; readonly type: string; readonly id: string; readonly slot: string };

/** Those that went out under this cause before; sending them again is no further change. */
async function countedLinks(
  trx: Transaction<Database>,
  connection: string,
  { cause, value }: Cause,
  links: readonly LinkKey[],
): Promise<ReadonlySet<string>> {
  const { rows } = await sql<LinkKey>`
    select m.source, m.type, m.id, m.slot from mass_change_link m
    join jsonb_to_recordset(${json(links)}) as k(source text, type text, id text, slot text)
      on m.source = k.source and m.type = k.type and m.id = k.id and m.slot = k.slot
    where m.connection = ${connection} and m.cause = ${cause} and m.value = ${value} and not m.held`.execute(trx);
  return new Set(rows.map(nameOf));
}

/** @returns how many were not known yet */
async function addLinks(
  trx: Transaction<Database>,
  { connection, subject, source }: Lease,
  { cause, value }: Cause,
  changes: readonly Write[],
  held: boolean,
): Promise<number> {
  const rows = changes.map(({ resource: { key } }) => ({ ...key, connection, cause, value, source, subject, held }));
  const added = await trx
    .insertInto('mass_change_link')
    .values(rows)
    .onConflict((conflict) => conflict.doNothing())
    .returning('id')
    .execute();
  return added.length;
}

const sampleSize = 5;

async function ask(
  trx: Transaction<Database>,
  connection: string,
  { cause, value }: Cause,
  counts: { readonly links: number; readonly let_through: number; readonly held: number },
  why: Reason,
  changes: readonly Write[],
): Promise<void> {
  const sample = changes.slice(0, sampleSize).map(
    (operation): JsonObject => ({
      resource: nameOf(operation.resource.key),
      kind: operation.kind,
      ...diffOf(operation),
    }),
  );
  const limit = massLimit(counts.links);
  await openDecision(
    trx,
    { connection, subject: '', source: '' },
    {
      kind: 'mass-change',
      topic: topicOf({ cause, value }),
      reason: why,
      detail: { cause, value, links: counts.links, limit, sent: counts.let_through, held: counts.held, sample },
      choices: [
        {
          choose: 'go-on',
          effect: `Send the ${counts.held} changes held so far, and whatever else this cause changes.`,
        },
        {
          choose: 'stop',
          effect: 'Send none of them. A resource goes out again when its record changes; other work is not touched.',
        },
      ],
    },
  );
  await openAlert(trx, { topic: alertTopic(connection, { cause, value }), connection, reason: why });
}

export function topicOf({ cause, value }: CauseKey): string {
  return `mass-change:${cause}:${value}`;
}

export function alertTopic(connection: string, cause: CauseKey): string {
  return `${topicOf(cause)}:${connection}`;
}

/** What points at something that is held is held as well. */
function without({ operations, states, lookAt }: Plan, { names, isStopped, reason: why }: Held): Plan {
  const dropped = new Set(operations.filter(({ resource }) => names.has(nameOf(resource.key))));
  for (let size = -1; size !== dropped.size; ) {
    size = dropped.size;
    const missing = new Set([...dropped].map(({ resource }) => resource.placeholder));
    for (const operation of operations) {
      if ('body' in operation && placeholdersIn(operation.body).some((target) => missing.has(target)))
        dropped.add(operation);
    }
  }
  const rests = new Set([...dropped].map(({ resource }) => nameOf(resource.key)));
  return {
    operations: operations.filter((operation) => !dropped.has(operation)),
    states: states.map((one) =>
      rests.has(nameOf(one.resource.key)) ? { ...one, state: isStopped ? 'current' : 'waiting', reason: why } : one,
    ),
    lookAt,
  };
}

/**
 * Ends the questions, with their alerts, about what is in force no more: a mapping or a configuration that was rolled back, an offer of the server that
 * was withdrawn. Should it come into force again, it is asked about anew.
 */
export async function reviewMassChanges(deps: LaneDeps): Promise<void> {
  const open = await deps.store.db
    .selectFrom('decision')
    .select(['connection', 'detail'])
    .where('kind', '=', 'mass-change')
    .where('state', '=', 'open')
    .execute();
  for (const { connection, detail } of open) {
    const key = causeIn(detail);
    if (key === undefined || !(await isOver(deps, connection, key))) continue;
    await deps.store.tx(async (trx) => {
      await closeObsolete(trx, { connection, subject: '' }, [topicOf(key)]);
      await closeAlert(trx, alertTopic(connection, key));
    });
  }
}

/** False where this process cannot tell. */
async function isOver(deps: LaneDeps, connection: string, { cause, value }: CauseKey): Promise<boolean> {
  if (cause === 'restored-server') return false;
  if (cause === 'mapping') return (await activeVersion(deps.store.db)) !== value;
  const lane = deps.connections.get(connection);
  if (lane === undefined || (await configuredOtherwise(deps.store, deps.connections)).has(connection)) return false;
  if (cause === 'configuration') return shapingOf(lane.config) !== value;
  try {
    return shapeOf(lane.config, await lane.abilities(await deps.mappings())).routes !== value;
  } catch (error) {
    // The server does not say what it offers.
    if (error instanceof CasebridgeError) return false;
    throw error;
  }
}

function causeIn({ cause, value }: JsonObject): CauseKey | undefined {
  return typeof cause === 'string' && typeof value === 'string' ? { cause, value } : undefined;
}

/**
 * `go-on` and `stop`: all lanes of which something is held look again.
 * @throws CasebridgeError `decision-outdated`: another mapping is active by now
 */
export async function settleMassChange(
  trx: Transaction<Database>,
  { id, connection, detail, choice }: Answered,
): Promise<CauseKey | undefined> {
  const key = causeIn(detail);
  if (key === undefined) return undefined;
  if (key.cause === 'mapping' && (await activeVersion(trx)) !== key.value)
    throw new CasebridgeError('decision-outdated', { id });
  await changeCount(trx, connection, key, { state: choice });
  await closeAlert(trx, alertTopic(connection, key));
  const lanes = await trx
    .selectFrom('mass_change_link')
    .select(['connection', 'subject'])
    .distinct()
    .where(isRow(connection, key, 'mass_change_link'))
    .where('held', '=', true)
    .execute();
  await raiseWanted(trx, lanes, { priority: 90 });
  return key;
}
