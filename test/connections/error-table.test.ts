// The table of ehr-behaviour 6.3, one line for each thing that it names. How kinds of request differ in the rest is in classify.test.ts; what
// each class does to a lane is in test/lanes (refused, retrying, bad-replies, gone, no-lost-update, create-once).

import { afterEach, describe, expect, test } from '@jest/globals';
import {
  classify,
  type Fault,
  type FhirReply,
  isSearchResult,
  type ReplyClass,
  type RequestKind,
  vendors,
} from '../../src/connections/connections.ts';
import { makeFault, networkFault } from '../../src/connections/faults.ts';
import { bundle, connectTo, outcome, startServer, stopAll } from './fhir-server.ts';

afterEach(stopAll);

const { epic, oracle, standard } = vendors;
const methods = { read: 'GET', search: 'GET', create: 'POST', update: 'PUT', transaction: 'POST' } as const;
const status = (code: number, body?: FhirReply['body']): FhirReply => ({ status: code, headers: {}, body });
const coded = (code: string, http = 400) => status(http, outcome('fatal', 'processing', code));
const page = (code: number) =>
  makeFault('not-json', true, 'connection-not-fhir', { host: 'x', status: code, found: 'text/html' }, { status: code });
const lost = (sent: boolean) => networkFault('ECONNRESET', sent, 'x');
const late = makeFault('timeout', true, 'connection-timeout', { host: 'x' });
const auth = (code: Parameters<typeof makeFault>[2]) =>
  makeFault('auth', false, code, { host: 'x', clocks: '', status: 400 });

type Line = readonly [when: string, vendor: typeof epic, kind: RequestKind, reply: FhirReply | Fault];

// A renewed token after a 401, and a second try after a bare 400 of a token endpoint, are the client's own: see smart-backend.test.ts.
const table: Readonly<Record<Exclude<ReplyClass, 'ok'>, readonly Line[]>> = {
  'retry-now-once': [['a reset before any byte on GET', standard, 'read', lost(false)]],
  'retry-backoff': [
    ['429', oracle, 'create', status(429)],
    ['423', oracle, 'update', status(423)],
    ['502 on a read', standard, 'read', status(502)],
    ['503 on a read', standard, 'search', status(503)],
    ['504 on a read', oracle, 'read', status(504)],
    ['500 on a read without a permanent code', standard, 'read', status(500, outcome('error', 'exception'))],
    ['59177, an internal error', epic, 'read', coded('59177', 500)],
    ['a timeout on a read', standard, 'read', late],
    ['HTML on a read', epic, 'read', page(503)],
    ['HTML with 200 on a read', standard, 'search', page(200)],
  ],
  'unknown-outcome': [
    ['a timeout on a write', standard, 'create', late],
    ['a reset on a write', standard, 'update', lost(true)],
    ['5xx on a write', oracle, 'create', status(503)],
    ['5xx on a transaction', standard, 'transaction', status(500)],
    ['HTML with 200 on a write', standard, 'create', page(200)],
    [
      'JSON that is cut, on a write',
      standard,
      'update',
      makeFault(
        'not-json',
        true,
        'connection-not-fhir',
        { host: 'x', status: 200, found: 'JSON that is cut or broken' },
        { status: 200 },
      ),
    ],
    ['59177, an internal error, on a write', epic, 'create', coded('59177', 500)],
    ['201 without Location', standard, 'create', status(201)],
  ],
  conflict: [
    ['409', oracle, 'update', status(409)],
    ['409 on a create', standard, 'create', status(409)],
    ['412 with a stale tag', standard, 'update', status(412)],
  ],
  permanent: [
    ['400', standard, 'create', status(400)],
    ['404 on create', epic, 'create', status(404, outcome('fatal', 'not-found'))],
    ['405', standard, 'update', status(405)],
    ['406', oracle, 'read', status(406)],
    ['413', standard, 'create', status(413)],
    ['415', oracle, 'update', status(415)],
    ['422', oracle, 'create', status(422)],
    ['424', oracle, 'update', status(424)],
    ['501', standard, 'create', status(501)],
    ['59159, a business rule', epic, 'create', coded('59159')],
    ['59188, a flowsheet', epic, 'create', coded('59188')],
    ['412 without a tag', oracle, 'update', status(412)],
  ],
  gone: [
    ['404 on a linked resource', standard, 'read', status(404)],
    ['410 on a linked resource', standard, 'update', status(410)],
  ],
  denied: [
    ['403', standard, 'create', status(403)],
    ['4118', epic, 'read', coded('4118', 403)],
    ['4130', epic, 'read', coded('4130', 403)],
    ['4131', epic, 'read', coded('4131', 403)],
  ],
  config: [
    ['unauthorized_client', epic, 'create', auth('connection-client-not-allowed')],
    ['invalid_scope', oracle, 'create', auth('connection-scopes-refused')],
    ['a wrong tenant', oracle, 'read', page(403)],
    ['a key that is not known', epic, 'create', auth('connection-client-unknown')],
    ['a key that cannot sign', standard, 'read', auth('connection-key-unusable')],
    ['401 with a fresh token', standard, 'create', status(401)],
  ],
};

describe.each(Object.entries(table))('%s', (expected, lines) => {
  test.each(lines)('%s', (_when, vendor, kind, reply) => {
    const found = classify(vendor, { method: methods[kind], kind }, reply);
    expect(found.class).toBe(expected);
    expect(found.reason?.text).toMatch(/\S/);
  });
});

describe('partial', () => {
  test.each([
    ['59204', 'epic'],
    ['59205', 'epic'],
    ['4119', 'epic'],
    ['suppressed', 'oracle'],
    ['suppressed', 'standard'],
  ] as const)('%s at %s: what came is there, and nothing follows from what is missing', async (code, vendor) => {
    const note = code === 'suppressed' ? outcome('warning', code) : outcome('warning', 'informational', code);
    const found = bundle([{ resourceType: 'Goal', id: 'g1' }, note]);
    const server = await startServer(() => ({ body: found }));
    const result = await connectTo(server, { vendor }).client.searchAll('Goal', {});
    expect(isSearchResult(result) && result.resources.map(({ id }) => id)).toEqual(['g1']);
    expect(result).toMatchObject({ complete: false });
  });
});
