// Bad requests, by number: each is answered as the list of bad inputs says, and none of them changes anything. Against a gateway that
// listens; what no HTTP client would send is written to the socket by hand. Numbers 21 to 40 are in test/records/bad-json.test.ts.

import { connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { defaultLimits } from '../../src/http/route.ts';
import { routes } from '../../src/http/routes.ts';
import { aCase, aReferral } from '../builders.ts';
import { stateOf } from '../support/store-state.ts';
import {
  asJson,
  asLines,
  type Caller,
  type Harness,
  head,
  hookKey,
  json,
  startHarness,
  statusAndCode,
  talk,
  tokens,
} from './harness.ts';

const path = '/api/records/referral/referral-pantry';
// Newer than what is stored: only the fault of each request keeps it out.
const record = aReferral({
  updatedAt: '2026-02-06T10:00:00-05:00',
  urgency: 'urgent',
  requestedText: 'zq7canaryoftext',
});
const text = JSON.stringify(record);
const type = { 'content-type': 'application/json' };
const authorization = `Authorization: Bearer ${tokens.county}`;
const host = 'Host: localhost';
const json11 = 'Content-Type: application/json';
const chunked = 'Transfer-Encoding: chunked';
const putLine = `PUT ${path} HTTP/1.1`;
const postLine = 'POST /api/records HTTP/1.1';

let harness: Harness;
let before: Awaited<ReturnType<typeof stateOf>>;

beforeAll(async () => {
  harness = await startHarness({ headerMs: 400, bodyMs: 800 });
  for (const [type, value] of [
    ['case', aCase()],
    ['referral', aReferral()],
  ] as const) {
    const stored = await harness.send('county', 'PUT', `/api/records/${type}/${value.id}`, asJson(value));
    expect(stored.status).toBe(202);
  }
});
afterAll(() => harness.stop());

beforeEach(async () => {
  before = await stateOf(harness.store);
});
afterEach(async () => {
  expect(await stateOf(harness.store)).toEqual(before);
  expect(harness.asked).toEqual([]);
  const log = harness.log.join('');
  expect(log).not.toContain('request failed');
  expect(log).not.toMatch(/zq7canary|secret-of-nobody/);
});

interface Asked extends RequestInit {
  readonly caller?: Caller | null;
}

/** Status and code of the answer, which is a problem (RFC 9457) without content and without a stack. */
async function answered(address: string, { caller = 'county', method = 'PUT', ...init }: Asked = {}) {
  const response = await harness.send(caller ?? undefined, method, address, init);
  return [response.status, (await problemIn(response)).code];
}

async function problemIn(response: Response) {
  expect(response.headers.get('content-type')).toMatch('application/problem+json');
  const problem = await json(response);
  expect(problem).toMatchObject({ status: response.status, detail: expect.any(String), requestId: expect.any(String) });
  expect(JSON.stringify(problem)).not.toMatch(/zq7canary|node_modules|\bat .*:\d+:\d+/);
  return problem;
}

/** The same of a request by hand; the server has closed the connection. */
async function heard(parts: readonly (string | Buffer)[], options?: { end: boolean }) {
  const answer = await talk(harness, parts, options);
  expect(answer).not.toContain('zq7canary');
  expect(answer).toMatch(/^casebridge-api: 1\r$/im);
  return statusAndCode(answer);
}

const body = { body: text, headers: type };

test('1: no body is answered 400', async () => {
  const missing = [400, 'body-missing'];
  expect(await answered(path, { headers: type })).toEqual(missing);
  expect(await answered('/api/records', { method: 'POST', headers: type })).toEqual(missing);
  for (const line of [putLine, postLine]) {
    const empty = [head(line, host, authorization, json11, chunked, 'Connection: close'), '0\r\n\r\n'];
    expect(await heard(empty)).toEqual(missing);
  }
});

test('2: a wrong or missing Content-Type is answered 415', async () => {
  const unknown = [415, 'media-type-unknown'];
  expect(await answered(path, { body: new Blob([text]) })).toEqual(unknown);
  for (const wrong of ['text/plain', 'text/csv', 'application/jsonx', 'application/json; charset=latin1']) {
    const headers = { 'content-type': wrong };
    expect(await answered(path, { body: text, headers })).toEqual(unknown);
    expect(await answered('/api/records', { method: 'POST', body: text, headers })).toEqual(unknown);
  }
});

test('3: a body above 5 MB is answered 413 before it was sent, and the connection is closed', async () => {
  expect(defaultLimits.bodyBytes).toBe(5_000_000);
  const large = [413, 'body-too-large'];
  expect(await heard([head(putLine, host, authorization, json11, 'Content-Length: 5000001')])).toEqual(large);
  expect(await answered(path, { body: `"${' '.repeat(5_000_000)}"`, headers: type })).toEqual(large);
  const chunk = `${(100_000).toString(16)}\r\n${' '.repeat(100_000)}\r\n`;
  const endless = [head(putLine, host, authorization, json11, chunked), ...Array(52).fill(chunk)];
  expect(await heard(endless)).toEqual(large);
});

test('the log says 413 of a caller that closes once it has read the answer, and has not sent the rest', async () => {
  const logged = harness.log.length;
  const socket = connect(Number(new URL(harness.url).port), '127.0.0.1');
  socket.write(head(putLine, host, authorization, json11, 'Content-Length: 5000001'));
  let answer = '';
  for await (const chunk of socket) {
    answer += chunk;
    if (answer.includes('body-too-large')) break;
  }
  const told = () => harness.log.slice(logged).find((entry) => entry.includes('"msg":"request"'));
  await until(() => told() !== undefined);
  expect(JSON.parse(told() ?? '')).toMatchObject({ status: 413 });
});

test('4: a gzip bomb is answered 413', async () => {
  const bomb = gzipSync(' '.repeat(50_000_000));
  const zipped = [
    authorization,
    json11,
    'Content-Encoding: gzip',
    `Content-Length: ${bomb.length}`,
    'Connection: close',
  ];
  for (const line of [putLine, postLine]) {
    expect(await heard([head(line, host, ...zipped), bomb])).toEqual([413, 'body-too-large']);
  }
});

test('5: an unknown Content-Encoding is answered 415, a false one 400', async () => {
  for (const encoding of ['br', 'deflate', 'gzip, gzip']) {
    const headers = { ...type, 'content-encoding': encoding };
    expect(await answered(path, { body: text, headers })).toEqual([415, 'body-encoding-unknown']);
  }
  const headers = { ...type, 'content-encoding': 'gzip' };
  expect(await answered(path, { body: text, headers })).toEqual([400, 'body-encoding-broken']);
});

test('6: a body that does not end is answered 408', async () => {
  expect(defaultLimits.bodyMs).toBe(60_000);
  const start = '1\r\n{\r\n';
  const answers = await Promise.all([
    heard([head(putLine, host, authorization, json11, chunked), start]),
    heard([head(postLine, host, authorization, json11, chunked), start]),
    heard([head(postLine, host, authorization, json11, chunked)]),
    heard([head(putLine, host, authorization, json11, 'Content-Length: 99'), '{']),
  ]);
  expect(answers).toEqual(Array(4).fill([408, 'body-too-slow']));
});

test('7: headers that do not come are answered 408', async () => {
  expect(defaultLimits.headerMs).toBe(10_000);
  const slow = ['GET /health/live HTTP/1.1\r\nHost: a\r\n'];
  expect(await heard(slow)).toEqual([408, 'header-too-slow']);
});

test('8: headers above 16 KB are answered 431', async () => {
  expect(defaultLimits.headerBytes).toBe(16_384);
  const many = Array.from({ length: 20 }, (_, n) => `X-${n}: ${'h'.repeat(1000)}`);
  const large = [431, 'header-too-large'];
  expect(await heard([head(putLine, host, authorization, ...many)])).toEqual(large);
  expect(await heard([head(putLine, host, authorization, `X-One: ${'h'.repeat(17_000)}`)])).toEqual(large);
});

test('9: an address above 8 KB is answered 414', async () => {
  expect(defaultLimits.addressBytes).toBe(8192);
  for (const length of [8192, 20_000]) {
    const long = head(`GET /${'a'.repeat(length)} HTTP/1.1`, host, authorization, 'Connection: close');
    expect(await heard([long])).toEqual([414, 'address-too-long']);
  }
});

test('10: an unknown address is answered 404 with a problem and without a stack', async () => {
  const unknown = [404, 'address-unknown'];
  expect(await answered('/api/nothing', { method: 'GET' })).toEqual(unknown);
  expect(await answered('/zq7canaryofaddress', { method: 'GET', caller: null })).toEqual(unknown);
  expect(await answered('/api/records/referral/a/b', body)).toEqual(unknown);
  for (const target of ['//', '//api/cases', 'http://nowhere:99999/api/nothing', '*']) {
    const asked = head(`GET ${target} HTTP/1.1`, host, authorization, 'Connection: close');
    expect(await heard([asked])).toEqual(unknown);
  }
  // Whatever stands before the path, only the path is looked at.
  const absolute = head('GET http://nowhere:99999/api/cases HTTP/1.1', host, authorization, 'Connection: close');
  expect(await heard([absolute])).toEqual([200, '']);
});

test('whatever is not there under /fhir is answered by an OperationOutcome', async () => {
  for (const address of ['/fhir', '/fhir?_format=json', '/fhir/', '/fhir/R5/Patient']) {
    const response = await harness.send(undefined, 'GET', address);
    expect([response.status, response.headers.get('content-type')]).toEqual([
      404,
      expect.stringContaining('application/fhir+json'),
    ]);
    expect(await json(response)).toMatchObject({ resourceType: 'OperationOutcome', issue: [{ code: 'not-found' }] });
  }
  expect(await answered('/fhirs', { method: 'GET', caller: null })).toEqual([404, 'address-unknown']);
});

test('11: a wrong method is answered 405 and told which are right', async () => {
  for (const [method, address, allowed] of [
    ['DELETE', path, 'PUT, GET'],
    ['PATCH', '/api/records', 'POST'],
    ['OPTIONS', '/api/lanes', 'GET'],
    ['POST', '/health/live', 'GET'],
  ] as const) {
    const response = await harness.send('county', method, address);
    expect([response.status, response.headers.get('allow')]).toEqual([405, allowed]);
    expect(await problemIn(response)).toMatchObject({ code: 'method-not-allowed' });
  }
});

test('12: an id with a slash, of dots, with NUL or of 300 characters is answered 400', async () => {
  const wrong = ['a%2Fb', '%2e%2e%2e', 'a%00', 'a'.repeat(300), 'a%20b', 'a%0Ab', 'zq7canary%C3%A9'];
  for (const id of wrong) {
    expect(await answered(`/api/records/referral/${id}`, body)).toEqual([400, 'parameter-invalid']);
    expect(await answered(`/api/cases/${id}`, { method: 'GET' })).toEqual([400, 'parameter-invalid']);
  }
  expect(await answered('/api/records/referral/%zz', body)).toEqual([400, 'request-malformed']);
  // As no client would send it.
  const length = `Content-Length: ${Buffer.byteLength(text)}`;
  for (const id of ['..', '%2e%2e', '.']) {
    const line = `PUT /api/records/referral/${id} HTTP/1.1`;
    const dots = head(line, host, authorization, json11, length, 'Connection: close');
    expect(await heard([dots, text])).toEqual([400, 'parameter-invalid']);
  }
});

test('13: another id in the address than in the body is answered 400', async () => {
  const response = await harness.send('county', 'PUT', '/api/records/referral/zq7canaryofid', body);
  expect(response.status).toBe(400);
  expect(await problemIn(response)).toMatchObject({
    code: 'record-id-differs',
    errors: [{ pointer: '/id', rule: 'id-differs', found: 'text of 15 characters' }],
  });
});

test('14: a doubled query parameter is answered 400', async () => {
  for (const query of ['limit=1&limit=2', 'limit=1&limit=1', 'after=a&after=b'])
    expect(await answered(`/api/cases?${query}`, { method: 'GET' })).toEqual([400, 'parameter-doubled']);
});

test('15: an unknown query parameter is answered 400 and told the nearest', async () => {
  expect(await answered(`${path}?sorce=county`, body)).toEqual([400, 'parameter-unknown']);
  const { code, detail } = await problemIn(await harness.send('county', 'GET', '/api/lanes?lmit=1'));
  expect([code, detail]).toEqual(['parameter-unknown', expect.stringContaining('Did you mean "limit"?')]);
  // What is no name is not repeated.
  expect(await answered('/api/cases?zq7canary%20of%20name=1', { method: 'GET' })).toEqual([400, 'parameter-unknown']);
});

test('16: what is no cursor of the list is answered 400, and one that the feed has not reached 410', async () => {
  const cursor = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const wrong = [
    'zzz',
    'a'.repeat(1024),
    cursor({}),
    cursor(['cases', 'county', 'case-1']),
    cursor(['lanes', 1, 2]),
    cursor(['lanes', 'general']),
    cursor(['lanes', 'a\u0000', 'b']),
    cursor(['lanes', '\ud800', 'b']),
    '%00',
  ];
  for (const after of wrong) {
    expect(await answered(`/api/lanes?after=${after}`, { method: 'GET' })).toEqual([400, 'cursor-invalid']);
  }
  for (const key of [1.5, 2 ** 60, '1']) {
    const address = `/api/changes?after=${cursor(['changes', key])}`;
    expect(await answered(address, { method: 'GET' })).toEqual([400, 'cursor-invalid']);
  }
  expect(await answered(`/api/lanes?after=${'a'.repeat(1025)}`, { method: 'GET' })).toEqual([400, 'parameter-invalid']);
  const ahead = `/api/changes?after=${cursor(['changes', 7])}`;
  expect(await answered(ahead, { method: 'GET' })).toEqual([410, 'cursor-expired']);
});

test("17: no token is answered 401, a wrong permission 403, another source's id 404", async () => {
  expect(await answered(path, { ...body, caller: null })).toEqual([401, 'token-missing']);
  const headers = { ...type, authorization: 'Bearer secret-of-nobody' };
  expect(await answered(path, { ...body, headers, caller: null })).toEqual([401, 'token-unknown']);
  const early = head(putLine, host, json11, 'Content-Length: 9000000');
  expect(await heard([early])).toEqual([401, 'token-missing']);

  expect(await answered(path, { ...body, caller: 'configurer' })).toEqual([403, 'operator-cannot-write']);
  const lines = { ...asLines({ type: 'referral', record }), method: 'POST' };
  expect(await answered('/api/records', { ...lines, caller: 'reader' })).toEqual([403, 'operator-cannot-write']);
  const pause = { method: 'POST', caller: 'reader' } as const;
  expect(await answered('/api/connections/general/pause', pause)).toEqual([403, 'permission-missing']);

  const town = { method: 'GET', caller: 'town' } as const;
  for (const theirs of [path, '/api/cases/case-rosa', '/api/cases/case-rosa/bundle']) {
    expect(await answered(theirs, town)).toEqual([404, 'record-unknown']);
    expect(await answered(`${theirs}?source=county`, town)).toEqual([404, 'source-unknown']);
  }
});

test('18: a Content-Length that is not so, or beside chunks, is answered 400 and the connection closed', async () => {
  const malformed = [400, 'request-malformed'];
  const start = [putLine, host, authorization, json11];
  expect(await heard([head(...start, chunked, 'Content-Length: 2'), '{}'])).toEqual(malformed);
  expect(await heard([head(...start, 'Content-Length: 2', 'Content-Length: 3'), '{}'])).toEqual(malformed);
  expect(await heard([head(...start, 'Content-Length: 2x'), '{}'])).toEqual(malformed);
  // More was announced than came before the caller said that this was all.
  expect(await heard([head(...start, 'Content-Length: 99'), '{'], { end: true })).toEqual(malformed);
  // Less was announced than came: the record is cut, and what is left is no request.
  expect(await heard([head(...start, 'Content-Length: 40'), text])).toEqual(malformed);
});

test('19: an answer that is not offered is answered 406', async () => {
  const headers = { ...type, accept: 'text/html' };
  expect(await answered(path, { body: text, headers })).toEqual([406, 'answer-type-unknown']);
  const lines = { method: 'POST', body: text, headers: { ...type, accept: 'text/html' } };
  expect(await answered('/api/records', lines)).toEqual([406, 'answer-type-unknown']);
  expect(await answered('/metrics', { method: 'GET', headers: { accept: 'image/png' } })).toEqual([
    406,
    'answer-type-unknown',
  ]);
});

test('20: of a caller that hangs up in the middle of the body nothing is stored, and no fault is logged', async () => {
  const logged = harness.log.length;
  const length = `Content-Length: ${Buffer.byteLength(text) + 100}`;
  const line = JSON.stringify({ type: 'referral', record });
  const zipped = gzipSync(text);
  const cut = [
    [head(putLine, host, authorization, json11, length), text],
    [head(putLine, host, authorization, json11, 'Content-Encoding: gzip', length), zipped],
    [head(postLine, host, authorization, json11, length), line.slice(0, -1)],
  ];
  for (const parts of cut) await hangUp(parts);
  await until(() => harness.log.slice(logged).filter((entry) => entry.includes('"msg":"request"')).length === 3);
});

test('a body of a call that takes none is refused, of whatever type, and nothing is done', async () => {
  const lane = '/api/lanes/general/county.case.case-rosa';
  const stale = `/api/records/referral/referral-pantry/stale/${'a'.repeat(64)}/accept?source=county`;
  const calls: readonly (readonly [Caller, string])[] = [
    ['runner', `${lane}/run`],
    ['runner', `${lane}/retry`],
    ['configurer', '/api/connections/general/pause'],
    ['configurer', '/api/connections/general/drain'],
    ['configurer', '/api/connections/general/resume'],
    ['decider', stale],
    ['county', '/api/webhooks/county/test'],
    ['county', '/api/webhooks/county/enable'],
    ['runner', '/api/partner-links/AAAAAAAAAAAA/revoke'],
    ['runner', '/api/partner-messages/1/retry'],
    ['runner', '/api/partner-messages/1/withdraw'],
  ];
  for (const [caller, address] of calls)
    expect(await answered(address, { caller, method: 'POST', ...asJson({ dryRun: true }) })).toEqual([
      400,
      'body-unwanted',
    ]);
  const bodies: readonly RequestInit[] = [
    { body: '{zq7canary', headers: type },
    { body: '[]', headers: type },
    { body: 'null', headers: type },
    { body: 'dryRun=true', headers: { 'content-type': 'application/x-www-form-urlencoded' } },
    { body: gzipSync('{"dryRun":true}'), headers: { ...type, 'content-encoding': 'gzip' } },
    { body: '{}', headers: { ...type, 'content-encoding': 'gzip' } },
    { body: ' '.repeat(6_000_000), headers: { 'content-type': 'text/plain' } },
  ];
  for (const sent of bodies)
    expect(await answered(`${lane}/run`, { caller: 'runner', method: 'POST', ...sent })).toEqual([
      400,
      'body-unwanted',
    ]);
  const { detail } = await problemIn(await harness.send('runner', 'POST', `${lane}/run`, asJson({ dryRun: true })));
  expect(detail).toContain('goes into the address: ?dryRun=');
});

test('an empty body or {} of a call that takes none is no fault', async () => {
  const retry = '/api/lanes/general/county.case.case-rosa/retry';
  for (const sent of [{}, { body: '', headers: type }, { body: ' { }\n', headers: type }, { body: new Blob(['{}']) }])
    expect(await answered(retry, { caller: 'runner', method: 'POST', ...sent })).toEqual([
      409,
      'lane-nothing-to-retry',
    ]);
});

test('a NUL is no value of any parameter, in the address or behind it', async () => {
  const samples: Readonly<Record<string, string>> = {
    type: 'case',
    id: 'case-rosa',
    source: 'county',
    connection: 'general',
    subject: 'county.case.case-rosa',
    resource: 'Task',
    subscribed: 'Task',
    key: hookKey,
  };
  const refused: [string, number][] = [];
  for (const { method, path, query = [], access } of routes) {
    const caller =
      typeof access === 'string' ? undefined : access.source ? 'county' : callerOf[access.operator ?? 'read'];
    const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name);
    const filled = (without?: string) =>
      path.replaceAll(/\{(\w+)\}/g, (_all, name) => (name === without ? '%00' : (samples[name] ?? '1')));
    for (const address of [...names.map(filled), ...query.map((name) => `${filled()}?${name}=%00`)]) {
      const response = await harness.send(caller, method, address);
      await response.arrayBuffer();
      refused.push([`${method} ${address}`, response.status]);
    }
  }
  expect(refused.length).toBeGreaterThan(100);
  expect(refused.filter(([, status]) => ![400, 401, 404, 415].includes(status))).toEqual([]);
});

const callerOf = { read: 'reader', run: 'runner', decide: 'decider', configure: 'configurer' } as const;

/** Sends it and breaks the connection once the server has begun to read. */
async function hangUp(parts: readonly (string | Buffer)[]): Promise<void> {
  const socket = connect(Number(new URL(harness.url).port), '127.0.0.1');
  socket.on('error', () => {});
  for (const part of parts) await new Promise((resolve) => socket.write(part, resolve));
  await new Promise((resolve) => setTimeout(resolve, 50));
  socket.resetAndDestroy();
}

async function until(condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 5000;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error('not within 5 seconds');
    await new Promise((resolve) => setImmediate(resolve));
  }
}
