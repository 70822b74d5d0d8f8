// Clears up unknown outcomes before anything new is planned (lanes.md 8, 9): a lost create is searched by our identifier, a lost update
// is read again and compared. A second POST comes only after a complete negative search, done twice, the second after `settle`, or by a person's word.

import { sql, type Transaction } from 'kysely';
import { reason } from '../../errors.ts';
import type { JsonObject } from '../../json.ts';
import { asksToCancel } from '../../referrals/referrals.ts';
import type { Database } from '../../store/store.ts';
import { seenBase } from '../absorb/bases.ts';
import { isStoodAgainst, standsAgainst } from '../decisions/contested.ts';
import { openDecision } from '../decisions/decisions.ts';
import { type EditionPlan, readEdition } from '../documents/document.ts';
import { holdDocuments, keepFiled } from '../documents/editions.ts';
import { holdsEdition } from '../documents/reconcile-document.ts';
import type { LaneConnection, LaneDeps, Run } from '../lane-connection.ts';
import { type LaneResource, nameOf } from '../lane-resource.ts';
import { type Lease, underLease } from '../lease.ts';
import { updateLink } from '../links/links.ts';
import type { LaneState } from '../load/load.ts';
import { readLinked } from '../look/read.ts';
import type { Failure, Refused } from '../look/search-failure.ts';
import { sameFact } from '../merge.ts';
import type { RunMemory } from '../run/run-memory.ts';
import { isListed, listRecalled } from '../send/list-recalled.ts';
import { closeOperations, keyOf, type OperationRow } from '../send/operations.ts';
import { checkLate } from './late-check.ts';
import { identifierOf, isLostEachTime, isSaidDone, linkLost, searchLost } from './lost-create.ts';
import { askAboutElsewhere, isSaidElsewhere } from './stored-elsewhere.ts';
import { askWhatBecame, closeUntold, isToBeAsked, lateCheckMs, type Untold, untoldTopic } from './untold.ts';

/** `clear`: nothing is unknown any more, except what a person is asked about. */
export type Reconciled = { readonly kind: 'clear'; readonly changed: boolean } | Failure;

export async function reconcile(
  run: Run,
  state: LaneState,
  { fresh, untold }: Pick<RunMemory, 'fresh' | 'untold'>,
): Promise<Reconciled> {
  const open = state.openOperations.filter(({ outcome }) => outcome === null);
  const late = state.openOperations.filter(({ late_check_at: at }) => at !== null && at <= state.now);
  // Several wait for the same settle time side by side, not one after the other.
  const unsettledMs: number[] = [];
  let changed = false;
  for (const operation of open.filter(({ id }) => !untold.has(id))) {
    if (heldUntil(state, operation) !== undefined) {
      untold.add(operation.id);
      continue;
    }
    const step =
      operation.remote_id === null
        ? await reconcileCreate(run, state, operation)
        : await reconcileUpdate(run, state, operation, fresh);
    if (step.kind === 'config') return step;
    if (step.kind === 'unsettled') unsettledMs.push(step.afterMs);
    if (step.kind === 'again' && step.reason.code === 'server-daily-cap') {
      await hold(run);
      untold.add(operation.id);
      changed = true;
      continue;
    }
    if (step.kind === 'again' || step.kind === 'parked') {
      const isAsked = state.openDecisions.some(({ topic }) => topic === untoldTopic(keyOf(operation)));
      if (step.kind === 'again' && !isAsked && !isToBeAsked(step, operation.intended_at, state.now)) return step;
      if (!isAsked) await askAbout(run, operation, step);
      untold.add(operation.id);
      changed ||= !isAsked;
    }
    changed ||= step.kind === 'done';
  }
  for (const operation of late) {
    const step = await checkLate(run, state, operation);
    if (step.kind === 'config') return step;
    changed = true;
  }
  return unsettledMs.length > 0
    ? { kind: 'again', reason: reason('outcome-unknown'), afterMs: Math.max(...unsettledMs) }
    : { kind: 'clear', changed };
}

type Step = { readonly kind: 'done' } | { readonly kind: 'unsettled'; readonly afterMs: number } | Failure | Refused;

/** Until when the server shows no documents, where what became of one is to be looked for: the rest of the lane goes on. */
export function heldUntil({ rows, now }: LaneState, { outcome, sent }: OperationRow): Date | undefined {
  const until = rows.documents_held_until;
  const isOpenDocument = outcome === null && readEdition(sent) !== undefined;
  return isOpenDocument && until !== null && until > now ? until : undefined;
}

async function hold({ deps, lease }: Run): Promise<void> {
  await underLease({ deps, lease }, async (trx) => {
    await holdDocuments(trx, lease.connection);
  });
}

async function askAbout({ deps, lease }: Run, operation: OperationRow, untold: Untold): Promise<void> {
  await underLease({ deps, lease }, async (trx) => {
    if (isStoodAgainst(operation.reason)) await askWhatStands(trx, lease, operation);
    else await askWhatBecame(trx, lease, operation, untold, identifierOf(lease, operation));
  });
}

/** The server has said that it did not make it. */
async function askWhatStands(trx: Transaction<Database>, lease: Lease, operation: OperationRow): Promise<void> {
  const { id, reason: why, resource_type: resourceType } = operation;
  if (why === null) return;
  await closeOperations(trx, lease, { id, outcome: 'conflict', reason: why });
  await openDecision(trx, lease, standsAgainst(keyOf(operation), resourceType, why));
}

const done = { kind: 'done' } as const;

async function reconcileCreate(run: Run, state: LaneState, operation: OperationRow): Promise<Step> {
  const { deps, connection, lease } = run;
  const stillSending = operation.send_before.getTime() - state.now.getTime();
  if (stillSending > 0) return { kind: 'unsettled', afterMs: stillSending };
  const found = await searchLost(run, operation);
  if (!Array.isArray(found)) return found;
  const [oldest, ...others] = found;
  if (oldest !== undefined) {
    const woken = await underLease(run, async (trx) => {
      return linkLost(trx, lease, state, operation, [oldest, ...others]);
    });
    deps.wake(woken);
    return done;
  }
  const { settleMs } = connection.config;
  const { missed_at: missedAt } = operation;
  const unsettledMs = missedAt === null ? settleMs : missedAt.getTime() + settleMs - state.now.getTime();
  const missedTwice = missedAt !== null && unsettledMs <= 0;
  if (missedTwice && (isSaidDone(operation) || (await isLostEachTime(deps.store, operation, state.now))))
    return { kind: 'parked', reason: operation.reason ?? reason('outcome-unknown') };
  await underLease(run, async (trx) => {
    if (missedTwice) await closeAsNotDone(trx, lease, operation);
    else if (missedAt === null) {
      await trx.updateTable('operation').set({ missed_at: sql<Date>`now()` }).where('id', '=', operation.id).execute();
    }
  });
  return missedTwice ? done : { kind: 'unsettled', afterMs: unsettledMs };
}

async function closeAsNotDone(trx: Transaction<Database>, lease: Lease, operation: OperationRow): Promise<void> {
  if (isSaidElsewhere(operation)) await askAboutElsewhere(trx, lease, keyOf(operation), operation.resource_type);
  await closeOperations(trx, lease, {
    id: operation.id,
    outcome: 'not-done',
    reason: operation.reason ?? reason('outcome-unknown'),
  });
  await closeUntold(trx, lease, operation);
  await trx
    .updateTable('operation')
    .set({ late_check_at: sql<Date>`now() + ${lateCheckMs} * interval '1 millisecond'` })
    .where('id', '=', operation.id)
    .execute();
}

/** What the server holds is the outcome: elements that are as we sent them are agreed, whatever the reply would have said. */
async function reconcileUpdate(run: Run, state: LaneState, operation: OperationRow, fresh: Set<string>): Promise<Step> {
  const { deps, connection, lease } = run;
  // A server may go on with a request that we have given up (lanes.md 8).
  const settledInMs = operation.send_before.getTime() + connection.config.settleMs - state.now.getTime();
  if (settledInMs > 0) return { kind: 'unsettled', afterMs: settledInMs };
  const resource = state.resources.find(
    ({ key, link }) => nameOf(key) === nameOf(keyOf(operation)) && link?.remoteId === operation.remote_id,
  );
  if (resource?.link !== undefined && !fresh.has(`${operation.resource_type}/${operation.remote_id}`)) {
    const read = await readLinked(run, resource, resource.link, fresh);
    if (read.kind !== 'read') return read;
  }
  const edition = readEdition(operation.sent);
  const isFiled = edition !== undefined && (await isAmended(deps, connection, operation, edition));
  if (typeof isFiled !== 'boolean') return isFiled;
  await underLease(run, async (trx) => {
    const seen = await trx
      .selectFrom('seen')
      .selectAll()
      .where('connection', '=', lease.connection)
      .where('resource_type', '=', operation.resource_type)
      .where('remote_id', '=', operation.remote_id ?? '')
      .executeTakeFirst();
    if (resource?.link !== undefined && seen?.body && edition === undefined)
      await takeAsSent(trx, lease, resource, operation, { body: seen.body, versionTag: seen.version_tag ?? undefined });
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
  { body, versionTag }: { readonly body: JsonObject; readonly versionTag: string | undefined },
): Promise<void> {
  const { link, slot } = resource;
  if (link === undefined || slot === undefined) return;
  if (operation.kind === 'ask' || operation.kind === 'unask') {
    if (operation.kind === 'ask' && asksToCancel(body))
      await updateLink(trx, lease, resource, { sent: { ...link.sent, ...operation.sent } });
    return;
  }
  const isRetired =
    operation.kind === 'retire' &&
    (['error', 'ended'] as const).some((leaving) => sameFact(slot.retire(body, leaving), body));
  const held = slot.facts(body);
  const taken = Object.entries(operation.sent ?? {}).filter(([key, fact]) => sameFact(held[key], fact));
  const asSent = Object.fromEntries(taken);
  await updateLink(trx, lease, resource, {
    sent: { ...link.sent, ...(operation.kind === 'move' ? {} : asSent) },
    seen: { ...seenBase({ resource, link, observed: { versionTag }, observedFacts: held }), ...asSent },
    retired: isRetired,
  });
  if (isRetired && isListed(resource)) await listRecalled(trx, lease);
}
