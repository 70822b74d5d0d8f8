// Which connections rest by their budget, for operators and metrics: the server asked for it, does not answer, or the day's requests are used.

import { sql } from 'kysely';
import type { Reason } from '../../errors.ts';
import type { Store } from '../../store/store.ts';

export interface Resting {
  readonly reason: Reason;
  /** When requests go on; for a server that does not answer, when it is asked again. */
  readonly until: string;
  /** False: what is urgent still goes. */
  readonly entirely: boolean;
}

export async function restingConnections(db: Store['db']): Promise<ReadonlyMap<string, Resting>> {
  const rows = await db
    .selectFrom('budget')
    .select(['connection', 'reason', 'rest_until', 'urgent_until'])
    .select(sql<boolean>`failing or coalesce(rest_until > now(), false)`.as('entirely'))
    .where(sql<boolean>`failing or rest_until > now() or urgent_until > now()`)
    .execute();
  return new Map(
    rows.flatMap(({ connection, reason, rest_until: rest, urgent_until: urgent, entirely }) => {
      const until = entirely ? rest : urgent;
      return reason === null || until === null ? [] : [[connection, { reason, until: until.toISOString(), entirely }]];
    }),
  );
}
