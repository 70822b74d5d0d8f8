// Clears up unknown outcomes before anything new is planned (lanes.md 8, 9): a lost create is searched by our identifier, a lost update
// is read again and compared. A second POST comes only after a complete negative search, done twice, the second after `settle`, or by a person's word.

import { sql, type Transaction } from 'kysely';
import { isSearchResult } from '../connections/connections.ts';
import { reason } from '../errors.ts';
import { identifierValue } from '../fhir/fhir.ts';
import { isObject, type Json, type JsonObject } from '../json.ts';
import type { Facts } from '../mapping/mapping.ts';
import type { Database } from '../store/store.ts';
import { doubled, openDecision } from './decisions.ts';
import type { RunMemory } from './desire.ts';
import { type EditionPlan, readEdition } from './document.ts';
import { keepFiled } from './editions.ts';
import type { LaneConnection, LaneDeps } from './lane-connection.ts';
import { type LaneResource, nameOf } from './lane-resource.ts';
import { holdLease, type LaneKey, type Lease } from './lease.ts';
import { type NewLink, saveLinks, saveSeen, updateLink, versionTagOf } from './links.ts';
import type { LaneState } from './load.ts';
import { sameFact } from './merge.ts';
import { closeOperations, keyOf, type OperationRow } from './operations.ts';
import { ownIdentifier } from './own-identifier.ts';
import { type ReadResult, readLinked } from './read.ts';
import { holdsEdition, searchEdition } from './reconcile-document.ts';
import { type Failure, finalSearchFailure, type Refused } from './search-failure.ts';
import { askAboutElsewhere, isSaidElsewhere } from './stored-elsewhere.ts';
import { askWhatBecame, closeUntold, isToBeAsked, lateCheckMs, type Untold, untoldTopic } from './untold.ts';

/** `clear`: nothing is unknown any more, except what a person is asked about. */
export type Reconciled = { readonly kind: 'clear'; readonly changed: boolean } | Failure;

export async function reconcile(
  deps: LaneDeps,
  connection: LaneConnection,
  lease: Lease,
  state: LaneState,
  { fresh, untold }: Pick<RunMemory, 'fresh' | 'untold'>,
): Promise<Reconciled> {
  const open = state.openOperations.filter(({ outcome }) => outcome === null);
  const late = state.openOperations.filter(({ late_check_at: at }) => at !== null && at <= state.now);
  // Several wait for the same settle time side by side, not one after the other.
  const unsettledMs: number[] = [];
  let changed = false;
  for (const operation of open.filter(({ id }) => !untold.has(id))) {
    const step =
      operation.remote_id === null
        ? await reconcileCreate(deps, connection, lease, state, operation)
        : await reconcileUpdate(deps, connection, lease, state, operation, fresh);
    if (step.kind === 'config') return step;
    if (step.kind === 'unsettled') unsettledMs.push(step.afterMs);
    if (step.kind === 'again' || step.kind === 'parked') {
      const isAsked = state.openDecisions.some(({ topic }) => topic === untoldTopic(keyOf(operation)));
      if (step.kind === 'again' && !isAsked && !isToBeAsked(step, operation.intended_at, state.now)) return step;
      if (!isAsked) await askAbout(deps, lease, operation, step);
      untold.add(operation.id);
      changed ||= !isAsked;
    }
    changed ||= step.kind === 'done';
  }
  for (const operation of late) {
    const step = await checkLate(deps, connection, lease, state, operation);
    if (step.kind === 'config') return step;
    changed = true;
  }
  return unsettledMs.length > 0
    ? { kind: 'again', reason: reason('outcome-unknown'), afterMs: Math.max(...unsettledMs) }
    : { kind: 'clear', changed };
}

type Step = { readonly kind: 'done' } | { readonly kind: 'unsettled'; readonly afterMs: number } | Failure | Refused;

async function askAbout(deps: LaneDeps, lease: Lease, operation: OperationRow, untold: Untold): Promise<void> {
  await deps.store.tx(async (trx) => {
    await holdLease(trx, lease, deps.leaseMs);
    await askWhatBecame(trx, lease, operation, untold, identifierOf(lease, operation));
  });
}

const done = { kind: 'done' } as const;

async function reconcileCreate(
  deps: LaneDeps,
  connection: LaneConnection,
  lease: Lease,
  state: LaneState,
  operation: OperationRow,
): Promise<Step> {
  const stillSending = operation.send_before.getTime() - state.now.getTime();
  if (stillSending > 0) return { kind: 'unsettled', afterMs: stillSending };
  const found = await search(deps, connection, lease, operation);
  if (!Array.isArray(found)) return found;
  const [oldest] = found;
  if (oldest !== undefined) {
    deps.wake(await linkFoundCreate(deps, lease, state, operation, found, oldest));
    return done;
  }
  const { settleMs } = connection.config;
  const { missed_at: missedAt } = operation;
  const unsettledMs = missedAt === null ? settleMs : missedAt.getTime() + settleMs - state.now.getTime();
  const missedTwice = missedAt !== null && unsettledMs <= 0;
  await deps.store.tx(async (trx) => {
    await holdLease(trx, lease, deps.leaseMs);
    if (missedTwice) await closeAsNotDone(trx, lease, operation);
    else if (missedAt === null) {
      await trx.updateTable('operation').set({ missed_at: sql<Date>`now()` }).where('id', '=', operation.id).execute();
    }
  });
  return missedTwice ? done : { kind: 'unsettled', afterMs: unsettledMs };
}

async function closeAsNotDone(trx: Transaction<Database>, lease: Lease, operation: OperationRow): Promise<void> {
  if (isSaidElsewhere(operation)) await askAboutElsewhere(trx, lease, keyOf(operation), operation.resource_type);
  await closeOperations(trx, lease, { id: operation.id, outcome: 'not-done', reason: reason('outcome-unknown') });
  await closeUntold(trx, lease, operation);
  await trx
    .updateTable('operation')
    .set({ late_check_at: sql<Date>`now() + ${lateCheckMs} * interval '1 millisecond'` })
    .where('id', '=', operation.id)
    .execute();
}

/** What the server holds of this create, the oldest first; or why that cannot be told now. */
function search(
  deps: LaneDeps,
  connection: LaneConnection,
  lease: Lease,
  operation: OperationRow,
): Promise<JsonObject[] | Failure | Refused> {
  const edition = readEdition(operation.sent);
  return edition === undefined ? searchOwn(deps, connection, lease, operation) : searchEdition(connection, edition);
}

/** All resources under our identifier, the oldest first; or why that cannot be told now. */
async function searchOwn(
  deps: LaneDeps,
  connection: LaneConnection,
  lease: Lease,
  operation: OperationRow,
): Promise<JsonObject[] | Failure | Refused> {
  const value = identifierOf(lease, operation);
  const result = await connection.client.searchAll(
    operation.resource_type,
    connection.vendor.queries.identifier(deps.identifierSystem, value),
  );
  if (!isSearchResult(result)) return finalSearchFailure(connection, result);
  if (!result.complete)
    return { kind: 'again', reason: result.reason ?? reason('outcome-unknown'), afterMs: undefined };
  // A server that does not know the search parameter answers with everybody (ehr-behaviour E12).
  return result.resources
    .filter((resource) => ownIdentifier(resource, deps.identifierSystem) === value)
    .sort((a, b) => (createdOrder(a) < createdOrder(b) ? -1 : 1));
}

function identifierOf({ source }: Lease, { type, record_id: id, slot, generation }: OperationRow): string {
  const first = identifierValue({ source, type, id }, slot);
  return generation === 1 ? first : `${first}~${generation}`;
}

function createdOrder(resource: JsonObject): string {
  const updated = isObject(resource.meta) ? resource.meta.lastUpdated : '';
  return `${String(updated)} ${String(resource.id)}`;
}

async function linkFoundCreate(
  deps: LaneDeps,
  lease: Lease,
  state: LaneState,
  operation: OperationRow,
  found: readonly JsonObject[],
  oldest: JsonObject,
): Promise<LaneKey[]> {
  const remoteId = String(oldest.id);
  const resource = linkTarget(state, operation);
  return deps.store.tx(async (trx) => {
    await holdLease(trx, lease, deps.leaseMs);
    await closeOperations(trx, lease, { id: operation.id, outcome: 'found', reason: reason('outcome-unknown') });
    await closeUntold(trx, lease, operation);
    await saveSeen(trx, lease.connection, {
      resourceType: operation.resource_type,
      remoteId,
      versionTag: versionTagOf(oldest),
      body: oldest,
    });
    // Somebody may have edited it since: what we sent is the base, and what differs is theirs (lanes.md 15).
    const sent = withoutPlaceholders(operation.sent ?? {}, resource.slot?.facts(oldest) ?? {});
    const link: NewLink = {
      remoteId,
      origin: 'created',
      versionTag: undefined,
      sent,
      seen: undefined,
      seenHash: undefined,
    };
    if (found.length > 1) await askAboutDouble(trx, lease, operation, found);
    const edition = readEdition(operation.sent);
    if (edition !== undefined) return keepFiled(trx, lease, resource, remoteId, edition);
    return saveLinks(trx, lease, [[resource, link]]);
  });
}

type LinkTarget = Pick<
  LaneResource,
  'key' | 'resourceType' | 'nextGeneration' | 'recordVersion' | 'route' | 'slot' | 'document'
>;

/** The resource that the lost create was for; when its record has been withdrawn since, as much of it as a link needs. */
function linkTarget(state: LaneState, operation: OperationRow): LinkTarget {
  const key = keyOf(operation);
  const planned = state.resources.find((resource) => nameOf(resource.key) === nameOf(key));
  return {
    key,
    resourceType: operation.resource_type,
    nextGeneration: operation.generation,
    recordVersion: operation.record_version ?? 0,
    route: planned?.route ?? { route: 'native', reason: undefined },
    slot: planned?.slot,
    ...(planned?.document !== undefined && { document: planned.document }),
  };
}

/** References that had no id yet when they were sent are taken as the server gave them. */
function withoutPlaceholders(sent: JsonObject, held: Facts): Facts {
  return Object.fromEntries(
    Object.entries(sent).flatMap(([key, fact]) => {
      if (!holdsPlaceholder(fact)) return [[key, fact]];
      const value = held[key];
      return value === undefined ? [] : [[key, value]];
    }),
  );
}

function holdsPlaceholder(value: Json): boolean {
  return JSON.stringify(value).includes('urn:uuid:');
}

function askAboutDouble(
  trx: Transaction<Database>,
  lease: Lease,
  operation: OperationRow,
  found: readonly JsonObject[],
): Promise<void> {
  const key = keyOf(operation);
  const ids = found.map(({ id }) => String(id));
  const why = reason('create-doubled', { target: nameOf(key) });
  return openDecision(trx, lease, doubled(key, operation.resource_type, ids, why));
}

/** What the server holds is the outcome: elements that are as we sent them are agreed, whatever the reply would have said. */
async function reconcileUpdate(
  deps: LaneDeps,
  connection: LaneConnection,
  lease: Lease,
  state: LaneState,
  operation: OperationRow,
  fresh: Set<string>,
): Promise<Step> {
  // A server may go on with a request that we have given up (lanes.md 8).
  const settledInMs = operation.send_before.getTime() + connection.config.settleMs - state.now.getTime();
  if (settledInMs > 0) return { kind: 'unsettled', afterMs: settledInMs };
  const resource = state.resources.find(
    ({ key, link }) => nameOf(key) === nameOf(keyOf(operation)) && link?.remoteId === operation.remote_id,
  );
  if (resource?.link !== undefined && !fresh.has(`${operation.resource_type}/${operation.remote_id}`)) {
    const read: ReadResult = await readLinked(deps, connection, lease, resource, resource.link, fresh);
    if (read.kind !== 'read') return read.kind === 'config' ? { ...read, afterMs: undefined } : read;
  }
  const edition = readEdition(operation.sent);
  const isFiled = edition !== undefined && (await isAmended(deps, connection, operation, edition));
  if (typeof isFiled !== 'boolean') return isFiled;
  await deps.store.tx(async (trx) => {
    await holdLease(trx, lease, deps.leaseMs);
    const seen = await trx
      .selectFrom('seen')
      .selectAll()
      .where('connection', '=', lease.connection)
      .where('resource_type', '=', operation.resource_type)
      .where('remote_id', '=', operation.remote_id ?? '')
      .executeTakeFirst();
    if (resource?.link !== undefined && seen?.body && edition === undefined)
      await takeAsSent(trx, lease, resource, operation, seen.body);
    if (resource !== undefined && isFiled && edition !== undefined)
      await keepFiled(trx, lease, resource, operation.remote_id ?? '', edition);
    await closeOperations(trx, lease, { id: operation.id, outcome: 'found', reason: reason('outcome-unknown') });
    await closeUntold(trx, lease, operation);
  });
  return done;
}

/** Whether the linked document, as it was just read, carries the edition. */
async function isAmended(
  deps: LaneDeps,
  connection: LaneConnection,
  operation: OperationRow,
  edition: EditionPlan,
): Promise<boolean | Failure | Refused> {
  const seen = await deps.store.db
    .selectFrom('seen')
    .select('body')
    .where('connection', '=', operation.connection)
    .where('resource_type', '=', operation.resource_type)
    .where('remote_id', '=', operation.remote_id ?? '')
    .executeTakeFirst();
  return seen?.body ? holdsEdition(connection, seen.body, edition) : false;
}

async function takeAsSent(
  trx: Transaction<Database>,
  lease: Lease,
  resource: LaneResource,
  operation: OperationRow,
  body: JsonObject,
): Promise<void> {
  const { link, slot } = resource;
  if (link === undefined || slot === undefined) return;
  const isRetired = operation.kind === 'retire' && sameFact(slot.retire(body), body);
  const held = slot.facts(body);
  const taken = Object.entries(operation.sent ?? {}).filter(([key, fact]) => sameFact(held[key], fact));
  const asSent = Object.fromEntries(taken);
  await updateLink(trx, lease, resource, {
    sent: { ...link.sent, ...(operation.kind === 'move' ? {} : asSent) },
    seen: { ...link.seen, ...asSent },
    retired: isRetired,
  });
}

async function checkLate(
  deps: LaneDeps,
  connection: LaneConnection,
  lease: Lease,
  state: LaneState,
  operation: OperationRow,
): Promise<typeof done | Failure> {
  const found = await search(deps, connection, lease, operation);
  if (!Array.isArray(found)) {
    if (found.kind === 'config') return found;
    await putOffLateCheck(deps, lease, state, operation, found);
    return done;
  }
  await deps.store.tx(async (trx) => {
    await holdLease(trx, lease, deps.leaseMs);
    if (found.length > 1) await askAboutDouble(trx, lease, operation, found);
    await closeUntold(trx, lease, operation);
    await trx.updateTable('operation').set({ late_check_at: null }).where('id', '=', operation.id).execute();
  });
  return done;
}

/** It holds nothing back: it is made later, and where it cannot be made, a person is asked to look. */
async function putOffLateCheck(
  deps: LaneDeps,
  lease: Lease,
  { now }: LaneState,
  operation: OperationRow,
  untold: Untold,
): Promise<void> {
  const isPersons = isToBeAsked(untold, operation.closed_at ?? operation.intended_at, now);
  await deps.store.tx(async (trx) => {
    await holdLease(trx, lease, deps.leaseMs);
    if (isPersons) await askWhatBecame(trx, lease, operation, untold, identifierOf(lease, operation));
    const later = sql<Date>`now() + ${lateCheckMs} * interval '1 millisecond'`;
    await trx
      .updateTable('operation')
      .set({ late_check_at: isPersons ? null : later })
      .where('id', '=', operation.id)
      .execute();
  });
}
