// What goes out and what comes back, one request at a time.

import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, test } from '@jest/globals';
import type { FhirReply, FhirRequest } from '../../src/connections/connections.ts';
import type { Answer } from './fhir-server.ts';
import { connectTo, startBytes, startServer, stopAll } from './fhir-server.ts';

afterEach(stopAll);

const read: FhirRequest = { method: 'GET', path: 'Patient/p1' };
const patient = { resourceType: 'Patient', id: 'p1' };

async function answered(answer: Answer, request: FhirRequest = read) {
  const server = await startServer(() => answer);
  return connectTo(server).client.send(request);
}

async function sentFor(request: FhirRequest) {
  const server = await startServer(() => ({ body: patient }));
  await connectTo(server, { auth: { type: 'bearer', token: 'secret-token' } }).client.send(request);
  return server.arrived[0];
}

describe('what is sent', () => {
  test('a read asks for FHIR JSON, past any cache, with our credentials', async () => {
    const seen = await sentFor(read);
    expect(seen).toMatchObject({ method: 'GET', url: '/r4/Patient/p1', body: '' });
    expect(seen?.headers).toMatchObject({
      accept: 'application/fhir+json',
      authorization: 'Bearer secret-token',
      'cache-control': 'no-cache',
    });
    expect(seen?.headers).not.toHaveProperty('content-type');
    expect(seen?.headers).not.toHaveProperty('prefer');
  });

  test('a write carries its conditions as given and asks for the stored resource', async () => {
    const seen = await sentFor({
      method: 'PUT',
      path: 'Task/t1',
      body: { resourceType: 'Task' },
      ifMatch: 'W/"1-1"',
      ifNoneExist: 'identifier=a|b',
      requestId: 'send-1',
    });
    expect(seen).toMatchObject({ method: 'PUT', body: '{"resourceType":"Task"}' });
    expect(seen?.headers).toMatchObject({
      'content-type': 'application/fhir+json',
      'if-match': 'W/"1-1"',
      'if-none-exist': 'identifier=a|b',
      'x-request-id': 'send-1',
      prefer: 'return=representation',
    });
  });

  test('a patch is a JSON Patch', async () => {
    const seen = await sentFor({ method: 'PATCH', path: 'Task/t1', body: [{ op: 'test', path: '/a', value: 1 }] });
    expect(seen?.headers['content-type']).toBe('application/json-patch+json');
    expect(seen?.body).toBe('[{"op":"test","path":"/a","value":1}]');
  });

  test('a transaction goes to the base address itself', async () => {
    const seen = await sentFor({ method: 'POST', path: '', body: { resourceType: 'Bundle' } });
    expect(seen?.url).toBe('/r4');
  });

  test('basic credentials are encoded as RFC 7617 says', async () => {
    const server = await startServer(() => ({ body: patient }));
    await connectTo(server, { auth: { type: 'basic', user: 'jo', password: 'pé' } }).client.send(read);
    expect(server.arrived[0]?.headers.authorization).toBe(`Basic ${Buffer.from('jo:pé').toString('base64')}`);
  });

  test.each([
    [
      'a value with separators',
      'Patient',
      { identifier: 'urn:a|b&c=d e+f' },
      '/r4/Patient?identifier=urn%3Aa%7Cb%26c%3Dd%20e%2Bf',
    ],
    [
      'a repeated parameter',
      'Task',
      { _lastUpdated: ['ge2026-01-01', 'lt2026-02-01'] },
      '/r4/Task?_lastUpdated=ge2026-01-01&_lastUpdated=lt2026-02-01',
    ],
    ['an id with odd characters', 'Patient/a?b#c d', {}, '/r4/Patient/a%3Fb%23c%20d'],
    ['an operation', 'Patient/$match', {}, '/r4/Patient/$match'],
  ])('%s stays in its place in the URL', async (_name, path, query, url) => {
    expect((await sentFor({ method: 'GET', path, query }))?.url).toBe(url);
  });

  test.each(['Patient/..', '../admin', 'Patient/.'])(
    'the path %s cannot climb out of the base address',
    async (path) => {
      const server = await startServer(() => ({ body: patient }));
      await expect(connectTo(server).client.send({ method: 'GET', path })).rejects.toMatchObject({
        code: 'connection-path-invalid',
      });
      expect(server.arrived).toEqual([]);
    },
  );
});

describe('what is read from a reply', () => {
  test.each([
    'application/json',
    'application/fhir+json; charset=utf-8',
    'application/json+fhir',
    'Application/FHIR+JSON',
  ])('a body of type %s', async (type) => {
    const reply = await answered({ headers: { 'content-type': type }, body: JSON.stringify(patient) });
    expect(reply).toMatchObject({ status: 200, body: patient });
  });

  test('packed with gzip', async () => {
    const headers = { 'content-type': 'application/fhir+json', 'content-encoding': 'gzip' };
    expect(await answered({ headers, body: gzipSync(JSON.stringify(patient)) })).toMatchObject({ body: patient });
  });

  test('65: an empty 201 of type text/html is a good answer, with the id from its Location', async () => {
    const headers = { 'content-type': 'text/html', location: 'Condition/c1', etag: 'W/"0"' };
    const reply = await answered({ status: 201, headers, body: '' }, { method: 'POST', path: 'Condition', body: {} });
    expect(reply).toMatchObject({
      status: 201,
      location: { resourceType: 'Condition', id: 'c1' },
      versionTag: 'W/"0"',
    });
    expect(reply).toHaveProperty('body', undefined);
  });

  test.each([
    ['weak', { etag: 'W/"1"' }, {}, 'W/"1"'],
    ['composite', { etag: 'W/"1-1"' }, {}, 'W/"1-1"'],
    ['strong', { etag: '"abc"' }, {}, '"abc"'],
    ['only in the body', {}, { meta: { versionId: '7' } }, 'W/"7"'],
    ['in both: the header', { etag: 'W/"8"' }, { meta: { versionId: '7' } }, 'W/"8"'],
    ['nowhere', {}, {}, undefined],
  ])('73: a version tag that is %s', async (_name, headers: Record<string, string>, more, tag) => {
    const reply = await answered({ headers, body: { ...patient, ...more } });
    expect(reply).toHaveProperty('versionTag', tag);
  });

  test.each<[string, string, Partial<FhirReply>]>([
    ['relative', 'Goal/g1', { location: { resourceType: 'Goal', id: 'g1' } }],
    ['absolute path', '/r4/Goal/g1', { location: { resourceType: 'Goal', id: 'g1' } }],
    [
      'of a proxy that names another scheme and port',
      'https://127.0.0.1/r4/Goal/g1',
      { location: { resourceType: 'Goal', id: 'g1' } },
    ],
    ['with a version', 'Goal/g1/_history/2', { location: { resourceType: 'Goal', id: 'g1', versionTag: 'W/"2"' } }],
    ['with an encoded id', 'Goal/a%20b', { location: { resourceType: 'Goal', id: 'a b' } }],
    ['without an id', 'Goal', { location: undefined }],
    ['no URL', 'http://', { location: undefined }],
    ['on another host', 'https://elsewhere.example/r4/Goal/g1', { location: undefined, locationElsewhere: true }],
  ])('a Location %s', async (_name, location, expected) => {
    const reply = await answered({ status: 201, headers: { location } }, { method: 'POST', path: 'Goal', body: {} });
    expect(reply).toMatchObject(expected);
  });

  test('an error keeps its status and its outcome', async () => {
    const body = { resourceType: 'OperationOutcome', issue: [] };
    expect(await answered({ status: 422, body })).toMatchObject({ status: 422, body });
  });

  test('an empty JSON text under an error status is an answer without body', async () => {
    const reply = await answered({ status: 401, headers: { 'content-type': 'application/json' }, body: '""' });
    expect(reply).toMatchObject({ status: 401, body: undefined });
    expect(reply.fault).toBeUndefined();
  });

  test('Retry-After comes with FHIR and with an outage page', async () => {
    const headers = { 'retry-after': '7', 'content-type': 'text/html' };
    expect(await answered({ status: 429, headers: { 'retry-after': '7' } })).toMatchObject({ retryAfterMs: 7000 });
    expect(await answered({ status: 503, headers, body: '<h1>Closed</h1>' })).toMatchObject({
      fault: 'not-json',
      status: 503,
      retryAfterMs: 7000,
    });
  });
});

describe('what is refused', () => {
  test.each<[string, Answer, string]>([
    ['a login page', { headers: { 'content-type': 'text/html' }, body: '<html>Sign in</html>' }, 'text/html'],
    ['XML', { headers: { 'content-type': 'application/fhir+xml' }, body: '<Patient/>' }, 'application/fhir+xml'],
    [
      'cut JSON',
      { headers: { 'content-type': 'application/fhir+json' }, body: '{"resourceType":"Pat' },
      'JSON that is cut or broken',
    ],
    ['a list', { headers: { 'content-type': 'application/json' }, body: '[]' }, 'JSON that is no resource'],
    [
      'invalid UTF-8',
      { headers: { 'content-type': 'application/json' }, body: Uint8Array.of(0x22, 0xff, 0x22) },
      'JSON that is cut or broken',
    ],
    [
      'a content type full of secrets',
      { headers: { 'content-type': 'name=Jane Doe; x' }, body: 'x' },
      'an unreadable content type',
    ],
  ])('%s with status 200', async (_name, answer, found) => {
    const fault = await answered(answer);
    expect(fault).toMatchObject({ fault: 'not-json', sent: true, status: 200 });
    expect(fault).toHaveProperty('text', expect.stringContaining(`answered 200 with ${found} instead of FHIR JSON`));
  });

  test('76: a reply above the limit, also when it is small on the wire', async () => {
    const text = JSON.stringify({ ...patient, text: 'x'.repeat(200_000) });
    const headers = { 'content-type': 'application/fhir+json' };
    for (const answer of [
      { headers, body: text },
      { headers: { ...headers, 'content-encoding': 'gzip' }, body: gzipSync(text) },
    ]) {
      const server = await startServer(() => answer);
      const fault = await connectTo(server, {}, { limits: { replyBytes: 100_000 } }).client.send(read);
      expect(fault).toMatchObject({ fault: 'too-large', sent: true, status: 200 });
    }
  });

  test('a request above the limit is not sent', async () => {
    const server = await startServer(() => ({ body: patient }));
    const { client } = connectTo(server, {}, { limits: { requestBytes: 100 } });
    const body = { resourceType: 'Patient', text: 'é'.repeat(60) };
    expect(await client.send({ method: 'POST', path: 'Patient', body })).toMatchObject({
      fault: 'too-large',
      sent: false,
    });
    expect(server.arrived).toEqual([]);
  });

  test('a reply that breaks off', async () => {
    const server = await startBytes((socket) => {
      socket.once('data', () => {
        socket.end(
          'HTTP/1.1 200 OK\r\nContent-Type: application/fhir+json\r\nContent-Length: 500\r\n\r\n{"resourceType":',
        );
      });
    });
    expect(await connectTo(server).client.send(read)).toMatchObject({ fault: 'reset', sent: true, status: 200 });
  });

  test('bytes that are no HTTP', async () => {
    const server = await startBytes((socket) => socket.end('220 mail.example ESMTP\r\n'));
    expect(await connectTo(server).client.send(read)).toMatchObject({ fault: 'reset' });
  });
});

test('each request is counted with its method and its status class or fault', async () => {
  const seen: unknown[] = [];
  const server = await startServer(({ url }) => (url.endsWith('p1') ? { body: patient } : { status: 404 }));
  const { client } = connectTo(server, {}, { onRequest: (request) => seen.push(request) });
  await client.send(read);
  await client.send({ method: 'GET', path: 'Patient/p2' });
  expect(seen).toEqual([
    { connection: 'general', method: 'GET', statusClass: '2xx', ms: expect.any(Number) },
    { connection: 'general', method: 'GET', statusClass: '4xx', ms: expect.any(Number) },
  ]);
});

test('sockets are kept: ten reads in a row use one', async () => {
  const ports = new Set<number | undefined>();
  const server = await startBytes((socket) => {
    ports.add(socket.remotePort);
    socket.on('data', () => socket.write('HTTP/1.1 204 No Content\r\n\r\n'));
  });
  const { client } = connectTo(server);
  for (let count = 0; count < 10; count += 1) {
    expect(await client.send(read)).toMatchObject({ status: 204 });
  }
  expect(ports.size).toBe(1);
});
