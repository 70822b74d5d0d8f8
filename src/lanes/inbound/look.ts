// What the server holds of what began there: as the polls have stored it, and, of what that points at, as it is when it is first needed.

import type { JsonObject } from '../../json.ts';
import { json, type Store, sql } from '../../store/store.ts';
import type { LaneConnection, Run } from '../lane-connection.ts';
import { underLease } from '../lease.ts';
import { saveSeen } from '../links/seen.ts';
import { readOne } from '../look/read-one.ts';
import { type Failure, failureOf } from '../look/search-failure.ts';
import { localName, type Named } from './about.ts';

/** `gone`: the server says so. `hidden`: it shows it to nobody like us. */
export type Look = { readonly body: JsonObject } | 'gone' | 'hidden';

/** By `Type/id`. */
export type Looks = Map<string, Look>;

/** More resources than an order sensibly points at; what is beyond stays unread until the next run. */
export const mostLooks = 40;

interface SeenLook {
  readonly resource_type: string;
  readonly remote_id: string;
  readonly body: JsonObject | null;
  readonly gone: boolean;
  readonly seen_at: Date;
}

/**
 * Adds what the store keeps of these.
 * @param isOutdated of what was gone or hidden, by the time of that look: leave it out, so that it is looked at again. Absent: it is believed
 */
export async function lookInStore(
  store: Store,
  connection: string,
  looks: Looks,
  named: readonly Named[],
  isOutdated?: (named: Named, lookedAt: Date) => boolean,
): Promise<void> {
  const wanted = named
    .filter((one) => !looks.has(localName(one)))
    .map(({ resourceType, id }) => ({ resourceType, id }));
  if (wanted.length === 0) return;
  const { rows } = await sql<SeenLook>`
    select s.resource_type, s.remote_id, s.body, s.gone, s.seen_at
    from jsonb_to_recordset(${json(wanted)}) as w("resourceType" text, id text)
    join seen s on s.connection = ${connection} and s.resource_type = w."resourceType" and s.remote_id = w.id`.execute(
    store.db,
  );
  for (const { resource_type: resourceType, remote_id: id, body, gone, seen_at: at } of rows) {
    const look = gone ? 'gone' : body === null ? 'hidden' : { body };
    if (typeof look !== 'string' || isOutdated?.({ resourceType, id }, at) !== true)
      looks.set(localName({ resourceType, id }), look);
  }
}

/** Reads one resource from the server and keeps what was seen; undefined: it is among the looks now. */
export async function lookThere(
  { deps, connection, lease }: Run,
  looks: Looks,
  named: Named,
): Promise<Failure | undefined> {
  const { resourceType, id } = named;
  const found = await readThere(connection, named);
  if ('kind' in found) return found;
  const { look, versionTag } = found;
  const body = typeof look === 'string' ? undefined : look.body;
  await underLease({ deps, lease }, async (trx) => {
    await saveSeen(trx, lease.connection, { resourceType, remoteId: id, versionTag, body, isGone: look === 'gone' });
  });
  looks.set(localName(named), look);
  return undefined;
}

/** Reads one resource and keeps nothing of it: what is large, and needed once. */
export async function readThere(
  connection: LaneConnection,
  named: Named,
): Promise<{ readonly look: Look; readonly versionTag: string | undefined } | Failure> {
  const { reply, body, failed } = await readOne(connection, named);
  const versionTag = reply.fault === undefined ? reply.versionTag : undefined;
  if (failed === undefined) return { look: { body }, versionTag };
  if (failed.class === 'gone') return { look: 'gone', versionTag };
  const isHidden = failed.class === 'denied' || failed.class === 'permanent';
  return isHidden ? { look: 'hidden', versionTag } : failureOf(failed);
}
