import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parseRecord, recordTypes } from '../../src/records/records.ts';
import { builders, receivedAt } from '../builders.ts';
import { arbitraryRecord } from './arbitrary.ts';

test.each(recordTypes)('%s: the example is accepted', (type) => {
  expect(parseRecord(type, builders[type](), { now: receivedAt })).toEqual({ ok: true, record: builders[type]() });
});

test.each(recordTypes)('%s: a generated one is accepted, and accepted again as it was stored', (type) => {
  fc.assert(
    fc.property(arbitraryRecord(type), (record) => {
      expect(parseRecord(type, record, { now: receivedAt })).toEqual({ ok: true, record });
    }),
    { numRuns: 30 },
  );
});
