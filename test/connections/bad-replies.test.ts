// Replies that no client should believe, hang on or choke on. The numbers are the rows of reliability section 4; what they do to a lane is in
// test/lanes/send/bad-replies.test.ts. Rows that belong to one part of the client are with that part; the last test finds them all.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import { classify, type FhirRequest, isSearchResult, vendors } from '../../src/connections/connections.ts';
import { leftOut } from '../../src/connections/entry-cutter.ts';
import { networkFault } from '../../src/connections/faults.ts';
import type { Json, JsonObject } from '../../src/json.ts';
import { bundle, connectTo, outcome, startBytes, startServer, stopAll } from './fhir-server.ts';

afterEach(stopAll);

const nested = (depth: number): Json => Array.from({ length: depth }).reduce<Json>((inner) => [inner], 'end');

const read: FhirRequest = { method: 'GET', path: 'Goal/g1' };
const create: FhirRequest = { method: 'POST', path: 'Goal', body: { resourceType: 'Goal' } };
const target = { resourceType: 'Goal' };
const reading = { method: 'GET', kind: 'read', target } as const;
const creating = { method: 'POST', kind: 'create', target } as const;

describe('76: a page above what is read', () => {
  const tasks = Array.from(
    { length: 60 },
    (_none, at): JsonObject => ({
      resourceType: 'Task',
      id: `t${at}`,
      description: 'x'.repeat(1_000),
    }),
  );

  function pageOf(url: string, resources: readonly JsonObject[]) {
    const query = new URLSearchParams(url.split('?')[1]);
    const count = Number(query.get('_count'));
    const from = Number(query.get('from') ?? 0);
    const next = from + count < resources.length ? `?_count=${count}&from=${from + count}` : undefined;
    return { body: bundle(resources.slice(from, from + count), next) };
  }

  test('is asked for again in smaller ones, and everything is found', async () => {
    const server = await startServer(({ url }) => pageOf(url, tasks));
    const { client } = connectTo(server, {}, { limits: { replyBytes: 20_000 } });
    const result = await client.searchAll('Task', { _count: '200' });
    expect(isSearchResult(result) && result.resources.length).toBe(60);
    expect(result).toMatchObject({ complete: true });
    expect(server.arrived[1]?.url).toContain('_count=10');
  });

  test('for one entry alone is a failure that says so, after few requests', async () => {
    const large: JsonObject = { resourceType: 'Task', id: 'large', description: 'x'.repeat(50_000) };
    const server = await startServer(({ url }) => pageOf(url, [large, ...tasks]));
    const { client } = connectTo(server, {}, { limits: { replyBytes: 20_000 } });
    expect(await client.searchAll('Task', { _count: '200' })).toMatchObject({
      fault: 'too-large',
      reason: { code: 'connection-reply-too-large' },
    });
    expect(server.arrived.map(({ url }) => new URLSearchParams(url.split('?')[1]).get('_count'))).toEqual([
      '200',
      '10',
      '1',
    ]);
  });
});

describe('a body', () => {
  test('that trickles is given up at the limit of the whole request: a read is tried again, a write is unknown', async () => {
    const timers: NodeJS.Timeout[] = [];
    const server = await startBytes((socket) => {
      socket.once('data', () => {
        socket.write('HTTP/1.1 200 OK\r\ncontent-type: application/fhir+json\r\ncontent-length: 100000\r\n\r\n');
        timers.push(setInterval(() => socket.write('x'), 5));
      });
    });
    const { client } = connectTo(server, {}, { limits: { totalMs: 100 } });
    const [late, lateWrite] = await Promise.all([client.send(read), client.send(create)]);
    for (const timer of timers) clearInterval(timer);
    expect(late).toMatchObject({ fault: 'timeout', sent: true, status: 200 });
    expect(classify(vendors.standard, reading, late).class).toBe('retry-backoff');
    expect(classify(vendors.standard, creating, lateWrite).class).toBe('unknown-outcome');
  });

  test.each([
    ['reset', (socket: { resetAndDestroy(): void }) => socket.resetAndDestroy()],
    ['closed in order', (socket: { destroy(): void }) => socket.destroy()],
  ])('whose connection is %s before a byte: a read once more at once, a write is unknown', async (_how, cut) => {
    const server = await startBytes((socket) => socket.once('data', () => cut(socket)));
    const { client } = connectTo(server);
    expect(classify(vendors.standard, reading, await client.send(read)).class).toBe('retry-now-once');
    expect(classify(vendors.standard, creating, await client.send(create)).class).toBe('unknown-outcome');
  });

  test('of an error that has 10 MB is read for what it says, and its words are not repeated', async () => {
    const diagnostics = 'Rosa Delgado '.repeat(800_000);
    const body = { resourceType: 'OperationOutcome', issue: [{ severity: 'error', code: 'invalid', diagnostics }] };
    const server = await startServer(() => ({ status: 422, body }));
    const found = classify(vendors.standard, creating, await connectTo(server).client.send(create));
    expect(found).toMatchObject({ class: 'permanent', reason: { code: 'server-refused' } });
    expect(found.reason?.text).toBe('The server refuses the request (422 invalid).');
  });
});

describe('82: what no store can keep', () => {
  const goal = (more: JsonObject): JsonObject => ({ resourceType: 'Goal', id: 'g1', ...more });
  const header = { location: 'Goal/g1', etag: 'W/"7"' };
  const updating = { method: 'PUT', kind: 'update', target: { ...target, id: 'g1' } } as const;

  test.each<[string, Json]>([
    ['a NUL', 'a\0b'],
    ['half a character', { text: 'a\ud800' }],
    ['a NUL in a name', { 'a\0': 1 }],
    ['lists without end', nested(3_000)],
  ])(
    'is %s: a read of it is final and says so, a write is done, and nobody gets to see the body',
    async (_what, note) => {
      const server = await startServer(() => ({ headers: header, body: goal({ note }) }));
      const { client, vendor } = connectTo(server);
      const shown = await client.send(read);
      expect(shown).not.toHaveProperty('body');
      expect(classify(vendor, reading, shown)).toMatchObject({
        class: 'permanent',
        reason: { code: 'server-reply-unkeepable' },
      });
      const created = await client.send(create);
      expect(created).toMatchObject({ location: { id: 'g1' }, versionTag: 'W/"7"' });
      expect(created).not.toHaveProperty('body');
      expect(classify(vendor, creating, created)).toEqual({ class: 'ok' });
      expect(classify(vendor, updating, await client.send({ ...create, method: 'PUT', path: 'Goal/g1' }))).toEqual({
        class: 'ok',
      });
    },
  );

  test.each<[string, JsonObject, object]>([
    ['of another id than its Location', { ...goal({ id: 'g2' }) }, creating],
    ['of another type', { ...goal({ resourceType: 'Task' }) }, creating],
    ['of another id than the one asked for', { ...goal({ id: 'g2' }) }, updating],
  ])('and is %s: the write is not believed', async (_what, body, facts) => {
    const server = await startServer(() => ({ status: 200, headers: header, body: { ...body, note: '\0' } }));
    const { client, vendor } = connectTo(server);
    const asked = { method: 'POST', kind: 'create', ...facts } as const;
    expect(classify(vendor, asked, await client.send(create))).toMatchObject({
      class: 'unknown-outcome',
      reason: { code: 'server-wrong-resource' },
    });
  });

  test('in notes on an error changes nothing of what they say', async () => {
    const failed = outcome('error', 'exception', 'a\0b');
    const server = await startServer(() => ({ status: 200, body: failed }));
    const { client, vendor } = connectTo(server);
    expect(classify(vendor, updating, await client.send(create)).class).toBe('unknown-outcome');
    expect(classify(vendor, reading, await client.send(read)).class).toBe('retry-backoff');
  });

  test('is taken out of one entry of a Bundle, and of no other', async () => {
    const response = { status: '201 Created', location: 'Goal/g1' };
    const entry = [
      { response, resource: goal({ note: '\0' }) },
      { response: { ...response, etag: '\0' }, resource: goal({}) },
      { response, resource: goal({}) },
      { response, resource: outcome('error', 'exception', '\0') },
    ];
    const server = await startServer(() => ({ body: { resourceType: 'Bundle', entry } }));
    const reply = await connectTo(server).client.send({ ...create, path: '' });
    expect(reply).toMatchObject({
      body: {
        entry: [
          { response, [leftOut]: 'odd-text', id: 'g1' },
          { resource: { id: 'g1' } },
          entry[2],
          { resource: { resourceType: 'OperationOutcome' } },
        ],
      },
    });
    expect(JSON.stringify(reply.fault === undefined && reply.body?.entry).match(/u0000/g)).toHaveLength(1);
  });

  test('is an entry that is nested deeper than any stack: it is set aside, and the others are read', async () => {
    const deep = `${'['.repeat(200_000)}${']'.repeat(200_000)}`;
    const body = `{"resourceType":"Bundle","entry":[${deep},{"resource":${JSON.stringify(goal({}))}}]}`;
    const server = await startServer(() => ({ headers: { 'content-type': 'application/json' }, body }));
    expect(await connectTo(server).client.searchAll('Goal', {})).toMatchObject({
      resources: [{ id: 'g1' }],
      complete: false,
      unreadable: [{ reason: { code: 'search-entry-unreadable' } }],
    });
  });

  test('in a CapabilityStatement: what the server can do is not known, and why', async () => {
    const statement = { resourceType: 'CapabilityStatement', software: { name: 'a\0b' } };
    const server = await startServer(() => ({ body: statement }));
    const connection = connectTo(server);
    await expect(connection.capabilities()).rejects.toMatchObject({
      reason: { code: 'connection-capabilities-unreadable', text: expect.stringContaining('no text may hold') },
    });
  });
});

test('a search whose connection is reset is asked once more at once, page by page; twice is a failure', async () => {
  let requests = 0;
  const answer = (text: string) =>
    `HTTP/1.1 200 OK\r\ncontent-type: application/fhir+json\r\ncontent-length: ${text.length}\r\n\r\n${text}`;
  const mends = await startBytes((socket) =>
    socket.on('data', () => {
      requests += 1;
      if (requests % 2 === 1) socket.resetAndDestroy();
      else socket.end(answer(JSON.stringify(bundle([], requests < 4 ? '?page=2' : undefined))));
    }),
  );
  expect(await connectTo(mends).client.searchAll('Goal', {})).toMatchObject({ complete: true });
  expect(requests).toBe(4);

  let others = 0;
  const stays = await startBytes((socket) =>
    socket.on('data', () => {
      others += 1;
      socket.resetAndDestroy();
    }),
  );
  expect(await connectTo(stays).client.searchAll('Goal', {})).toMatchObject({ fault: 'reset' });
  expect(others).toBe(2);
});

test.each([
  ['expired', 'CERT_HAS_EXPIRED', 'it has expired'],
  ['made out to another host', 'ERR_TLS_CERT_ALTNAME_INVALID', 'it is made out to another host'],
  ['self-signed', 'DEPTH_ZERO_SELF_SIGNED_CERT', 'it is self-signed'],
])('80: a certificate that is %s stops the connection, whatever was asked', (_what, code, words) => {
  const fault = networkFault(code, true, 'ehr.example.org');
  expect(fault).toMatchObject({ fault: 'tls', sent: false, text: expect.stringContaining(words) });
  expect(classify(vendors.standard, reading, fault).class).toBe('config');
  expect(classify(vendors.standard, creating, fault).class).toBe('config');
});

test('80: https on a port that speaks http says so, and blames no certificate', async () => {
  const server = await startServer(() => ({ body: {} }));
  const { client } = connectTo({ url: server.url.replace('http:', 'https:') });
  const fault = await client.send({ method: 'GET', path: 'metadata' });
  expect(fault).toMatchObject({ fault: 'tls', text: expect.stringMatching(/It may be plain http: check baseUrl/) });
});

test.each(['x'.repeat(90), 'a b', 'L-197364.0.-4.prsnl', 'ü%2F?#', '1|2', "o'hara"])(
  '81: the id %s is opaque: it is taken as it is, and asked for as it is',
  async (id) => {
    const body = { resourceType: 'Goal', id };
    const headers = { location: `Goal/${encodeURIComponent(id)}` };
    const server = await startServer(({ method }) => (method === 'POST' ? { status: 201, headers } : { body }));
    const { client, vendor } = connectTo(server);
    const created = await client.send(create);
    expect(created).toMatchObject({ location: { resourceType: 'Goal', id } });
    expect(classify(vendor, creating, created).class).toBe('ok');

    const reply = await client.send({ method: 'GET', path: `Goal/${id}` });
    expect(classify(vendor, { ...reading, target: { ...target, id } }, reply).class).toBe('ok');
    expect(decodeURIComponent(server.arrived[1]?.url ?? '')).toBe(`/r4/Goal/${id}`);
  },
);

test('77: a token whose scopes were not told is tested by use: what it may not do is denied, and nothing else stops', () => {
  const refusal = { status: 403, headers: {}, body: outcome('error', 'forbidden') };
  expect(classify(vendors.standard, creating, refusal).class).toBe('denied');
});

test('each row from 64 to 85 has a test that is named for it', () => {
  const folder = join(import.meta.dirname, '..');
  const texts = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.test.ts'))
    .map((path) => readFileSync(join(folder, path), 'utf8'))
    .join('\n');
  const rows = Array.from({ length: 85 - 64 + 1 }, (_none, at) => 64 + at);
  expect(rows.filter((row) => !new RegExp(`['"\`](?:\\d\\d, )*${row}(?:, \\d\\d)*: `).test(texts))).toEqual([]);
});
