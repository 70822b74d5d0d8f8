// OperationOutcomes: the one we answer, and the gravest issue of those that servers answer.

import { expect, test } from '@jest/globals';
import { checkBase, operationOutcome, worstIssue } from '../../src/fhir/fhir.ts';

test('an outcome of ours is a valid OperationOutcome', () => {
  const outcome = operationOutcome('error', 'required', 'status is required', 'Task.status');
  expect(checkBase(outcome)).toEqual([]);
  expect(worstIssue(outcome)).toEqual({
    severity: 'error',
    code: 'required',
    text: 'status is required',
    expression: ['Task.status'],
  });
});

test('the gravest issue counts, the first of equals', () => {
  const issue = ['information', 'error', 'fatal', 'fatal'].map((severity, at) => ({ severity, code: `c${at}` }));
  expect(worstIssue({ resourceType: 'OperationOutcome', issue })).toMatchObject({ severity: 'fatal', code: 'c2' });
});

test('text comes from details, else diagnostics, else the coding', () => {
  const read = (issue: { [name: string]: string | object }) =>
    worstIssue(JSON.parse(JSON.stringify({ resourceType: 'OperationOutcome', issue: [issue] })))?.text;
  expect(read({ details: { text: 'a', coding: [{ display: 'c' }] }, diagnostics: 'b' })).toBe('a');
  expect(read({ details: { coding: [{ display: 'c', code: 'd' }] } })).toBe('c');
  expect(read({ diagnostics: 'b' })).toBe('b');
  expect(read({ code: 'exception' })).toBe('');
});

test('an unknown severity is taken as an error', () => {
  expect(worstIssue({ resourceType: 'OperationOutcome', issue: [{ severity: 'grave', code: 'x' }] })?.severity).toBe(
    'error',
  );
});

test('what is no outcome, or holds no issue, has no worst issue', () => {
  expect(worstIssue(undefined)).toBeUndefined();
  expect(worstIssue({ resourceType: 'Patient', issue: [{ severity: 'error' }] })).toBeUndefined();
  expect(worstIssue({ resourceType: 'OperationOutcome' })).toBeUndefined();
  expect(worstIssue({ resourceType: 'OperationOutcome', issue: ['x', null] })).toBeUndefined();
});
