// A promise has a clock. Two referrals have waited for two days but for some seconds; one is answered in time, the other is not.

import type { JsonObject } from '../../json.ts';
import { type RecordLine, referralRecord } from '../caseload.ts';
import { pantryName, ridesName } from '../directory.ts';
import { earl, grace } from '../other-people.ts';
import { Partner } from '../partner.ts';
import type { Person } from '../people.ts';
import { at, objectsAt, textAt } from '../reading.ts';
import { expectThat, only, type Stage } from '../stage.ts';
import { pantryHome, takeOverChanges } from './answers.ts';

/** A partner has 48 hours to answer (docs/clocks.md). */
const rule = 'referral-follow-up-48h';
const limitMs = 48 * 3_600_000;
const minuteMs = 60_000;

const kept = { person: earl, id: 'referral-earl-groceries', partner: pantryName, leftMs: 2 * minuteMs };
const broken = { person: grace, id: 'referral-grace-ride', partner: ridesName, leftMs: 8_000 };
const groceries = 'Two bags of groceries a week';

export interface PromiseFigures {
  /** Records accepted. */
  readonly records: number;
  readonly met: number;
  readonly breached: number;
}

export async function keepPromises(stage: Stage): Promise<PromiseFigures> {
  const { story, exchange, gateway, signal } = stage;
  story.chapter('Every promise has a clock: one is kept, one is broken in front of you');
  const records = await gateway.send(linesAt(Date.now()));
  story.say(
    'A partner has 48 hours to answer. Of two referrals they are nearly over: one has two minutes left, the other',
  );
  story.say('eight seconds. GET /api/clocks says:');
  for (const { id } of [kept, broken]) await gateway.untilClock(id, rule, ['due-soon', 'breached']);
  await showClocks(stage);
  const pantry = new Partner({ name: pantryName, home: pantryHome, fhirUrl: exchange.fhirUrl, signal });
  await pantry.move(await pantry.findTask(groceries), 'accepted');
  await gateway.untilChanged(kept.id, 'accepted');
  await takeOverChanges(stage, kept.id);
  const met = await gateway.untilClock(kept.id, rule, ['met']);
  story.say(`${pantryName} accepts, and the agency's system takes it over. ${ridesName} says nothing:`);
  const breached = await gateway.untilClock(broken.id, rule, ['breached']);
  await showClocks(stage);
  const isLate = textAt(breached, 'stoppedAt') === '' && textAt(met, 'stoppedAt') < textAt(met, 'dueAt');
  expectThat(isLate, 'One promise is kept, and one is broken.', JSON.stringify([met, breached]));
  await showAlert(stage, breached);
  const states = [met, breached].map((clock) => textAt(clock, 'state'));
  const count = (state: string) => states.filter((one) => one === state).length;
  return { records, met: count('met'), breached: count('breached') };
}

function linesAt(now: number): RecordLine[] {
  const when = (leftMs: number) => {
    const sentAt = now - limitMs + leftMs;
    return {
      requestedAt: new Date(sentAt - 30 * minuteMs).toISOString(),
      sentAt: new Date(sentAt).toISOString(),
    };
  };
  const first = referralRecord(kept.person, {
    id: kept.id,
    service: 'groceries',
    text: groceries,
    domain: 'food',
    consentId: `consent-${kept.person.name}`,
    ...when(kept.leftMs),
  });
  const second = referralRecord(broken.person, {
    id: broken.id,
    service: 'rides',
    text: 'A ride to the pharmacy on Mondays',
    domain: 'transportation',
    consentId: `consent-${broken.person.name}`,
    ...when(broken.leftMs),
  });
  return [first, second].map((record) => ({ type: 'referral', record }));
}

async function showClocks({ story, gateway }: Stage): Promise<void> {
  const clocks = (await gateway.clocks(kept.id, broken.id)).filter((clock) => clock.rule === rule);
  const rowOf = ({ id, person, partner }: { id: string; person: Person; partner: string }) => {
    const clock = clocks.find((one) => one.id === id);
    return [partner, person.given, textAt(clock, 'state'), time(clock, 'dueAt'), time(clock, 'stoppedAt')];
  };
  story.table([['waiting for', 'for', 'state', 'due', 'answered'], rowOf(kept), rowOf(broken)]);
}

/** The breach is told once, to those who can do something; the promise that was kept is not told of. */
async function showAlert({ story, gateway }: Stage, breached: JsonObject): Promise<void> {
  const alerts = (await gateway.alerts()).filter((alert) => textAt(alert, 'topic').endsWith(`:${rule}`));
  const about = (id: string) => alerts.filter((alert) => textAt(alert, 'topic').includes(`/${id}:`));
  const alert = only(about(broken.id), 'A breach opens one alert.');
  const told = objectsAt(alert, 'recipients').map((one) => [textAt(one, 'role'), textAt(one, 'id')]);
  const [worker, supervisor] = ['worker', 'supervisor'].map((role) => told.find(([one]) => one === role)?.[1]);
  expectThat(
    worker === `worker-${grace.worker}` && supervisor === 'worker-lindqvist' && about(kept.id).length === 0,
    'The worker and the supervisor are told of the breach, and of nothing else.',
    JSON.stringify(alerts),
  );
  const [openedAt, dueAt] = [textAt(alert, 'openedAt'), textAt(breached, 'dueAt')];
  expectThat(openedAt >= dueAt, 'Nobody is told before the time is over.', `${openedAt} is before ${dueAt}`);
  story.say('GET /api/alerts:');
  story.table([
    ['opened', 'told to', 'because'],
    [time(alert, 'openedAt'), [worker, supervisor].join(', '), textAt(at(alert, 'reason'), 'text')],
  ]);
}

/** Hours, minutes and seconds in UTC; '' for none. */
function time(from: JsonObject | undefined, name: string): string {
  return textAt(from, name).slice(11, 19);
}
