import { expect, test } from '@jest/globals';
import { committedRecordTypes, recordTypesSource } from '../../scripts/make-record-types.ts';

test('the interfaces are those that the schemas give (else: node scripts/make-record-types.ts)', async () => {
  expect(await committedRecordTypes()).toBe(await recordTypesSource());
});
