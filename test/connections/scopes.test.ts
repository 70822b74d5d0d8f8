// SMART scopes in both spellings.

import { expect, test } from '@jest/globals';
import { allowedActions, missingScopes, parseScope } from '../../src/connections/scopes.ts';

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
