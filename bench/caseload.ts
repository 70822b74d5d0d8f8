// What the bench sends: a directory and many cases, each with a client, a need, a goal, a plan and a referral; and the same, changed.

import { createHash } from 'node:crypto';
import type { JsonObject } from '../src/json.ts';
import type { RecordType } from '../src/records/records.ts';
import {
  aCarePlan,
  aCase,
  aClient,
  aGoal,
  aNeed,
  anOrganization,
  aReferral,
  aService,
  aWorker,
} from '../test/builders.ts';

export interface Line {
  readonly type: RecordType;
  readonly record: JsonObject;
}

/** What every case points at. */
export const directory: readonly Line[] = [
  {
    type: 'organization',
    record: anOrganization({ id: 'org-riverside', name: 'Riverside Family Services', kind: 'case-management' }),
  },
  { type: 'organization', record: anOrganization() },
  { type: 'worker', record: aWorker() },
  { type: 'service', record: aService() },
];

/** What one case makes on a FHIR server: Patient, EpisodeOfCare, two Condition, two Goal, CarePlan, ServiceRequest and Task, and CareTeam. */
export const resourcesOfCase = 10;

/** The records of so many cases, from case number `first` on. */
export function cases(count: number, first = 0): Line[] {
  return Array.from({ length: count }, (_, n) => oneCase(first + n)).flat();
}

/** One changed record for each of so many cases: a plan that says which edition it is. It makes one resource. */
export function edits(count: number, edition: number, first = 0): Line[] {
  const updatedAt = new Date(Date.UTC(2026, 1, 10) + edition * 1000).toISOString();
  return Array.from({ length: count }, (_, n) => ({
    type: 'carePlan',
    record: planOf(first + n, { title: `edition ${edition}`, updatedAt }),
  }));
}

/** Block 0 of the caseload; scale.ts copies its rows as blocks 1, 2 and so on. */
function idOf(name: string, n: number): string {
  return `${name}-0-${n}`;
}

function planOf(n: number, changed: Parameters<typeof aCarePlan>[0] = {}): JsonObject {
  return aCarePlan({ id: idOf('plan', n), ...idsOf(n), ...linksOf(n), ...changed });
}

function linksOf(n: number): { needIds: string[]; goalIds: string[] } {
  return { needIds: [idOf('need', n), idOf('rent', n)], goalIds: [idOf('goal', n), idOf('home', n)] };
}

function idsOf(n: number): { clientId: string; caseId: string } {
  return { clientId: idOf('client', n), caseId: idOf('case', n) };
}

function oneCase(n: number): Line[] {
  const ids = idsOf(n);
  const names = [{ use: 'legal' as const, given: ['Rosa'], family: `Delgado${letters(n)}` }];
  return [
    { type: 'client', record: aClient({ id: ids.clientId, names, birthDate: day(n), identifiers: [] }) },
    { type: 'case', record: aCase({ id: ids.caseId, clientId: ids.clientId }) },
    { type: 'need', record: aNeed({ id: idOf('need', n), ...ids }) },
    {
      type: 'need',
      record: aNeed({ id: idOf('rent', n), ...ids, domain: 'housing-instability', description: 'Behind on rent.' }),
    },
    { type: 'goal', record: aGoal({ id: idOf('goal', n), ...ids, needIds: [idOf('need', n)] }) },
    {
      type: 'goal',
      record: aGoal({
        id: idOf('home', n),
        ...ids,
        needIds: [idOf('rent', n)],
        statement: 'I want to stay in my home.',
      }),
    },
    { type: 'carePlan', record: planOf(n) },
    { type: 'referral', record: aReferral({ id: idOf('referral', n), ...ids, ...linksOf(n) }) },
  ];
}

/** Families of different names, so that nobody is taken for somebody else. */
function letters(n: number): string {
  const hash = createHash('sha256').update(String(n)).digest('hex');
  return hash.slice(0, 8).replaceAll(/\d/g, (digit) => String.fromCharCode('k'.charCodeAt(0) + Number(digit)));
}

function day(n: number): string {
  return new Date(Date.UTC(1950, 0, 1) + n * 86_400_000).toISOString().slice(0, 10);
}
