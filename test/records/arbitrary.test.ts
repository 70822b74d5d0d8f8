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

test.each(recordTypes)('%s: a generated one is accepted as a deletion mark, whole or in part', (type) => {
  fc.assert(
    fc.property(arbitraryRecord(type), fc.func(fc.boolean()), (record, keep) => {
      const kept = Object.entries(record).filter(([name]) => name === 'id' || name === 'updatedAt' || keep(name));
      const mark = { ...Object.fromEntries(kept), deleted: true };
      expect(parseRecord(type, mark, { now: receivedAt })).toEqual({ ok: true, record: mark });
    }),
    { numRuns: 30 },
  );
});
