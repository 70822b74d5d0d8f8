// What every answer has, and requests that no HTTP client would send. Bad requests by number are in bad-requests.test.ts.

import { get } from 'node:http';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import express from 'express';
import { callerNetwork } from '../../src/http/caller.ts';
import { listen } from '../../src/http/http.ts';
import { sql } from '../../src/store/store.ts';
import { type Harness, head, startHarness, statusAndCode, talk, tokens } from './harness.ts';

let harness: Harness;

beforeAll(async () => {
  harness = await startHarness({ wrongTokensPerMinute: 3 });
});
afterAll(() => harness.stop());

test.each([
  ['an address', '203.0.113.5', '203.0.113.5'],
  ['with the port', '203.0.113.5:49152', '203.0.113.5'],
  ['as the last of several', '198.51.100.7, 203.0.113.5:49153', '203.0.113.5'],
  ['IPv6', '2001:db8:1:2:aaaa::1', '2001:db8:1:2'],
  ['in brackets', '[2001:db8:1:2:bbbb::2]', '2001:db8:1:2'],
  ['in brackets with the port', '[2001:DB8:1:2:cccc::3]:443', '2001:db8:1:2'],
  ['written short', '2001:db8::dddd:1:2:3', '2001:db8:0:0'],
  ['of this machine', '::1', '0:0:0:0'],
  ['IPv4 written as IPv6', '[::ffff:203.0.113.5]:443', '203.0.113.5'],
])('behind a proxy a caller is known by the network that it names: %s', async (_how, forwarded, known) => {
  const app = express().get('/', (request, response) => void response.send(callerNetwork(request, true)));
  const proxied = await listen(app, { port: 0, host: '127.0.0.1' });
  const response = await fetch(proxied.url, { headers: { 'x-forwarded-for': forwarded } });
  const text = await response.text();
  await proxied.close(0);
  expect(text).toBe(known);
});

test('nonsense is answered 400', async () => {
  expect(statusAndCode(await talk(harness, ['hello\r\n\r\n']))).toEqual([400, 'request-malformed']);
});

test('a body that nobody asked for is not waited for', async () => {
  const asked = ['Host: localhost', 'Authorization: Bearer county-token-1', 'Transfer-Encoding: chunked'];
  const list = head('GET /api/cases HTTP/1.1', ...asked);
  expect(statusAndCode(await talk(harness, [list, '1\r\n{\r\n']))).toEqual([200, '']);
  // Of a call that does something it is told from one that is empty, by its first second or its first bytes.
  const enable = head('POST /api/webhooks/county/enable HTTP/1.1', ...asked);
  for (const start of ['1\r\n{\r\n', `41\r\n${' '.repeat(65)}\r\n`])
    expect(statusAndCode(await talk(harness, [enable, start]))).toEqual([400, 'body-unwanted']);
  expect(harness.asked).toEqual([]);
  expect(statusAndCode(await talk(harness, [enable, '2\r\n{}\r\n0\r\n\r\n'], { end: true }))).toEqual([200, '']);
});

test('every answer is guarded', async () => {
  const { headers } = await harness.send(undefined, 'GET', '/health/live');
  expect(headers.get('x-content-type-options')).toBe('nosniff');
  expect(headers.get('content-security-policy')).toContain("default-src 'self'");
  expect(headers.get('x-powered-by')).toBeNull();
  expect(headers.get('access-control-allow-origin')).toBeNull();
  expect(headers.get('casebridge-api')).toBe('1');
  expect(headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
});

test('a request id of the caller is kept, one that could hold anything is not', async () => {
  const ask = async (id: string) =>
    (await harness.send(undefined, 'GET', '/health/live', { headers: { 'x-request-id': id } })).headers.get(
      'x-request-id',
    );
  expect(await ask('call-7')).toBe('call-7');
  expect(await ask('Rosa Delgado')).not.toBe('Rosa Delgado');
});

test('ready tells which part fails, and by which mappings records go', async () => {
  harness.failWith = new Error('away');
  const response = await harness.send(undefined, 'GET', '/health/ready');
  expect([response.status, await response.json()]).toMatchObject([
    503,
    { ready: false, checks: [{ name: 'store', ok: false }] },
  ]);
  harness.failWith = undefined;
  const again = await harness.send(undefined, 'GET', '/health/ready');
  expect([again.status, await again.json()]).toMatchObject([200, { ready: true, mappingVersion: 'a1b2' }]);
});

test('metrics are for Prometheus and count records by outcome', async () => {
  await harness.send('county', 'PUT', '/api/records/case/c1', {
    body: '{}',
    headers: { 'content-type': 'application/json' },
  });
  const response = await harness.send(undefined, 'GET', '/metrics');
  expect(response.headers.get('content-type')).toContain('text/plain');
  expect(await response.text()).toContain('casebridge_records_total{source="county",outcome="refused"} 1');
});

test('tokens cannot be tried out: an address that shows too many wrong ones waits, and keeps nobody out who was let in from there', async () => {
  const ask = async (token: string) => {
    const headers = { authorization: `Bearer ${token}` };
    const response = await fetch(`${harness.url}/api/cases`, { headers });
    await response.arrayBuffer();
    return [response.status, Number(response.headers.get('retry-after'))];
  };
  const fromElsewhere = (token: string) =>
    new Promise((resolve) => {
      const headers = { authorization: `Bearer ${token}` };
      get(`${harness.url}/api/cases`, { localAddress: '127.0.0.2', headers }, (response) => {
        response.resume();
        resolve(response.statusCode);
      });
    });
  await sql`truncate caller_rate`.execute(harness.store.db);
  expect(await ask(tokens.county)).toEqual([200, 0]);
  for (let times = 0; times < 3; times += 1) expect(await ask(`guess-${times}`)).toEqual([401, 0]);

  const [status, seconds = 0] = await ask('guess-3');
  expect(status).toBe(429);
  expect(seconds).toBeGreaterThan(0);
  expect(seconds).toBeLessThanOrEqual(20);
  // A guess that hits is not told from one that does not.
  expect((await ask(tokens.town))[0]).toBe(429);
  expect(await ask(tokens.county)).toEqual([200, 0]);
  expect(await fromElsewhere(tokens.town)).toBe(200);
  expect(await fromElsewhere('guess-4')).toBe(401);
  // Without a token nobody guesses.
  expect((await harness.send(undefined, 'GET', '/api/cases')).status).toBe(401);

  await sql`update caller_rate set until = until - interval '21 seconds'`.execute(harness.store.db);
  expect(await ask(tokens.town)).toEqual([200, 0]);
});
