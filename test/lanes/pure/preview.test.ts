// What is said of a record of which no resource is made.

import { expect, test } from '@jest/globals';
import { projectWith, whyNothing } from '../../../src/lanes/lanes.ts';
import type { RecordType } from '../../../src/records/records.ts';
import { anImprovementIdea, aReferral } from '../../builders.ts';
import { mappings } from '../../mapping/fixtures.ts';

test.each<[string, RecordType, ReturnType<typeof aReferral>, string | undefined]>([
  ['of its type nothing is ever sent', 'improvementIdea', anImprovementIdea(), 'route-unsent'],
  ['it is a draft', 'referral', aReferral({ status: 'draft' }), 'record-makes-nothing'],
  ['it makes some', 'referral', aReferral(), undefined],
])('%s', async (_what, type, record, code) => {
  const [projected] = await projectWith(async () => undefined, {
    source: 'county',
    identifierSystem: 'https://agency.example.org/casebridge',
    identifierSystems: {},
    mappings,
    records: [{ type, record }],
  });
  expect(projected && whyNothing(projected, mappings)?.code).toBe(code);
});
