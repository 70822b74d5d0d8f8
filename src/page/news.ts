// What of a referral a partner has to be told of, and the look that finds it: each event once, whoever looks and however often.

import { createHash } from 'node:crypto';
import type { PartnerConfig } from '../config.ts';
import { objectsAt } from '../json.ts';
import { isTaskStatus, isTerminal } from '../referrals/referrals.ts';
import { type Store, sql } from '../store/store.ts';
import { type FactsDeps, readFacts, taskVersions } from './facts.ts';
import { addEvents, contactsTold, goneReferral, newReferral } from './outbox.ts';
import { type AppointmentVersion, lastArranged, type ReferralParts, type TaskVersion } from './view.ts';

/**
 * All that the agency has done so far and the partner has to know, each by a name of its own; the partner's own doings are none. Pure, and the same
 * for the same referral.
 */
function eventsOf({ task, versions, appointmentVersions, cancelAsked }: ReferralParts): string[] {
  const { status } = task;
  const isEnded = isTaskStatus(status) && isTerminal(status);
  const last = versions.at(-1);
  const notes = versions
    .filter(({ by }) => by === 'us')
    .flatMap(({ task: then }) => objectsAt(then, 'note'))
    .filter((note) => !isFirstSaidByPartner(note.text, note.time, versions));
  return [
    ...(isEnded ? [] : [newReferral]),
    ...(isEnded && last?.by === 'us' ? [`ended:${String(status)}`] : []),
    ...(cancelAsked !== undefined && !isEnded ? [['cancel-asked', cancelAsked.at].join(':')] : []),
    ...new Set(notes.map((note) => `note:${short(`${note.time} ${note.text}`)}`)),
    ...[...Map.groupBy(appointmentVersions, ({ id }) => id).values()].flatMap(appointmentEvent),
  ];
}

/** The same of a referral that the partner may not see any more, and had not brought to an end. */
function eventsOfGone(versions: readonly TaskVersion[]): string[] {
  // What is taken back is entered in error, which says nothing of where the referral stood.
  const last = versions.findLast(({ by, task }) => by === 'them' || task.status !== 'entered-in-error');
  if (last === undefined) return [];
  const { status } = last.task;
  return isTaskStatus(status) && isTerminal(status) ? [] : [`${goneReferral}:${last.version}`];
}

/** What the agency has done last with an appointment: arranged, agreed to, moved or called off. */
function appointmentEvent(versions: readonly AppointmentVersion[]): string[] {
  const last = lastArranged(versions);
  if (last?.by !== 'us') return [];
  const { id, version, appointment } = last;
  return ['proposed', 'booked', 'cancelled', 'entered-in-error'].includes(String(appointment.status))
    ? [`appointment:${id}:${version}`]
    : [];
}

function isFirstSaidByPartner(text: unknown, time: unknown, versions: ReferralParts['versions']): boolean {
  const first = versions.find(({ task }) =>
    objectsAt(task, 'note').some((one) => one.text === text && one.time === time),
  );
  return first?.by === 'them';
}

function short(text: string): string {
  return createHash('sha256').update(text).digest('base64url').slice(0, 16);
}

interface Changed {
  readonly partner: string;
  readonly task_id: string;
  readonly seen: string;
}

const mostAtOnce = 100;

/**
 * Looks at referrals that have changed since the last look, and makes the rows of their messages.
 * @param minutes at those that changed within so many minutes only; absent: at all
 * @param onError one that cannot be looked at keeps no other back
 * @returns how many messages there are to send
 */
export async function noticeNews(
  deps: FactsDeps,
  partners: readonly PartnerConfig[],
  minutes: number | undefined,
  onError: (error: unknown) => void,
): Promise<number> {
  let found = 0;
  for (const changed of await changedReferrals(deps.store, partners, minutes)) {
    const partner = partners.find(({ id }) => id === changed.partner);
    if (partner === undefined) continue;
    try {
      found += await noticeOne(deps, partner, changed);
    } catch (error) {
      onError(error);
    }
  }
  return found;
}

async function noticeOne(deps: FactsDeps, partner: PartnerConfig, { task_id: taskId, seen }: Changed): Promise<number> {
  const facts = await readFacts(deps, partner, taskId);
  const isGone = facts === undefined;
  const events = isGone ? eventsOfGone(await taskVersions(deps.store, partner.id, taskId)) : eventsOf(facts.parts);
  return deps.store.tx(async (trx) => {
    await trx
      .insertInto('partner_watch')
      .values({ partner: partner.id, task_id: taskId, seen })
      .onConflict((conflict) => conflict.columns(['partner', 'task_id']).doUpdateSet({ seen }))
      .execute();
    const told = isGone ? await contactsTold(trx, partner.id, taskId, ['sent', 'waiting']) : undefined;
    const contacts = [...(partner.page?.contacts.keys() ?? [])].filter((contact) => told?.has(contact) ?? true);
    return addEvents(trx, { partner: partner.id, taskId, contacts }, events);
  });
}

/** Those that are not as they were at the last look: the Task, its appointments, or the record that it was made from. */
async function changedReferrals(
  { db }: Store,
  partners: readonly PartnerConfig[],
  minutes: number | undefined,
): Promise<readonly Changed[]> {
  if (partners.length === 0) return [];
  const ids = sql.join(partners.map(({ id }) => id));
  const since = sql`now() - ${minutes ?? 0} * interval '1 minute'`;
  // Each way to a Task by an index of its own.
  const tasks =
    minutes === undefined
      ? sql`select partner, id, version, body from home_resource where resource_type = 'Task' and partner in (${ids})`
      : sql`
        select partner, id, version, body from home_resource where resource_type = 'Task' and partner in (${ids}) and at > ${since}
        union
        select t.partner, t.id, t.version, t.body from home_resource a, lateral (
          select * from home_resource h where h.partner = a.partner and h.resource_type = 'Task'
            and h.body -> 'focus' ->> 'reference' = a.based_on offset 0) t
        where a.resource_type = 'Appointment' and a.partner in (${ids}) and a.at > ${since}`;
  const { rows } = await sql<Changed>`
    with now_seen as (
      select t.partner, t.id as task_id, concat_ws('.', t.version,
        (select sum(a.version) from home_resource a where a.partner = t.partner and a.resource_type = 'Appointment'
          and a.based_on = t.body -> 'focus' ->> 'reference'),
        (select r.version from link l join record r on r.source = l.source and r.type = l.type and r.id = l.id
          where l.connection = t.partner and l.resource_type = 'Task' and l.remote_id = t.id and l.retired_at is null limit 1)) as seen
      from (${tasks}) t)
    select n.* from now_seen n left join partner_watch w on w.partner = n.partner and w.task_id = n.task_id
    where w.seen is distinct from n.seen limit ${mostAtOnce}`.execute(db);
  return rows;
}
