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

/** The records of so many cases. From edition 1 on every record says something else that FHIR carries. */
export function cases(count: number, edition: number): Line[] {
  return Array.from({ length: count }, (_, n) => oneCase(n, edition)).flat();
}

function oneCase(n: number, edition: number): Line[] {
  const ids = { clientId: `client-${n}`, caseId: `case-${n}` };
  const links = { needIds: [`need-${n}`], goalIds: [`goal-${n}`] };
  const changed = edition === 0 ? {} : { updatedAt: `2026-02-10T10:00:${String(edition).padStart(2, '0')}-05:00` };
  const words = `edition ${edition}`;
  const names = [{ use: 'legal' as const, given: ['Rosa'], family: `Delgado${letters(n)}` }];
  const addresses = [{ id: 'home', use: 'home' as const, lines: [words], city: 'Albany', state: 'NY', country: 'US' }];
  const openedOn = `2026-02-0${1 + edition}`;
  return [
    {
      type: 'client',
      record: aClient({ id: ids.clientId, names, birthDate: day(n), identifiers: [], addresses, ...changed }),
    },
    { type: 'case', record: aCase({ id: ids.caseId, clientId: ids.clientId, openedOn, ...changed }) },
    { type: 'need', record: aNeed({ id: `need-${n}`, ...ids, description: words, ...changed }) },
    { type: 'goal', record: aGoal({ id: `goal-${n}`, ...ids, needIds: links.needIds, statement: words, ...changed }) },
    { type: 'carePlan', record: aCarePlan({ id: `plan-${n}`, ...ids, ...links, title: words, ...changed }) },
    {
      type: 'referral',
      record: aReferral({ id: `referral-${n}`, ...ids, ...links, requestedText: words, ...changed }),
    },
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
