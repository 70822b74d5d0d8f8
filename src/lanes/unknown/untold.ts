// A write whose reply was lost, and of which the server does not let us learn what became of it: after a time a person is asked, and only what the
// write was for, and what needs it, waits for the answer (lanes.md 9). Each run looks again; the question closes itself when a look can tell.

import { reason } from '../../errors.ts';
import type { JsonObject } from '../../json.ts';
import { type Database, sql, type Transaction } from '../../store/store.ts';
import { type Answered, type Choice, closeObsolete, openDecision, resourceTopic } from '../decisions/decisions.ts';
import { nameOf, type ResourceKey } from '../lane-resource.ts';
import type { LaneKey, Lease } from '../lease.ts';
import type { Failure, Refused } from '../look/search-failure.ts';
import { keyOf, type OperationRow } from '../send/operations.ts';

/** A create whose reply was lost is looked for once more when every index must long have it. */
export const lateCheckMs = 15 * 60_000;

/** A server that is only down for a while answers by then. */
export const askAfterMs = 60 * 60_000;

/** Why a look at the server could not tell. `parked`: no repetition gives another answer. */
export type Untold = Failure | Refused;

/** Whether it has been waited for long enough. @param since when the wait began */
export function isToBeAsked({ kind }: Untold, since: Date, now: Date): boolean {
  return kind === 'parked' || now.getTime() - since.getTime() >= askAfterMs;
}

const lookAgain: Choice = {
  choose: 'look-again',
  effect: 'The server has been mended: Casebridge looks again at once.',
};
const notThere: Choice = {
  choose: 'not-there',
  effect: 'Somebody has looked on the server, and it is not there: it is created once more.',
};
const seen: Choice = {
  choose: 'done',
  effect: 'Somebody has looked on the server, and it is there no more than once. Casebridge does not look again.',
};

/** @param identifier ours, by which a person finds it; undefined for a document, whose last line names it */
export function askWhatBecame(
  trx: Transaction<Database>,
  lease: Lease,
  operation: OperationRow,
  { reason: why }: Untold,
  identifier: string,
): Promise<void> {
  const { id, resource_type: resourceType, remote_id: remoteId, outcome } = operation;
  const key = keyOf(operation);
  const isCreate = remoteId === null;
  const detail: JsonObject = {
    operation: id,
    resourceType,
    ...(isCreate ? { identifier } : { id: remoteId }),
    why: { code: why.code, text: why.text },
  };
  return openDecision(trx, lease, {
    kind: 'outcome-untold',
    topic: untoldTopic(key),
    key,
    reason: reason('outcome-untold', { target: nameOf(key) }),
    detail,
    choices: [lookAgain, ...(isCreate ? [outcome === null ? notThere : seen] : [])],
  });
}

export function untoldTopic(key: ResourceKey): string {
  return resourceTopic('untold', key);
}

/** The question has answered itself. */
export function closeUntold(trx: Transaction<Database>, lane: LaneKey, operation: OperationRow): Promise<void> {
  return closeObsolete(trx, lane, [untoldTopic(keyOf(operation))]);
}

/** `not-there` is the word without which nothing is created again; to look again at what is open needs nothing here. */
export async function settleUntold(
  trx: Transaction<Database>,
  { choice, detail, connection }: Answered,
): Promise<void> {
  const { operation } = detail;
  if (typeof operation !== 'number') return;
  const row = trx.updateTable('operation').where('id', '=', operation).where('connection', '=', connection);
  if (choice === 'not-there') {
    const lateCheck = sql<Date>`now() + ${lateCheckMs} * interval '1 millisecond'`;
    await row
      .set({ outcome: 'not-done', closed_at: sql<Date>`now()`, late_check_at: lateCheck })
      .where('outcome', 'is', null)
      .execute();
  }
  if (choice === 'look-again')
    await row.set({ late_check_at: sql<Date>`now()` }).where('outcome', 'is not', null).execute();
}
