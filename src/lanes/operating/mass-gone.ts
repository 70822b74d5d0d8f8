// A server that was restored to an earlier day has lost very many resources at once. Each one alone is a question (`remote-gone`); beyond the
// limit of a mass change they become one question about the connection (lanes.md 16, 22). Nothing is made again before it is answered.

import { type Reason, reason } from '../../errors.ts';
import { type Database, json, type Signed, sql, type Transaction } from '../../store/store.ts';
import { type Answered, closeObsolete, type NewDecision, openDecision } from '../decisions/decisions.ts';
import { isMarkedGone, leaveGone } from '../decisions/set-aside.ts';
import { type LaneResource, nameOf } from '../lane-resource.ts';
import type { Lease } from '../lease.ts';
import { closeAlert, openAlert } from './alerts.ts';
import { alertTopic, topicOf } from './mass-change/ask.ts';
import { type Cause, type CauseKey, causeWords } from './mass-change/cause.ts';
import { changeCount, isRow, type LinkKey, lockCount, massLimit } from './mass-change/counts.ts';

/**
 * Asks about one resource that is gone, or takes it, with those asked about since the cause began, into the one question about very many. Where that
 * has been answered, the answer holds for what is found gone later; but not once more for what it has made again: nobody has said so of that. Nor for
 * what may be ours after all, or what a person is being asked about already: that is asked about alone.
 *
 * @returns false: it is asked about already, in the question about very many
 */
export async function askAboutGone(
  trx: Transaction<Database>,
  lease: Lease,
  resource: LaneResource,
  alone: NewDecision,
): Promise<boolean> {
  const { connection, source, subject } = lease;
  const link = { source, ...resource.key };
  if (mayBeOurs(resource) || resource.openTopics.has(alone.topic)) {
    await takeOut(trx, lease, [resource.key]);
    await openDecision(trx, lease, alone);
    return true;
  }
  if (await isHeld(trx, connection, link)) return false;
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
  const isOfMany = row.state === 'held' || (held > limit && !isAnswered);
  await changeCount(trx, connection, cause, { held, state: isOfMany ? 'held' : row.state });
  if (row.state === 'stop' && added.length > 0) {
    await leaveGone(trx, connection, [link], await answerTo(trx, connection, cause), alone.reason);
    return true;
  }
  // What the other side began is not ours to make again.
  if (row.state === 'go-on' && added.length > 0 && resource.link?.origin === 'created') {
    await retireLinks(trx, connection, [link]);
    return true;
  }
  if (!isOfMany) {
    await openDecision(trx, lease, alone);
    return true;
  }
  await sql`
    update decision d set state = 'obsolete', decided_at = now() from mass_change_link m
    where d.connection = ${connection} and d.kind = 'remote-gone' and d.state = 'open'
      and ${isRow(connection, cause, 'm')} and m.source = d.source and m.type = d.type and m.id = d.record_id and m.slot = d.slot`.execute(
    trx,
  );
  await askAboutMany(trx, connection, cause, { links: row.links, held, sample: nameOf(resource.key) });
  await openAlert(trx, { topic: alertTopic(connection, cause), connection, reason: whyMany(connection, row.links) });
  return true;
}

/** What stands there has lost our identifier, or is in another chart: only whoever looks at it can say that it is not ours. */
function mayBeOurs({ stranger }: LaneResource): boolean {
  return stranger?.evidence === 'other-content' || stranger?.evidence === 'other-patient';
}

function whyMany(connection: string, links: number): Reason {
  return reason('mass-change', { cause: causeWords['restored-server'], limit: massLimit(links), connection });
}

interface Many {
  /** Of the connection, when the cause began. */
  readonly links: number;
  readonly held: number;
  /** The name of one of them. */
  readonly sample: string;
}

function askAboutMany(
  trx: Transaction<Database>,
  connection: string,
  cause: Cause,
  { links, held, sample }: Many,
): Promise<void> {
  return openDecision(
    trx,
    { connection, subject: '', source: '' },
    {
      kind: 'mass-change',
      topic: topicOf(cause),
      reason: whyMany(connection, links),
      detail: { ...cause, links, limit: massLimit(links), held, sample: [sample] },
      choices: [
        {
          choose: 'go-on',
          effect: `Of the ${held} resources that are gone, and of what else is found gone on ${cause.value}, make those again that we had made, as new ones on the server; each of the others is a question of its own.`,
        },
        {
          choose: 'stop',
          effect: 'Leave them gone, and what else is found gone that day; nothing more is sent for them.',
        },
      ],
    },
  );
}

/**
 * These are gone no more, or a question of their own, answered or not: no answer about very many that is still to come is about them. The last one takes
 * the question with it.
 */
export async function takeOut(
  trx: Transaction<Database>,
  { connection, source }: Pick<Lease, 'connection' | 'source'>,
  keys: readonly Omit<LinkKey, 'source'>[],
): Promise<void> {
  const links = json(keys.map(({ type, id, slot }) => ({ source, type, id, slot })));
  const isOne = sql<boolean>`exists (select 1 from jsonb_to_recordset(${links}) as k(source text, type text, id text, slot text)
    where m.source = k.source and m.type = k.type and m.id = k.id and m.slot = k.slot)`;
  const { rows: days } = await sql<{ value: string }>`
    select distinct m.value from mass_change_link m where m.connection = ${connection} and m.cause = 'restored-server' and ${isOne}
    order by m.value`.execute(trx);
  for (const { value } of days) {
    const cause = { cause: 'restored-server', value } as const;
    const row = await lockCount(trx, connection, cause);
    if (row.state !== 'counting' && row.state !== 'held') continue;
    const { numAffectedRows = 0n } =
      await sql`delete from mass_change_link m where ${isRow(connection, cause, 'm')} and ${isOne}`.execute(trx);
    const held = row.held - Number(numAffectedRows);
    const other = await trx
      .selectFrom('mass_change_link')
      .select(['type', 'id', 'slot'])
      .where(isRow(connection, cause, 'mass_change_link'))
      .orderBy('id')
      .limit(1)
      .executeTakeFirst();
    await changeCount(trx, connection, cause, { held, state: other === undefined ? 'counting' : row.state });
    if (row.state === 'counting') continue;
    if (other !== undefined)
      await askAboutMany(trx, connection, cause, { links: row.links, held, sample: nameOf(other) });
    else {
      await closeObsolete(trx, { connection, subject: '' }, [topicOf(cause)]);
      await closeAlert(trx, alertTopic(connection, cause));
    }
  }
}

/** The question about very many, of whatever day, is open and is about this one too. */
async function isHeld(
  trx: Transaction<Database>,
  connection: string,
  { source, type, id, slot }: LinkKey,
): Promise<boolean> {
  const { rows } = await sql`
    select 1 from mass_change_link m join mass_change c using (connection, cause, value)
    where m.connection = ${connection} and m.source = ${source} and m.type = ${type} and m.id = ${id} and m.slot = ${slot}
      and m.cause = 'restored-server' and c.state = 'held'`.execute(trx);
  return rows.length > 0;
}

/** Who has said that they are to stay gone. */
async function answerTo(trx: Transaction<Database>, connection: string, cause: Cause): Promise<Signed> {
  const row = await trx
    .selectFrom('decision')
    .select(['decided_by', 'decided_at', 'note'])
    .where('connection', '=', connection)
    .where('topic', '=', topicOf(cause))
    .where('state', '=', 'decided')
    .orderBy('id', 'desc')
    .executeTakeFirst();
  const at = row?.decided_at ?? new Date(cause.value);
  return { by: row?.decided_by ?? '', at: at.toISOString(), ...(row?.note != null && { note: row.note }) };
}

/** One restore is one day's cause; what is lost on another day is counted for itself. */
async function causeToday(trx: Transaction<Database>): Promise<Cause> {
  const { rows } = await sql<{ day: string }>`select to_char(now() at time zone 'UTC', 'YYYY-MM-DD') as day`.execute(
    trx,
  );
  return { cause: 'restored-server', value: rows[0]?.day ?? '' };
}

/** `go-on`: links to what is still gone are retired, so that the next runs make the next generation (lanes.md 17). `stop`: they stay so. */
export async function settleGone(
  trx: Transaction<Database>,
  connection: string,
  cause: CauseKey,
  { choice, signed }: Pick<Answered, 'choice' | 'signed'>,
): Promise<void> {
  const { rows } = await sql<LinkKey>`
    select l.source, l.type, l.id, l.slot from mass_change_link m
    join link l on l.connection = m.connection and l.source = m.source and l.type = m.type and l.id = m.id and l.slot = m.slot
    join seen s on s.connection = l.connection and s.resource_type = l.resource_type and s.remote_id = l.remote_id
    where ${isRow(connection, cause, 'm')} and l.retired_at is null and ${isMarkedGone}
      and (s.gone or l.reason ->> 'code' = 'remote-replaced') and (l.origin = 'created' or ${choice} <> 'go-on')`.execute(
    trx,
  );
  if (choice === 'go-on') await retireLinks(trx, connection, rows);
  else await leaveGone(trx, connection, rows, signed);
}

async function retireLinks(trx: Transaction<Database>, connection: string, links: readonly LinkKey[]): Promise<void> {
  await sql`
    update link l set retired_at = now() from jsonb_to_recordset(${json(links.map((link) => ({ ...link })))})
      as k(source text, type text, id text, slot text)
    where l.connection = ${connection} and l.source = k.source and l.type = k.type and l.id = k.id and l.slot = k.slot
      and l.retired_at is null`.execute(trx);
}
