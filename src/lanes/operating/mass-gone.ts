// A server that was restored to an earlier day has lost very many resources at once. Each one alone is a question (`remote-gone`); beyond the
// limit of a mass change they become one question about the connection (lanes.md 16, 22). Nothing is made again before it is answered.

import { sql } from 'kysely';
import { reason } from '../../errors.ts';
import type { Database, Transaction } from '../../store/store.ts';
import { type NewDecision, openDecision } from '../decisions.ts';
import { type LaneResource, nameOf } from '../lane-resource.ts';
import type { Lease } from '../lease.ts';
import { openAlert } from './alerts.ts';
import {
  alertTopic,
  type Cause,
  changeCount,
  isRow,
  type LinkKey,
  lockCount,
  massLimit,
  topicOf,
} from './mass-change.ts';

/**
 * Asks about one resource that is gone, or takes it, with those asked about since the cause began, into the one question about very many. Where that
 * has been answered, the answer holds for what is found gone later; but not once more for what it has made again: nobody has said so of that.
 */
export async function askAboutGone(
  trx: Transaction<Database>,
  lease: Lease,
  resource: LaneResource,
  alone: NewDecision,
): Promise<void> {
  const { connection, source, subject } = lease;
  const cause = await causeToday(trx);
  const row = await lockCount(trx, connection, cause);
  const added = await trx
    .insertInto('mass_change_link')
    .values({ connection, ...cause, source, ...resource.key, subject, held: true })
    .onConflict((conflict) => conflict.doNothing())
    .returning('id')
    .execute();
  const held = row.held + added.length;
  const limit = massLimit(row.links);
  const isAnswered = row.state === 'go-on' || row.state === 'stop';
  const isOfMany = held > limit && !isAnswered;
  await changeCount(trx, connection, cause, { held, state: isOfMany ? 'held' : row.state });
  if (row.state === 'stop' && added.length > 0) return;
  // What the other side began is not ours to make again.
  if (row.state === 'go-on' && added.length > 0 && resource.link?.origin === 'created')
    return recreateGone(trx, { connection, ...cause }, { source, ...resource.key });
  if (!isOfMany) return openDecision(trx, lease, alone);
  const why = reason('mass-change', { cause: 'A server that has lost what it had', limit, connection });
  await sql`
    update decision d set state = 'obsolete', decided_at = now() from mass_change_link m
    where d.connection = ${connection} and d.kind = 'remote-gone' and d.state = 'open'
      and ${isRow(connection, cause, 'm')} and m.source = d.source and m.type = d.type and m.id = d.record_id and m.slot = d.slot`.execute(
    trx,
  );
  await openDecision(
    trx,
    { connection, subject: '', source: '' },
    {
      kind: 'mass-change',
      topic: topicOf(cause),
      reason: why,
      detail: { ...cause, links: row.links, limit, held, sample: [nameOf(resource.key)] },
      choices: [
        {
          choose: 'go-on',
          effect: `Make the ${held} resources again that are gone, as new ones on the server, and what else is found gone on ${cause.value}.`,
        },
        {
          choose: 'stop',
          effect: 'Leave them gone, and what else is found gone that day; nothing more is sent for them.',
        },
      ],
    },
  );
  await openAlert(trx, { topic: alertTopic(connection, cause), connection, reason: why });
}

/** One restore is one day's cause; what is lost on another day is counted for itself. */
async function causeToday(trx: Transaction<Database>): Promise<Cause> {
  const { rows } = await sql<{ day: string }>`select to_char(now() at time zone 'UTC', 'YYYY-MM-DD') as day`.execute(
    trx,
  );
  return { cause: 'restored-server', value: rows[0]?.day ?? '' };
}

/**
 * `go-on`: links to what is still gone are retired, so that the next runs make the next generation (lanes.md 17).
 *
 * @param only one of them; undefined: all
 */
export async function recreateGone(
  trx: Transaction<Database>,
  { connection, cause, value }: { readonly connection: string; readonly cause: string; readonly value: string },
  only?: LinkKey,
): Promise<void> {
  const isMeant =
    only === undefined
      ? sql`true`
      : sql`l.source = ${only.source} and l.type = ${only.type} and l.id = ${only.id} and l.slot = ${only.slot}`;
  await sql`
    update link l set retired_at = now() from mass_change_link m, seen s
    where ${isRow(connection, { cause, value }, 'm')} and l.connection = m.connection and l.source = m.source and l.type = m.type
      and l.id = m.id and l.slot = m.slot and l.retired_at is null and l.origin = 'created' and ${isMeant}
      and s.connection = l.connection and s.resource_type = l.resource_type and s.remote_id = l.remote_id and s.gone`.execute(
    trx,
  );
}
