// The late check of a create that was taken for not done (lanes.md 9): once more, when every index must long have it, the server is asked what it
// holds. What has turned up meanwhile is linked where nothing else is, so that it is kept up to date, and taken back with its record.

import { sql, type Transaction } from 'kysely';
import type { JsonObject } from '../../json.ts';
import type { Database } from '../../store/store.ts';
import { readEdition } from '../documents/document.ts';
import type { Run } from '../lane-connection.ts';
import { nameOf } from '../lane-resource.ts';
import { type LaneKey, type Lease, underLease } from '../lease.ts';
import { hashOfSeen } from '../links/seen.ts';
import { raiseWanted } from '../links/wanted.ts';
import type { LaneState } from '../load/load.ts';
import type { Failure } from '../look/search-failure.ts';
import { keyOf, type OperationRow } from '../send/operations.ts';
import { askAboutDouble, identifierOf, idOf, linkLost, searchLost } from './lost-create.ts';
import { askWhatBecame, closeUntold, isToBeAsked, lateCheckMs, type Untold } from './untold.ts';

export async function checkLate(
  run: Run,
  state: LaneState,
  operation: OperationRow,
): Promise<{ readonly kind: 'done' } | Failure> {
  const found = await searchLost(run, operation);
  if (Array.isArray(found)) await settleLate(run, state, operation, found);
  else if (found.kind === 'config') return found;
  else await putOff(run, state, operation, found);
  return { kind: 'done' };
}

async function settleLate(
  { deps, lease }: Run,
  state: LaneState,
  operation: OperationRow,
  found: readonly JsonObject[],
): Promise<void> {
  const known = knownIds(state, operation);
  const news = found.filter((one) => !known.includes(idOf(one)));
  const first = news.length === 0 ? undefined : toLink(state, operation, known, found);
  const others = found.filter((one) => one !== first);
  const woken = await underLease({ deps, lease }, async (trx) => {
    const lanes: LaneKey[] = [];
    if (first === undefined) {
      if (news.length > 0) await askAboutDouble(trx, lease, operation, [...known, ...news.map(idOf)]);
      await closeUntold(trx, lease, operation);
    } else {
      lanes.push(...(await linkLost(trx, lease, state, operation, [first, ...others])));
      lanes.push(...(await wantReaders(trx, lease, operation)));
    }
    await trx.updateTable('operation').set({ late_check_at: null }).where('id', '=', operation.id).execute();
    return lanes;
  });
  deps.wake(woken);
}

/** What is known already to have come of the same create, the linked one. */
function knownIds({ known, rows }: LaneState, operation: OperationRow): string[] {
  const name = nameOf(keyOf(operation));
  const edition = readEdition(operation.sent);
  if (edition !== undefined)
    return rows.editions.flatMap((row) =>
      nameOf(row) === name && row.edition === edition.number ? [row.remote_id] : [],
    );
  return known.links.flatMap((link) =>
    nameOf(link) === name && link.generation === operation.generation && link.remote_id !== null
      ? [link.remote_id]
      : [],
  );
}

/**
 * What the link is to point at from now on: the oldest where it points at nothing, or at another one that nobody has worked with since, which is
 * alike. Undefined: it stays as it is.
 *
 * @param known as `knownIds` says it
 * @param found the oldest first
 */
function toLink(
  state: LaneState,
  operation: OperationRow,
  known: readonly string[],
  found: readonly JsonObject[],
): JsonObject | undefined {
  const [oldest] = found;
  if (oldest === undefined || known.length === 0) return oldest;
  const name = nameOf(keyOf(operation));
  const live = state.resources.find(({ key, link }) => nameOf(key) === name && link?.origin === 'created')?.link;
  const linked = found.find((one) => idOf(one) === live?.remoteId);
  if (linked === undefined || linked === oldest || readEdition(operation.sent) !== undefined) return undefined;
  return live?.generation === operation.generation && sameButId(linked, oldest) ? oldest : undefined;
}

function sameButId({ id: _one, ...linked }: JsonObject, { id: _other, ...oldest }: JsonObject): boolean {
  return hashOfSeen(linked) === hashOfSeen(oldest);
}

/** What pointed at the other one is to point at this one. */
async function wantReaders(trx: Transaction<Database>, lease: Lease, operation: OperationRow): Promise<LaneKey[]> {
  const { connection, source } = lease;
  const { type, id } = keyOf(operation);
  const lanes = await trx
    .selectFrom('lane_read')
    .select(['connection', 'subject'])
    .distinct()
    .where('connection', '=', connection)
    .where('source', '=', source)
    .where('type', '=', type)
    .where('id', '=', id)
    .execute();
  await raiseWanted(trx, lanes);
  return lanes;
}

/** It holds nothing back: it is made later, and where it cannot be made, a person is asked to look. */
async function putOff(
  { deps, lease }: Run,
  { now }: LaneState,
  operation: OperationRow,
  untold: Untold,
): Promise<void> {
  const isCapped = untold.reason.code === 'server-daily-cap';
  const isPersons = !isCapped && isToBeAsked(untold, operation.closed_at ?? operation.intended_at, now);
  const laterMs = isCapped && untold.kind === 'again' ? (untold.afterMs ?? lateCheckMs) : lateCheckMs;
  await underLease({ deps, lease }, async (trx) => {
    if (isPersons) await askWhatBecame(trx, lease, operation, untold, identifierOf(lease, operation));
    const later = sql<Date>`now() + ${laterMs} * interval '1 millisecond'`;
    await trx
      .updateTable('operation')
      .set({ late_check_at: isPersons ? null : later })
      .where('id', '=', operation.id)
      .execute();
  });
}
