// How often one caller may try to get in, over all processes: so many times a minute, and no more of them at once. Kept in the store, for what
// protects people's data (codes, tokens); what only protects a process from too much work counts in the process (`rate-limit.ts`).

import { createHash } from 'node:crypto';
import { type Store, sql } from '../store/store.ts';

export interface SharedRate {
  /** @returns undefined: go on; else the seconds to wait */
  take(caller: string): Promise<number | undefined>;
  /** As `take` would answer; nothing is counted. */
  wait(caller: string): Promise<number | undefined>;
}

/**
 * A row says until when the caller's tries are spoken for, evenly spaced; one more must end within a minute from now. Times are the database's.
 *
 * @param what is counted; each has its own count of a caller
 */
export function sharedRate(store: Store, what: string, perMinute: number): SharedRate {
  const each = sql`(${60 / perMinute}::double precision * interval '1 second')`;
  // A caller may be known by an address, which is not to be read in the store.
  const keyOf = (caller: string) =>
    createHash('sha256')
      .update(JSON.stringify([what, caller]))
      .digest('base64url');
  const left = sql<number>`ceil(extract(epoch from until + ${each} - interval '1 minute' - now()))::integer`;
  return {
    async take(caller) {
      const key = keyOf(caller);
      const [row] = await store.once((db) =>
        sql<{ taken: boolean; seconds: number | null }>`
          with over as (
            delete from caller_rate where key in (
              select key from caller_rate where until < now() and key <> ${key} order by until limit 100 for update skip locked)),
          taken as (
            insert into caller_rate as r (key, until) values (${key}, now() + ${each})
            on conflict (key) do update set until = greatest(r.until, now()) + ${each}
            where greatest(r.until, now()) + ${each} <= now() + interval '1 minute'
            returning key)
          select exists (select 1 from taken) as taken,
            (select ${left} from caller_rate where key = ${key}) as seconds`
          .execute(db)
          .then(({ rows }) => rows),
      );
      return row?.taken === false ? Math.max(1, row.seconds ?? 1) : undefined;
    },

    async wait(caller) {
      const row = await store.once((db) =>
        db.selectFrom('caller_rate').select(left.as('seconds')).where('key', '=', keyOf(caller)).executeTakeFirst(),
      );
      return row !== undefined && row.seconds > 0 ? row.seconds : undefined;
    },
  };
}
