// Every field of every record type broken once in each way: a value outside a closed list or a bound, a reference that is no id, a day that does
// not exist, a text that is too long, a list without items, null, another type. The error names the field and the rule, and nothing of the value.

import { expect, test } from '@jest/globals';
import { recordTypes } from '../../src/records/records.ts';
import { brokenValues } from './broken-values.ts';
import { errorsOf } from './parse.ts';
import { repeats } from './repeats.ts';

test.each(recordTypes)('%s: each field refuses what it must, and says so without the value', (type) => {
  const cases = brokenValues(type);
  const missed = cases.flatMap(({ record, pointer, rule, value }) => {
    const errors = errorsOf(type, record);
    const isNamed = errors.some((error) => error.pointer === pointer && error.rule === rule);
    return isNamed && !repeats(errors, value) ? [] : [{ pointer, rule, value, errors }];
  });
  expect(cases.length).toBeGreaterThan(20);
  expect(missed).toEqual([]);
});
