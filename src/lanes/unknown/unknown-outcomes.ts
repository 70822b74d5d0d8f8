// Requests of which nobody knows what came: they may be done or not, and nothing more is sent for their resources until the server has been asked
// (lanes.md 8, 9). That takes seconds or minutes; where it takes longer, somebody is to look.

import { sql } from 'kysely';
import type { Store } from '../../store/store.ts';

export interface UnknownOutcomes {
  readonly connection: string;
  readonly count: number;
  /** Of the one that was sent first; 0 where there is none. */
  readonly oldestSeconds: number;
}

/** After this long an operator is told. */
export const unknownTooLongMs = 15 * 60_000;

/** Of a row of `operation`. What may still be under way counts as known. */
export const isUnknown = sql<boolean>`(operation.outcome is null and operation.send_before < now())`;

/**
 * Of every connection, also where there is none.
 * @param olderThanMs only those sent longer ago
 */
export async function unknownOutcomes(db: Store['db'], olderThanMs = 0): Promise<UnknownOutcomes[]> {
  const { rows } = await sql<UnknownOutcomes>`
    select c.id as connection, count(operation.id)::integer as count,
      coalesce(extract(epoch from now() - min(operation.intended_at)), 0)::float8 as "oldestSeconds"
    from connection c left join operation on operation.connection = c.id and ${isUnknown}
      and operation.intended_at < now() - ${olderThanMs} * interval '1 millisecond'
    group by 1 order by 1`.execute(db);
  return rows;
}
