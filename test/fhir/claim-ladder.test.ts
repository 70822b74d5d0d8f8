// The claim ladder: the first profile that holds is claimed, and each step down says which rules failed.

import { expect, test } from '@jest/globals';
import { checkBase, claimProfile } from '../../src/fhir/fhir.ts';
import { changed, validResources } from './valid-resources.ts';

const usCoreLocation = 'http://hl7.org/fhir/us/core/StructureDefinition/us-core-location';

test('a shelter without an address steps down to US Core, and says why', () => {
  const shelter = changed(validResources['SDOHCC-Location'], { address: undefined });
  expect(claimProfile(shelter, ['SDOHCC-Location', 'us-core-location'])).toEqual({
    claimed: usCoreLocation,
    stepsDown: [
      {
        severity: 'error',
        rule: 'cardinality',
        path: 'Location.address',
        profile: 'SDOHCC-Location',
        message: 'address is required.',
      },
    ],
  });
});

test('what no profile allows claims none, and stays valid by base R4', () => {
  const nameless = { resourceType: 'Location', status: 'active' };
  const { claimed, stepsDown } = claimProfile(nameless, ['SDOHCC-Location', 'us-core-location']);
  expect(claimed).toBeUndefined();
  expect(new Set(stepsDown.map(({ profile }) => profile))).toEqual(new Set(['SDOHCC-Location', 'us-core-location']));
  expect(checkBase(nameless)).toEqual([]);
});

test('an empty ladder claims nothing and fails nothing', () => {
  expect(claimProfile(validResources['SDOHCC-Location'], [])).toEqual({ stepsDown: [] });
});

test('a profile that no guide has is a step down, not a claim', () => {
  const { claimed, stepsDown } = claimProfile(validResources['SDOHCC-Location'], [
    'SDOHCC-Locations',
    'us-core-location',
  ]);
  expect(claimed).toBe(usCoreLocation);
  expect(stepsDown).toMatchObject([{ rule: 'profile', profile: 'SDOHCC-Locations' }]);
});
