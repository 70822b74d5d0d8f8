// What full answers about a patient lack, where the source was told of it and no record has a link to it: only a look at it by its id can tell whether
// it is gone (G10).

import { type Store, sql } from '../../store/store.ts';
import type { Run } from '../lane-connection.ts';
import { type Lease, underLease } from '../lease.ts';
import { hashOfSeen, saveSeen } from '../links/seen.ts';
import type { Failure } from '../look/search-failure.ts';
import { mostLooks, readThere } from './look.ts';

/** Of a row `i` of `inbound`: its source was offered it, or it stands for something in a record of theirs. */
export const isKnownToSource = sql<boolean>`(i.state = 'proposed' or i.state = 'adopted' and i.type = 'none')`;

/**
 * Of rows `i` of `inbound` and `s` of `seen`: it is to be looked at by its id when it is missed, and once a day as long as the source has not answered
 * what it was offered. What it was told of for good is looked at once: some answers leave out what is old.
 */
export const isToLookFor = sql<boolean>`(${isKnownToSource} and s.absent_since is not null and not s.gone
  and (s.seen_at < s.absent_since or i.state = 'proposed' and s.seen_at < now() - interval '1 day'))`;

/** Whoever has a link to it looks at it as at any linked resource. */
export const isUnlinked = sql<boolean>`not exists (select 1 from link l where l.connection = s.connection
  and l.resource_type = s.resource_type and l.remote_id = s.remote_id and l.retired_at is null)`;

/** Looks at those of the lane and keeps what it finds. What nobody may see now stands as it was seen. */
export async function lookForAbsent({ deps, connection, lease }: Run): Promise<Failure | undefined> {
  for (const { resource_type: resourceType, remote_id: id, hash } of await absentOf(deps.store, lease)) {
    const found = await readThere(connection, { resourceType, id });
    if ('kind' in found) return found;
    const { look, versionTag } = found;
    const body = typeof look === 'string' ? undefined : look.body;
    const isGone = look === 'gone';
    const isNews = isGone || (body !== undefined && hashOfSeen(body) !== hash);
    await underLease({ deps, lease }, async (trx) => {
      if (isNews) return saveSeen(trx, lease.connection, { resourceType, remoteId: id, versionTag, body, isGone });
      await trx
        .updateTable('seen')
        .set({ seen_at: sql<Date>`now()` })
        .where((is) => is.and({ connection: lease.connection, resource_type: resourceType, remote_id: id }))
        .execute();
    });
  }
  return undefined;
}

interface Absent {
  readonly resource_type: string;
  readonly remote_id: string;
  readonly hash: string | null;
}

async function absentOf({ db }: Store, { connection, source, subject }: Lease): Promise<readonly Absent[]> {
  const { rows } = await sql<Absent>`
    select distinct s.resource_type, s.remote_id, s.hash from inbound i
    join seen s on s.connection = i.connection and s.resource_type = i.resource_type and s.remote_id = i.remote_id
    where i.connection = ${connection} and i.source = ${source} and i.subject = ${subject}
      and ${isToLookFor} and ${isUnlinked}
    order by 1, 2 limit ${mostLooks}`.execute(db);
  return rows;
}
