// A create whose reply was lost, as the server shows it: found by our identifier, or a document by its last line, and linked (lanes.md 9).

import { sql, type Transaction } from 'kysely';
import { isWholeSearch, versionTagOf } from '../../connections/connections.ts';
import { reason } from '../../errors.ts';
import { isObject, type Json, type JsonObject } from '../../json.ts';
import type { Facts } from '../../mapping/mapping.ts';
import type { Database, Store } from '../../store/store.ts';
import { isStoodAgainst } from '../decisions/contested.ts';
import { doubled, openDecision } from '../decisions/decisions.ts';
import { readEdition } from '../documents/document.ts';
import { keepFiled } from '../documents/editions.ts';
import { searchEdition } from '../documents/reconcile-document.ts';
import type { Run } from '../lane-connection.ts';
import { type LaneResource, nameOf } from '../lane-resource.ts';
import type { LaneKey, Lease } from '../lease.ts';
import { type LinkTarget, type NewLink, saveLinks } from '../links/links.ts';
import { saveSeen } from '../links/seen.ts';
import type { LaneState } from '../load/load.ts';
import { type Failure, finalSearchFailure, type Refused } from '../look/search-failure.ts';
import { ownIdentifier, ownValue } from '../own-identifier.ts';
import { closeOperations, keyOf, type OperationRow } from '../send/operations.ts';
import { askAfterMs, closeUntold } from './untold.ts';

/** What the server holds of this create, the oldest first; or why that cannot be told now. */
export function searchLost(run: Run, operation: OperationRow): Promise<JsonObject[] | Failure | Refused> {
  const edition = readEdition(operation.sent);
  if (edition === undefined) return searchOwn(run, operation);
  return searchEdition(run.connection, operation.resource_type, edition);
}

/** All resources under our identifier, the oldest first; or why that cannot be told now. */
async function searchOwn(
  { deps, connection, lease }: Run,
  operation: OperationRow,
): Promise<JsonObject[] | Failure | Refused> {
  const value = identifierOf(lease, operation);
  const result = await connection.client.searchAll(
    operation.resource_type,
    connection.vendor.queries.identifier(deps.identifierSystem, value),
  );
  if (!isWholeSearch(result)) return finalSearchFailure(connection, result);
  // A server that does not know the search parameter answers with everybody (ehr-behaviour E12).
  return result.resources
    .filter((resource) => ownIdentifier(resource, deps.identifierSystem) === value)
    .sort((a, b) => (createdOrder(a) < createdOrder(b) ? -1 : 1));
}

export function identifierOf({ source }: Lease, { type, record_id: id, slot, generation }: OperationRow): string {
  return ownValue(source, { type, id, slot }, generation);
}

function createdOrder(resource: JsonObject): string {
  const updated = isObject(resource.meta) ? resource.meta.lastUpdated : '';
  return `${String(updated)} ${String(resource.id)}`;
}

/**
 * Links what was found; where there are several, a person is asked about the others. To be called with the lease held.
 *
 * @param found the one to be linked first
 * @returns the lanes to wake after the commit
 */
export async function linkLost(
  trx: Transaction<Database>,
  lease: Lease,
  state: LaneState,
  operation: OperationRow,
  found: readonly [JsonObject, ...JsonObject[]],
): Promise<LaneKey[]> {
  const [linked] = found;
  const remoteId = idOf(linked);
  const resource = linkTarget(state, operation);
  await closeOperations(trx, lease, { id: operation.id, outcome: 'found', reason: reason('outcome-unknown') });
  await closeUntold(trx, lease, operation);
  await saveSeen(trx, lease.connection, {
    resourceType: operation.resource_type,
    remoteId,
    versionTag: versionTagOf(linked),
    body: linked,
  });
  // Somebody may have edited it since: what we sent is the base, and what differs is theirs (lanes.md 15).
  const sent = withoutPlaceholders(operation.sent ?? {}, resource.slot?.facts(linked) ?? {});
  const link: NewLink = {
    remoteId,
    origin: 'created',
    versionTag: undefined,
    sent,
    seen: undefined,
    seenHash: undefined,
    sentVersion: resource.recordVersion,
  };
  if (found.length > 1) await askAboutDouble(trx, lease, operation, found.map(idOf));
  const edition = readEdition(operation.sent);
  if (edition !== undefined) return keepFiled(trx, lease, resource, remoteId, edition);
  return saveLinks(trx, lease, [[resource, link]]);
}

/** The server says that it made it, and what it shows is not it: sent again, it might be there twice. */
export function isSaidDone({ reason: why }: Pick<OperationRow, 'reason'>): boolean {
  return why?.code === 'create-not-shown' || why?.code === 'server-wrong-resource';
}

/** Tries in a row that were lost, and found nowhere, before a person is asked: each may have made one that no search shows. */
const mostLost = 5;

/** Whether so many before this one were lost since the resource last got through; in silence, for as long as an outage may last. */
export async function isLostEachTime({ db }: Store, operation: OperationRow, now: Date): Promise<boolean> {
  const { connection, source, type, record_id, slot } = operation;
  const ofResource = db
    .selectFrom('operation')
    .where((is) => is.and({ connection, source, type, record_id, slot }))
    .where('id', '<', operation.id);
  const through = ofResource.where('outcome', 'in', ['ok', 'found']).select(({ fn }) => fn.max<string>('id').as('id'));
  const lost = await ofResource
    .where('outcome', '=', 'not-done')
    .where('missed_at', 'is not', null)
    .where(sql<boolean>`id > coalesce(${through}, 0)`)
    .select('intended_at')
    .orderBy('id')
    .execute();
  const [first] = lost;
  if (first === undefined || lost.length < mostLost) return false;
  return isStoodAgainst(operation.reason) || now.getTime() - first.intended_at.getTime() >= askAfterMs;
}

type LostTarget = LinkTarget & Pick<LaneResource, 'slot' | 'document'>;

/** The resource that the lost create was for; when its record has been withdrawn since, as much of it as a link needs. */
function linkTarget(state: LaneState, operation: OperationRow): LostTarget {
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

export function idOf({ id }: JsonObject): string {
  return String(id);
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

/** @param ids the one that is linked first */
export function askAboutDouble(
  trx: Transaction<Database>,
  lease: Lease,
  operation: OperationRow,
  ids: readonly string[],
): Promise<void> {
  const key = keyOf(operation);
  const why = reason('create-doubled', { target: nameOf(key) });
  return openDecision(trx, lease, doubled(key, operation.resource_type, ids, why));
}
