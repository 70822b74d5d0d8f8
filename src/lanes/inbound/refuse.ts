// A proposal that its source refuses is not offered again by itself, and starts nothing. A referral is declined on the other side besides: that stands as a
// record of its own making, so that the lane sends it as it sends any other word of ours: by legal moves, over what was last read, found again after a
// lost reply.

import { type ExpressionBuilder, sql } from 'kysely';
import { reason } from '../../errors.ts';
import { type Json, type JsonObject, objectsAt } from '../../json.ts';
import { type Database, json, type Transaction, timeOf } from '../../store/store.ts';
import type { RecordRow } from '../desire/known.ts';
import type { LaneKey } from '../lease.ts';
import { raiseWanted } from '../links/wanted.ts';
import { markClocks } from '../mark-clocks.ts';

/** Whether a record is the refusal of a proposal, which no source has sent. */
export function isRefusal({ version }: Pick<RecordRow, 'version'>): boolean {
  return version === 0;
}

export interface Proposed {
  readonly source: string;
  readonly connection: string;
  readonly type: string;
  readonly id: string;
}

/** @returns the lane that declines it on the other side; undefined for what is no referral, or nothing that is proposed any more. */
export async function refuseProposal(
  trx: Transaction<Database>,
  proposed: Proposed,
  words: string,
): Promise<LaneKey | undefined> {
  const row = await trx
    .selectFrom('inbound')
    .selectAll()
    .where(isProposal(proposed))
    .where('state', '=', 'proposed')
    .forUpdate()
    .executeTakeFirst();
  // A client and a case are offered for the referral that needs them, and stand as long as it does.
  if (row === undefined || row.offered === null || row.type === 'client' || row.type === 'case') return undefined;
  const isDeclined = row.type === 'referral';
  const at = (await timeOf(trx)).toISOString();
  await trx
    .updateTable('inbound')
    .set({
      state: 'refused',
      reason: json(reason('inbound-refused')),
      answer: isDeclined ? json(declined(row.offered, words, at)) : null,
      updated_at: sql<Date>`now()`,
    })
    .where(isProposal(proposed))
    .execute();
  if (row.type === 'hospitalStay') await markClocks(trx, row.subject);
  if (!isDeclined) return undefined;
  const lane = { connection: proposed.connection, subject: row.subject };
  await raiseWanted(trx, [lane], { unpark: true, priority: 10 });
  return lane;
}

/** It is offered once more: the refusal does not stand. One that was declined on the other side is not. */
export async function proposeAgain(trx: Transaction<Database>, proposed: Proposed): Promise<void> {
  const row = await trx
    .updateTable('inbound')
    .set({ state: 'proposed', reason: null, updated_at: sql<Date>`now()` })
    .where(isProposal(proposed))
    .where('state', '=', 'refused')
    .where('answer', 'is', null)
    .returning(['type', 'subject'])
    .executeTakeFirst();
  if (row?.type === 'hospitalStay') await markClocks(trx, row.subject);
}

/**
 * What was heard of a referral, and its source refuses of a patch, is not offered again by itself; `isRefused` false: it has thought better of it.
 * @param body the patch
 */
export async function refuseHeard(
  trx: Transaction<Database>,
  { connection, source, type, id }: Proposed,
  body: JsonObject,
  isRefused: boolean,
): Promise<void> {
  if (type !== 'referral') return;
  const followUps = objectsAt(body, 'followUps').map((one) => ({ id: one.id ?? null }));
  await sql`
    update inbound set state = ${isRefused ? 'refused' : 'adopted'}, updated_at = now()
    where connection = ${connection} and source = ${source} and type = 'none' and record_id = ${id}
      and state = ${isRefused ? 'adopted' : 'refused'}
      and (offered -> 'firstContact' = ${json<Json>(body.firstContact ?? null)} or offered -> 'cancelRequest' = ${json<Json>(body.cancelRequest ?? null)}
        or offered -> 'followUp' ->> 'id' in (select f.id from jsonb_to_recordset(${json(followUps)}) as f(id text)))`.execute(
    trx,
  );
}

function isProposal({ source, connection, type, id }: Proposed) {
  return (is: ExpressionBuilder<Database, 'inbound'>) => is.and({ source, connection, type, id });
}

function declined(offered: JsonObject, words: string, at: string): JsonObject {
  const move = { id: 'declined', status: 'declined', at, reason: words };
  return {
    ...offered,
    status: 'declined',
    declineReason: 'other',
    declineText: words,
    decidedAt: at,
    history: [...objectsAt(offered, 'history'), move],
    updatedAt: at,
  };
}
