// Work that has been tried for days without success: one alert a connection, while each lane comes back at the cap of its back-off.

import { type Reason, reason } from '../../errors.ts';
import type { LaneDeps, Run } from '../lane-connection.ts';
import { isTriedForDays, type Lease, type RunOutcome } from '../lease.ts';
import { retryHorizonMs } from '../retry.ts';
import { closeAlert, openAlert, overdueTopic } from './alerts.ts';

/**
 * After a run: opens or counts the alert, or closes it when this was the last overdue lane of its connection. Where somebody has had the tries counted
 * anew, or has parked the lane, `reviewAlerts` closes it.
 */
export async function tellOverdue({ deps: { store }, lease }: Run, outcome: RunOutcome): Promise<void> {
  // A paused connection has an alert of its own.
  const isTried = lease.isOverdue && lease.attempts > 0;
  if (!isTried || outcome.reason?.code === 'connection-paused') return;
  if (outcome.kind === 'again') await alert(store, lease, outcome.reason);
  else if (!(await isAnotherOverdue(store, lease))) await store.tx((trx) => closeAlert(trx, topicOf(lease)));
}

async function alert(store: LaneDeps['store'], lease: Lease, why: Reason): Promise<void> {
  const days = Math.round(retryHorizonMs / 86_400_000);
  const told = {
    topic: topicOf(lease),
    connection: lease.connection,
    reason: reason('lane-overdue', { days, why: why.text }),
  };
  await store.tx((trx) => openAlert(trx, told));
}

async function isAnotherOverdue({ db }: LaneDeps['store'], { connection, subject }: Lease): Promise<boolean> {
  const other = await db
    .selectFrom('lane')
    .select('subject')
    .where('connection', '=', connection)
    .where('subject', '<>', subject)
    .where(isTriedForDays)
    .limit(1)
    .executeTakeFirst();
  return other !== undefined;
}

function topicOf({ connection }: Lease): string {
  return `${overdueTopic}${connection}`;
}
