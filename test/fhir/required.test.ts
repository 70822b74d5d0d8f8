// What a profile demands by path, and what its check leaves to the server.

import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { baseNotEvaluated } from '../../src/fhir/check-base.ts';
import { isKnownResource } from '../../src/fhir/elements.ts';
import { baseFacts } from '../../src/fhir/facts.ts';
import { mustSupportPaths, notEvaluated, profileIds, requiredPaths, shippedProfiles } from '../../src/fhir/fhir.ts';
import { validResources } from './valid-resources.ts';

test('required paths are those of base R4 and the profile; below an optional element they hang on it', () => {
  expect(requiredPaths('us-core-patient')).toEqual(
    expect.arrayContaining([
      { path: 'identifier', address: 'identifier', min: 1 },
      { path: 'identifier.system', address: 'identifier.system', min: 1 },
      { path: 'telecom.system', address: 'telecom.system', min: 1, when: 'telecom' },
      { path: 'link.other', address: 'link.other', min: 1, when: 'link' },
    ]),
  );
});

test('a required slice is named by its address, and so is what it requires', () => {
  expect(requiredPaths('SDOHCC-Consent')).toContainEqual({ path: 'category', address: 'category:IDSCL', min: 1 });
  expect(requiredPaths('SDOHCC-HealthcareService')).toContainEqual({
    path: 'telecom.value',
    address: 'telecom:AppointmentContact.value',
    min: 1,
  });
  expect(requiredPaths('SDOHCC-TaskForReferralManagement')).toContainEqual({
    path: 'output.value[x]',
    address: 'output:PerformedActivityReference.value[x]:valueReference',
    min: 1,
    when: 'output:PerformedActivityReference',
  });
});

test('what R4 requires of every item is not said again for each slice', () => {
  const addresses = requiredPaths('SDOHCC-TaskForReferralManagement').map(({ address }) => address);
  expect(addresses).toContain('output.type');
  expect(addresses).not.toContain('output:PerformedActivityReference.type');
});

test('a choice stands by its definition name, and a resource type gives base R4 alone', () => {
  expect(requiredPaths('SDOHCC-Consent')).toContainEqual({ path: 'source[x]', address: 'source[x]', min: 1 });
  expect(requiredPaths('Goal').map(({ path }) => path)).toEqual(['lifecycleStatus', 'description', 'subject']);
  expect(requiredPaths('no-such-profile')).toEqual([]);
});

test('must-support paths come as the guide lists them', () => {
  expect(mustSupportPaths('us-core-careplan')).toEqual([
    'text',
    'text.status',
    'text.div',
    'status',
    'intent',
    'category',
    'category:AssessPlan',
    'subject',
  ]);
});

test('what a check cannot decide is listed: slices by profile, codes of open systems, value sets nobody ships', () => {
  const left = notEvaluated('SDOHCC-Condition').join('\n');
  expect(left).toContain('slice Condition.evidence.detail:SupportedDetail');
  expect(left).toMatch(
    /codes of .*http:\/\/snomed\.info\/sct in value set .*us-core-condition-code of Condition\.code/,
  );
  expect(notEvaluated('us-core-patient').join('\n')).toContain('omb-race-category');
  expect(notEvaluated('us-core-practitioner')).toEqual([]);
});

test('what is not evaluated is exactly what docs/guides.md lists; there is no invariant among it', () => {
  const left = new Map<string, string[]>();
  for (const profile of profileIds()) {
    for (const line of isKnownResource(shippedProfiles.byId(profile)?.facts.type ?? '') ? notEvaluated(profile) : []) {
      left.set(line, [...new Set([...(left.get(line) ?? []), profile])].sort());
    }
  }
  const lines = [...left].map(([line, profiles]) => `- \`${line}\` (${profiles.join(', ')})`);
  const page = readFileSync(new URL('../../docs/guides.md', import.meta.url), 'utf8');
  const [, listed = ''] = page.split('## What is not evaluated');
  expect(listed.split('\n').filter((line) => line.startsWith('- `'))).toEqual(lines.sort());
  expect(lines.filter((line) => line.includes('`invariant '))).toEqual([]);
  // Bundle is no type of a record: only what servers answer comes in one.
  const base = Object.keys(baseFacts.types).filter(
    (type) => isKnownResource(type) && baseNotEvaluated(type).length > 0,
  );
  expect(base).toEqual(['Bundle']);
  expect(page).toContain('the invariants of Bundle');
});

test('profile ids are those of resources, not of extensions', () => {
  expect(profileIds()).toEqual(expect.arrayContaining(Object.keys(validResources)));
  expect(profileIds()).not.toContain('us-core-race');
});
