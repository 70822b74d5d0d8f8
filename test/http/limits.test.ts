// Requests that no HTTP client would send, written to the socket by hand.

import { connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Harness, startHarness, tokens } from './harness.ts';

let harness: Harness;

beforeAll(async () => {
  harness = await startHarness({ headerMs: 300, bodyMs: 300 });
});
afterAll(() => harness.stop());

const authorization = `Authorization: Bearer ${tokens.county}`;
const put = 'PUT /api/records/case/c1 HTTP/1.1';
const post = 'POST /api/records HTTP/1.1';
const json = 'Content-Type: application/json';

function head(...lines: string[]): string {
  return `${lines.join('\r\n')}\r\n\r\n`;
}

/** All that is answered until the server closes the connection. */
function talk(...parts: (string | Buffer)[]): Promise<string> {
  return new Promise((resolve) => {
    const { port } = new URL(harness.url);
    const socket = connect(Number(port), '127.0.0.1');
    let answer = '';
    socket.on('data', (chunk) => {
      answer += chunk;
    });
    socket.on('error', () => {});
    socket.on('close', () => resolve(answer));
    for (const part of parts) socket.write(part);
  });
}

function statusAndCode(answer: string): [string | undefined, string] {
  return [/^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1], /"code":"([a-z-]+)"/.exec(answer)?.[1] ?? ''];
}

const host = 'Host: localhost';
const chunked = 'Transfer-Encoding: chunked';
const many = Array.from({ length: 20 }, (_, n) => `X-${n}: ${'h'.repeat(1000)}`);
const bomb = gzipSync(' '.repeat(50_000_000));

describe('the server answers and closes the connection', () => {
  const rows: [string, (string | Buffer)[], string, string][] = [
    ['headers that do not end', ['GET /health/live HTTP/1.1\r\nHost: a\r\n'], '408', 'header-too-slow'],
    ['headers above 16 KB', [head('GET /health/live HTTP/1.1', host, ...many)], '431', 'header-too-large'],
    [
      'an address above 8 KB',
      [head(`GET /${'a'.repeat(9000)} HTTP/1.1`, host, 'Connection: close')],
      '414',
      'address-too-long',
    ],
    ['an address above 16 KB', [head(`GET /${'a'.repeat(20_000)} HTTP/1.1`, host)], '414', 'address-too-long'],
    ['nonsense', ['hello\r\n\r\n'], '400', 'request-malformed'],
    [
      'both Content-Length and chunks',
      [head(put, host, authorization, json, chunked, 'Content-Length: 2'), '{}'],
      '400',
      'request-malformed',
    ],
    ['a body that does not end', [head(put, host, authorization, json, chunked), '1\r\n{\r\n'], '408', 'body-too-slow'],
    [
      'a body shorter than announced',
      [head(put, host, authorization, json, 'Content-Length: 99'), '{'],
      '408',
      'body-too-slow',
    ],
    [
      'a large body, before it was sent',
      [head(put, host, authorization, json, 'Content-Length: 9000000')],
      '413',
      'body-too-large',
    ],
    ['a stream that never begins', [head(post, host, authorization, json, chunked)], '408', 'body-too-slow'],
    [
      'a stream that is a gzip bomb',
      [
        head(
          post,
          host,
          authorization,
          json,
          'Content-Encoding: gzip',
          `Content-Length: ${bomb.length}`,
          'Connection: close',
        ),
        bomb,
      ],
      '413',
      'body-too-large',
    ],
    [
      'a body that nobody asked for',
      [head('POST /hooks/general/key-of-general HTTP/1.1', host, chunked), '1\r\n{\r\n'],
      '200',
      '',
    ],
    [
      'a wrong token, before the body is read',
      [head(put, host, json, 'Content-Length: 9000000')],
      '401',
      'token-missing',
    ],
  ];
  test.each(rows)('%s', async (_what, parts, status, code) => {
    expect(statusAndCode(await talk(...parts))).toEqual([status, code]);
  });
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

test('ready tells which part fails', async () => {
  harness.failWith = new Error('away');
  const response = await harness.send(undefined, 'GET', '/health/ready');
  expect([response.status, await response.json()]).toMatchObject([
    503,
    { ready: false, checks: [{ name: 'store', ok: false }] },
  ]);
  harness.failWith = undefined;
  expect((await harness.send(undefined, 'GET', '/health/ready')).status).toBe(200);
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
