// What a clinician must know before anything else, and what we ask of the hospital. Safety concerns are: a case at high risk or in crisis,
// a client whom it is not safe to contact, needs about safety at home or violence that were not met (a client who declines help is no safer),
// any need in crisis, and an answer in an assessment that is a matter of safety whatever the total. That a safety plan is in force is said there too; what
// it says is a document of its own.

import { type JsonObject, objectAt, objectsAt, textAt } from '../json.ts';
import { alertFacts } from './assessments.ts';
import { shown } from './clean.ts';
import { type Find, pointedAt } from './directory.ts';
import { byRank, needRank, risks } from './order.ts';
import { isFinal } from './referrals.ts';
import { present } from './values.ts';

const safetyDomains = ['safety-at-home', 'intimate-partner-violence', 'elder-abuse'];

export function safetyFacts(
  caseRecord: JsonObject,
  client: JsonObject,
  needs: JsonObject[],
  assessments: JsonObject[],
  plans: JsonObject[],
): JsonObject[] {
  const risk = textAt(caseRecord, 'riskLevel');
  const contact = objectAt(client, 'preferredContact');
  const caseOpen = !['closed', 'declined'].includes(textAt(caseRecord, 'status') ?? '');
  return [
    ...(contact?.safeToContact === false ? [{ key: 'contact', kind: 'contact' }] : []),
    ...(caseOpen && (risk === 'high' || risk === 'crisis')
      ? [present({ key: 'case', kind: 'case', risk, since: textAt(caseRecord, 'riskSetAt') })]
      : []),
    ...alertFacts(assessments),
    ...plans
      .filter(({ status }) => status === 'active')
      .toSorted((a, b) => (String(a.id) < String(b.id) ? -1 : 1))
      .map((plan) =>
        present({
          key: `safetyPlan/${textAt(plan, 'id')}`,
          kind: 'safetyPlan',
          reason: textAt(plan, 'reason'),
          since: textAt(plan, 'effectiveOn'),
        }),
      ),
    ...byRank(needs.filter(isConcern), needRank(new Map())).map((need) =>
      present({
        key: `need/${textAt(need, 'id')}`,
        kind: 'need',
        domain: textAt(need, 'domain'),
        risk: textAt(need, 'riskLevel'),
        status: textAt(need, 'status'),
        description: shown(textAt(need, 'description'), 120),
      }),
    ),
  ];
}

function isConcern(need: JsonObject): boolean {
  if (need.status === 'met') return false;
  const open = need.status === 'identified' || need.status === 'addressing';
  return safetyDomains.includes(textAt(need, 'domain') ?? '') || (open && need.riskLevel === risks[0]);
}

/** An interpreter, where the client needs one, and the referrals to the receiver that wait for it. */
export function askFacts(
  client: JsonObject,
  records: JsonObject[],
  referrals: JsonObject[],
  receiver: string | undefined,
  find: Find,
): JsonObject[] {
  const interpreted = objectsAt(client, 'languages')
    .filter((language) => language.interpreter === true)
    .flatMap((language) => textAt(language, 'code') ?? []);
  const ours = new Set(
    records
      .filter((referral) => receiver !== undefined && performerOf(referral, find) === receiver)
      .map((referral) => textAt(referral, 'id')),
  );
  const waiting = referrals.filter(
    (facts) => facts.direction === 'outgoing' && ours.has(textAt(facts, 'id')) && !isFinal(textAt(facts, 'status')),
  );
  return [
    ...(interpreted.length > 0 ? [{ key: 'interpreter', kind: 'interpreter', languages: interpreted }] : []),
    ...waiting.map((facts) => ({ ...facts, key: `referral/${textAt(facts, 'id')}`, kind: 'referral' })),
  ];
}

function performerOf(referral: JsonObject, find: Find): string | undefined {
  return (
    textAt(referral, 'organizationId') ?? textAt(pointedAt(find, referral, 'serviceId', 'service'), 'organizationId')
  );
}
