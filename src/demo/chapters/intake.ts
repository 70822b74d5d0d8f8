// Intake: the caseload goes in as the agency's system sends it, and what one case looks like on the exchange.

import type { RecordType } from '../../records/records.ts';
import { caseload, type RecordLine } from '../caseload.ts';
import { agencyName } from '../directory.ts';
import { type Person, rosa } from '../people.ts';
import type { Stage } from '../stage.ts';
import { countsText } from '../story.ts';

/** Sends the caseload but for the records held back. @returns how many were accepted */
export async function sendCaseload(
  { gateway, exchange, story }: Stage,
  heldBack: readonly RecordLine[],
): Promise<number> {
  story.chapter(`Intake: ${agencyName} sends its caseload`);
  const before = await exchange.counts();
  const lines = caseload().filter(({ record }) => !heldBack.some((line) => line.record.id === record.id));
  const started = performance.now();
  const accepted = await gateway.send(lines);
  story.say(`${accepted} records are in: ${countsText(byType(lines))}.`);
  await gateway.untilIdle('the caseload to reach the three servers');
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  const made = [...(await exchange.counts())]
    .map(([type, count]) => [type, count - (before.get(type) ?? 0)] as const)
    .filter(([, count]) => count > 0);
  story.say(`After ${seconds} seconds the exchange holds what they say, as FHIR: ${countsText(made)}.`);
  await showCase({ gateway, story }, rosa);
  return accepted;
}

const plurals: Readonly<Record<RecordType, string>> = {
  organization: 'organizations',
  worker: 'workers',
  service: 'services',
  client: 'clients',
  case: 'cases',
  consent: 'consents',
  coverage: 'coverages',
  assessment: 'assessments',
  hospitalStay: 'hospital stays',
  incident: 'incidents',
  need: 'needs',
  goal: 'goals',
  safetyPlan: 'safety plans',
  referral: 'referrals',
  intervention: 'interventions',
  carePlan: 'care plans',
  appointment: 'appointments',
  note: 'notes',
  improvementIdea: 'improvement ideas',
};

function byType(lines: readonly RecordLine[]): [string, number][] {
  return [...Map.groupBy(lines, ({ type }) => type)].map(([type, group]) => [plurals[type], group.length]);
}

async function showCase({ gateway, story }: Pick<Stage, 'gateway' | 'story'>, person: Person): Promise<void> {
  const { name, given, family, concerns, plan = '' } = person;
  const where = async (type: string, id: string) =>
    (await gateway.links(type, id, 'exchange'))
      .flatMap(({ resource }) => resource ?? [])
      .reverse()
      .join(', ');
  const rows = [['client', `${given} ${family}`, await where('client', `client-${name}`)]];
  for (const { domain, need, goal, referral } of concerns) {
    rows.push(['need', need, await where('need', `need-${name}-${domain}`)]);
    if (goal !== undefined) rows.push(['goal', goal, await where('goal', `goal-${name}-${domain}`)]);
    if (referral?.status === 'sent') {
      rows.push(['referral', referral.text, await where('referral', `referral-${name}-${domain}`)]);
    }
  }
  rows.push(['care plan', plan, await where('carePlan', `plan-${name}`)]);
  story.say('One of them:');
  story.table(rows);
}
