// The builders' story as a source sends it: records of one case with all that it points at.

import type { JsonObject } from '../../src/json.ts';
import { type CheckedRecord, parseRecord, type RecordType } from '../../src/records/records.ts';
import { aCarePlan, aCase, aClient, aGoal, aNeed, anOrganization, aReferral, aService, aWorker } from '../builders.ts';

export type Item = readonly [RecordType, JsonObject];

/** Records as the HTTP interface has them after parsing, from a source in New York. @throws what is wrong with the first that is wrong */
export function checked(items: readonly Item[], now = new Date('2026-06-01T00:00:00Z')): CheckedRecord[] {
  return items.map(([type, value]) => {
    const parsed = parseRecord(type, value, { now, timeZone: 'America/New_York' });
    if (!parsed.ok) throw new Error(`${type}: ${JSON.stringify(parsed.errors)}`);
    return { type, record: parsed.record };
  });
}

/** Everything that the builders' case points at, linked before the case itself is looked at. */
export function directoryAndClient(): Item[] {
  const agency = anOrganization({ id: 'org-riverside', name: 'Riverside Family Services', kind: 'case-management' });
  return [
    ['organization', agency],
    ['organization', anOrganization()],
    ['worker', aWorker()],
    ['service', aService()],
    ['client', aClient()],
  ];
}

export function caseWithReferral(): Item[] {
  return [
    ['case', aCase()],
    ['need', aNeed()],
    ['goal', aGoal()],
    ['referral', aReferral()],
    ['carePlan', aCarePlan()],
  ];
}

/** One case with all that it points at, in natural order. */
export function caseload(): Item[] {
  return [...directoryAndClient(), ...caseWithReferral()];
}

/** What `caseload()` becomes on a server that takes everything. */
export const slotsOfCaseload = [
  'county/organization/org-riverside#organization',
  'county/organization/org-pantry#organization',
  'county/worker/worker-okafor#practitioner',
  'county/worker/worker-okafor#role',
  'county/service/service-groceries#service',
  'county/client/client-rosa#patient',
  'county/case/case-rosa#episode',
  'county/case/case-rosa#team',
  'county/need/need-food#condition',
  'county/goal/goal-meals#goal',
  'county/referral/referral-pantry#request',
  'county/referral/referral-pantry#fulfilment',
  'county/carePlan/plan-rosa#plan',
];

/** The types of resource that the case itself becomes. */
export const caseTypes = ['EpisodeOfCare', 'CareTeam', 'Condition', 'Goal', 'ServiceRequest', 'Task', 'CarePlan'];
