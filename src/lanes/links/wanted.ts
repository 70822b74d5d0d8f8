// Work that is wanted of a lane: what for, and how soon it runs.

import { sql, type Transaction } from 'kysely';
import { type Database, json } from '../../store/store.ts';
import type { LaneKey } from '../lease.ts';

/** Gives lanes work, in key order; a lane that is not there yet is made. */
export async function raiseWanted(
  trx: Transaction<Database>,
  lanes: readonly LaneKey[],
  options: WantOptions = {},
): Promise<void> {
  if (lanes.length === 0) return;
  const { reread = false, unpark = false, priority } = options;
  const rows = lanes.map(({ connection, subject }) => ({ connection, subject }));
  await sql`
    insert into lane (connection, subject, source, wanted, reread, priority)
    select connection, subject, split_part(subject, '.', 1), 1, ${reread}::boolean, ${priority ?? normalPriority}::integer
    from jsonb_to_recordset(${json(rows)}) as l(connection text, subject text)
    order by connection, subject
    on conflict (connection, subject) do update set
      wanted = lane.wanted + 1,
      due_at = case when lane.done < lane.wanted then lane.due_at else now() end,
      priority = case when lane.done < lane.wanted or ${priority === undefined}::boolean
        then least(lane.priority, excluded.priority) else excluded.priority end,
      reread = lane.reread or excluded.reread,
      next_try_at = case when ${unpark}::boolean then null else lane.next_try_at end,
      parked = case when ${unpark}::boolean then null else lane.parked end,
      starts = case when ${unpark}::boolean then 0 else lane.starts end,
      attempts = case when ${unpark}::boolean then 0 else lane.attempts end`.execute(trx);
}

export interface WantOptions {
  /** Read every linked resource again. */
  readonly reread?: boolean;
  /** The cause may mend what is parked: an operator, a decision, a new mapping or configuration. A poll may not. */
  readonly unpark?: boolean;
  /** Smaller runs earlier. @default the lane's own if that is more urgent than a normal one: what waited goes on as what it is */
  readonly priority?: number;
}

const normalPriority = 50;
