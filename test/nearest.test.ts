import { expect, test } from '@jest/globals';
import { nearest } from '../src/nearest.ts';

test.each([
  ['famly', ['given', 'family', 'use'], 'family'],
  ['birthdate', ['birthDate', 'birthDateQuality'], 'birthDate'],
  ['refferal', ['referral', 'need'], 'referral'],
  ['organisationId', ['organizationId', 'programName'], 'organizationId'],
  ['colour', ['names', 'birthDate'], undefined],
  ['x', ['id', 'on'], undefined],
  ['anything', [], undefined],
  ['x'.repeat(100_000), ['names'], undefined],
])('the nearest to %.20s of %j is %s', (name, candidates, expected) => {
  expect(nearest(name, candidates)).toBe(expected);
});
