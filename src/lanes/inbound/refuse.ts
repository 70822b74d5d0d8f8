// A proposed referral that its source refuses is declined on the other side. The refusal stands as a record of its own making, so that the lane sends
// it as it sends any other word of ours: by legal moves, over what was last read, found again after a lost reply.

import { sql } from 'kysely';
import { reason } from '../../errors.ts';
import { type JsonObject, objectsAt } from '../../json.ts';
import { type Database, json, type Transaction } from '../../store/store.ts';
import type { RecordRow } from '../known.ts';
import type { LaneKey } from '../lease.ts';
import { raiseWanted } from '../links.ts';

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

/** @returns the lane that declines it, or undefined when nothing of the kind is proposed any more. */
export async function declineProposal(
  trx: Transaction<Database>,
  { source, connection, type, id }: Proposed,
  words: string,
): Promise<LaneKey | undefined> {
  const row = await trx
    .selectFrom('inbound')
    .selectAll()
    .where('source', '=', source)
    .where('connection', '=', connection)
    .where('type', '=', type)
    .where('id', '=', id)
    .where('state', '=', 'proposed')
    .forUpdate()
    .executeTakeFirst();
  if (row === undefined || row.offered === null || type !== 'referral') return undefined;
  const at = (await trx.selectNoFrom(sql<Date>`now()`.as('at')).executeTakeFirstOrThrow()).at.toISOString();
  const lane = { connection, subject: row.subject };
  await trx
    .updateTable('inbound')
    .set({
      state: 'refused',
      reason: json(reason('inbound-refused')),
      answer: json(declined(row.offered, words, at)),
      updated_at: sql<Date>`now()`,
    })
    .where('source', '=', source)
    .where('type', '=', type)
    .where('id', '=', id)
    .execute();
  await raiseWanted(trx, [lane], { unpark: true, priority: 10 });
  return lane;
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
