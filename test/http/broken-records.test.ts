// Records that are wrong in one place, as a source would send them: each is refused by its place and rule, nothing of any is stored, and neither the
// answers nor the log repeat what was sent. A good record among them is taken.

import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { recordTypes } from '../../src/records/records.ts';
import { aReferral } from '../builders.ts';
import { brokenValues, mark } from '../records/broken-values.ts';
import { repeats } from '../records/repeats.ts';
import { asLines, type Harness, lines, startHarness } from './harness.ts';

let harness: Harness;

beforeAll(async () => {
  harness = await startHarness();
});
afterAll(() => harness.stop());

test('a record that is wrong in one place leaves no trace but its refusal', async () => {
  const cases = recordTypes.flatMap((type) => brokenValues(type).map((one) => ({ type, ...one })));
  const sent = cases.map(({ type, record }) => ({ type, record }));
  const good = { type: 'referral', record: aReferral({ id: 'good' }) };

  const answers = await lines(await harness.send('county', 'POST', '/api/records', asLines(...sent, good)));

  const wrong = cases.flatMap(({ type, pointer, rule, value }, at) => {
    const { line, outcome, errors = [] } = answers[at] ?? {};
    const isNamed = Array.isArray(errors) && errors.some((error) => error.pointer === pointer && error.rule === rule);
    const isRight = line === at + 1 && outcome === 'refused' && isNamed && !repeats(answers[at], value);
    return isRight ? [] : [{ type, pointer, rule, answer: answers[at] }];
  });
  expect(wrong).toEqual([]);
  expect(answers.at(-1)).toEqual({ done: true, accepted: 1, unchanged: 0, stale: 0, refused: cases.length });

  const { db } = harness.store;
  for (const table of ['record', 'record_version'] as const) {
    expect(await db.selectFrom(table).select('id').execute()).toEqual([{ id: 'good' }]);
  }
  expect(await db.selectFrom('stale_record').selectAll().execute()).toEqual([]);
  expect(await db.selectFrom('lane').select('subject').execute()).toHaveLength(1);
  expect(harness.log.join('\n')).not.toContain(mark);
});
