// After which failures a run asks the same once more at once (ehr-behaviour 6.3: reads may be repeated).

import { expect, test } from '@jest/globals';
import { type Fault, type FhirReply, isPassing, makeFault } from '../../src/connections/connections.ts';

const host = 'fhir.example.org';
const answered = (status: number, more: Partial<FhirReply> = {}): FhirReply => ({ status, headers: {}, ...more });
const page = (status: number, isBroken?: true): Fault =>
  makeFault('not-json', true, 'connection-not-fhir', { host, status, found: 'a page' }, { status, isBroken });

test.each<[what: string, expected: boolean, reply: FhirReply | Fault]>([
  ['500', true, answered(500)],
  ['502 with the page of a proxy', true, page(502)],
  ['503', true, answered(503)],
  ['504', true, answered(504)],
  ['a reset', true, makeFault('reset', true, 'connection-reset', { host })],
  ['JSON that is cut', true, page(200, true)],
  ['503 that says when to come back', false, answered(503, { retryAfterMs: 1_000 })],
  ['429', false, answered(429)],
  ['501', false, answered(501)],
  ['404', false, answered(404)],
  ['a login page', false, page(200)],
  ['a timeout', false, makeFault('timeout', true, 'connection-timeout', { host })],
  ['a connection that rests', false, { fault: 'resting', sent: false, text: 'It rests.', retryAfterMs: 1_000 }],
  ['an answer', false, answered(200)],
])('%s: %s', (_what, expected, reply) => {
  expect(isPassing(reply)).toBe(expected);
});
