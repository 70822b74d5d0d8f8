// SMART scopes in both spellings.

import { describe, expect, test } from '@jest/globals';
import {
  allowedActions,
  filteredScopes,
  missingScopes,
  parseScope,
  spellScopes,
} from '../../src/connections/scopes.ts';

test.each<[string, string, string[]]>([
  ['system/Patient.read', 'Patient', ['read', 'search']],
  ['system/Patient.write', 'Patient', ['create', 'update', 'delete']],
  ['system/Patient.*', 'Patient', ['create', 'read', 'update', 'delete', 'search']],
  ['system/*.read', '*', ['read', 'search']],
  ['system/*.*', '*', ['create', 'read', 'update', 'delete', 'search']],
  ['system/Task.cruds', 'Task', ['create', 'read', 'update', 'delete', 'search']],
  ['system/Task.crus', 'Task', ['create', 'read', 'update', 'search']],
  ['system/*.rs', '*', ['read', 'search']],
  ['system/Goal.c', 'Goal', ['create']],
])('%s', (text, resourceType, actions) => {
  const scope = parseScope(text);
  expect(scope?.resourceType).toBe(resourceType);
  expect([...(scope?.actions ?? [])]).toEqual(actions);
  expect(scope).not.toHaveProperty('filter');
});

test('a filter is kept beside the action', () => {
  const scope = parseScope('system/Condition.c?category=http://terminology.hl7.org/x|problem-list-item');
  expect(scope).toMatchObject({
    resourceType: 'Condition',
    filter: 'category=http://terminology.hl7.org/x|problem-list-item',
  });
});

test.each([
  'patient/Patient.read',
  'user/*.cruds',
  'openid',
  'system/Patient',
  'system/Patient.',
  'system/Patient.crx',
  'system/Patient.readx',
  'system/Patient.r?',
  ' system/Patient.r',
  '',
])('%j grants a backend client nothing', (text) => {
  expect(parseScope(text)).toBeUndefined();
});

test('what is allowed on a type is the sum of its scopes and those of all types', () => {
  const granted = ['system/Task.r', 'system/Task.u', 'system/*.s', 'system/Goal.c', 'launch'];
  expect([...allowedActions(granted, 'Task')].sort()).toEqual(['read', 'search', 'update']);
  expect([...allowedActions(granted, 'Patient')]).toEqual(['search']);
  expect([...allowedActions([], 'Task')]).toEqual([]);
});

test('what was asked for and not granted is found across spellings', () => {
  const granted = ['system/Patient.rs', 'system/Task.c', 'system/Task.r', 'system/Task.u', 'system/Task.s', 'fhirUser'];
  const wanted = [
    'system/Patient.read',
    'system/Task.crus',
    'system/Patient.write',
    'system/Goal.rs',
    'system/*.rs',
    'fhirUser',
    'openid',
  ];
  expect(missingScopes(wanted, granted)).toEqual(['system/Patient.write', 'system/Goal.rs', 'system/*.rs', 'openid']);
});

describe('a grant that is limited to a search', () => {
  const vitals = 'category=http://terminology.hl7.org/CodeSystem/observation-category|vital-signs';
  const survey = 'category=http://terminology.hl7.org/CodeSystem/observation-category|survey';
  const granted = [`system/Observation.c?${vitals}`, 'system/Observation.rs'];

  test('counts for that search only', () => {
    expect([...allowedActions(granted, 'Observation')].sort()).toEqual(['read', 'search']);
    expect([...allowedActions(granted, 'Observation', survey)].sort()).toEqual(['read', 'search']);
    expect([...allowedActions(granted, 'Observation', vitals)].sort()).toEqual(['create', 'read', 'search']);
  });

  test('is missing where more was asked for, and named as it is', () => {
    const wanted = ['system/Observation.c', `system/Observation.c?${survey}`, `system/Observation.c?${vitals}`];
    expect(missingScopes(wanted, granted)).toEqual(wanted.slice(0, 2));
    expect(filteredScopes(granted)).toEqual([`system/Observation.c?${vitals}`]);
  });

  test('is the same whether it comes encoded or not', () => {
    const encoded = `system/Observation.c?category=${encodeURIComponent(vitals.slice('category='.length))}`;
    expect(missingScopes([`system/Observation.c?${vitals}`], [encoded])).toEqual([]);
  });
});

test.each<[string, string[], string[]]>([
  ['system/Patient.rs', ['system/Patient.read'], ['system/Patient.rs']],
  ['system/Task.crus', ['system/Task.write', 'system/Task.read'], ['system/Task.crus']],
  ['system/Task.cruds', ['system/Task.write', 'system/Task.read'], ['system/Task.crus']],
  ['system/Goal.u', ['system/Goal.write'], ['system/Goal.u']],
  ['system/Patient.read', ['system/Patient.read'], ['system/Patient.rs']],
  ['system/Patient.write', ['system/Patient.write'], ['system/Patient.cu']],
  ['system/*.*', ['system/*.write', 'system/*.read'], ['system/*.crus']],
  ['system/Condition.c?category=a|b', ['system/Condition.write'], ['system/Condition.c?category=a|b']],
  ['fhirUser', ['fhirUser'], ['fhirUser']],
])('%s is spelled in version 1 and in version 2', (scope, version1, version2) => {
  expect(spellScopes([scope, scope], 'v1')).toEqual(version1);
  expect(spellScopes([scope, scope], 'v2')).toEqual(version2);
});
