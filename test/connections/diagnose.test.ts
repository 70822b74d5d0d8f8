// What is wrong with a connection, in plain words.

import { afterEach, describe, expect, test } from '@jest/globals';
import { generateKey } from '../../src/connections/connections.ts';
import type { JsonObject } from '../../src/json.ts';
import type { Answer, Arrived } from './fhir-server.ts';
import { bundle, connectTo, startServer, stopAll } from './fhir-server.ts';

afterEach(stopAll);

const statement: JsonObject = { resourceType: 'CapabilityStatement', fhirVersion: '4.0.1', rest: [{ mode: 'server' }] };
const bearer = { auth: { type: 'bearer', token: 'secret-token' } } as const;

function startHealthy(changes: Readonly<Record<string, (arrived: Arrived) => Answer>> = {}) {
  return startServer((arrived) => {
    const path = arrived.url.replace(/\?.*/, '');
    const usual: Record<string, Answer> = { '/r4/metadata': { body: statement }, '/r4/Patient': { body: bundle([]) } };
    return changes[path]?.(arrived) ?? usual[path] ?? { status: 404 };
  });
}

test('a healthy connection has no findings, and nothing was asked about anybody', async () => {
  const server = await startHealthy();
  expect(await connectTo(server, bearer).diagnose()).toEqual({ reachable: true, auth: { ok: true }, findings: [] });
  expect(server.arrived.map(({ url }) => url)).toEqual(['/r4/metadata', '/r4/Patient?_summary=count']);
  expect(server.arrived[0]?.headers).not.toHaveProperty('authorization');
});

describe('reachability', () => {
  test.each([
    ['http://no-such-host.invalid/r4', 'connection-dns'],
    ['http://127.0.0.1:1/r4', 'connection-refused'],
  ])('%s', async (url, code) => {
    const found = await connectTo({ url }, bearer).diagnose();
    expect(found).toMatchObject({ reachable: false, auth: { ok: false, reason: { code } }, findings: [{ code }] });
  });

  test('a server that answers with pages', async () => {
    const server = await startServer(() => ({
      headers: { 'content-type': 'text/html' },
      body: '<html>Sign in</html>',
    }));
    expect(await connectTo(server, bearer).diagnose()).toMatchObject({
      reachable: true,
      auth: { ok: false },
      findings: [{ code: 'connection-not-fhir' }],
    });
    expect(server.arrived).toHaveLength(1);
  });

  test('a server that sends us elsewhere: the token is not even shown to it', async () => {
    const server = await startServer(() => ({ status: 301, headers: { location: 'https://fhir.example.org/r4' } }));
    expect(await connectTo(server, bearer).diagnose()).toMatchObject({ findings: [{ code: 'connection-redirect' }] });
    expect(server.arrived.filter(({ headers }) => headers.authorization !== undefined)).toEqual([]);
  });
});

describe('auth', () => {
  test('fixed credentials that the server refuses', async () => {
    const server = await startHealthy({ '/r4/Patient': () => ({ status: 401 }) });
    expect(await connectTo(server, bearer).diagnose()).toEqual({
      reachable: true,
      auth: {
        ok: false,
        reason: {
          code: 'server-credentials-refused',
          text: 'The server refuses our credentials (401). Check auth of this connection.',
        },
      },
      findings: [expect.objectContaining({ code: 'server-credentials-refused' })],
    });
  });

  test('credentials that may not read patients are still good credentials', async () => {
    const server = await startHealthy({ '/r4/Patient': () => ({ status: 403 }) });
    expect(await connectTo(server, bearer).diagnose()).toMatchObject({ auth: { ok: true }, findings: [] });
  });

  const smart = async (token: Answer) => {
    const server = await startServer(({ url, headers }) => {
      const known: Record<string, Answer> = {
        '/token': token,
        '/r4/.well-known/smart-configuration': {
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ token_endpoint: `http://${headers.host}/token` }),
        },
        '/r4/metadata': { body: statement },
      };
      return known[url] ?? { body: bundle([]) };
    });
    const auth = {
      type: 'smart-backend',
      clientId: 'client-1',
      key: await generateKey(),
      scopes: ['system/Patient.rs', 'system/Task.crus'],
    } as const;
    return connectTo(server, { auth }).diagnose();
  };

  test('a client that the token endpoint does not know', async () => {
    const found = await smart({
      status: 400,
      headers: { 'content-type': 'application/json' },
      body: '{"error":"invalid_client"}',
    });
    expect(found).toMatchObject({
      reachable: true,
      auth: { ok: false, reason: { code: 'connection-client-unknown' } },
      findings: [{ code: 'connection-client-unknown' }],
    });
    expect(found).not.toHaveProperty('scopes');
  });

  test('scopes that were not granted are named', async () => {
    const body = JSON.stringify({ access_token: 'a', expires_in: 60, scope: 'system/Patient.rs system/Task.rs' });
    const found = await smart({ headers: { 'content-type': 'application/json' }, body });
    expect(found).toMatchObject({ auth: { ok: true }, scopes: ['system/Patient.rs', 'system/Task.rs'] });
    expect(found.findings.map(({ text }) => text)).toEqual([
      expect.stringMatching(/did not grant system\/Task\.crus\. Ask its administrator/),
    ]);
  });
});

describe('the statement', () => {
  test.each<[string, Answer, string]>([
    [
      'of another FHIR version',
      { body: { ...statement, fhirVersion: '3.0.2' } },
      'speaks FHIR 3.0.2. Casebridge needs FHIR R4 (4.0.x); check baseUrl.',
    ],
    ['of R4B', { body: { ...statement, fhirVersion: '4.3.0' } }, 'speaks FHIR 4.3.0. Casebridge'],
    [
      'without a version',
      { body: { resourceType: 'CapabilityStatement' } },
      'speaks FHIR of an unnamed version. Casebridge',
    ],
    [
      'that is not there',
      { status: 404 },
      'can do is not known: /metadata answers 404. No FHIR server may be there: check baseUrl.',
    ],
  ])('%s', async (_name, answer, words) => {
    const server = await startHealthy({ '/r4/metadata': () => answer });
    const found = await connectTo(server).diagnose();
    expect(found).toMatchObject({ reachable: true, auth: { ok: true } });
    expect(found.findings.map(({ text }) => text)).toEqual([expect.stringContaining(words)]);
  });

  test('that only clients may read is read as one', async () => {
    const server = await startHealthy({
      '/r4/metadata': ({ headers }) => (headers.authorization ? { body: statement } : { status: 401 }),
    });
    expect(await connectTo(server, bearer).diagnose()).toMatchObject({ auth: { ok: true }, findings: [] });
  });
});

test('clocks that differ', async () => {
  const date = 'Mon, 02 Mar 2026 10:10:00 GMT';
  const server = await startHealthy({ '/r4/metadata': () => ({ headers: { date }, body: statement }) });
  const at = (time: string) => connectTo(server, {}, { now: () => Date.parse(time) }).diagnose();
  expect((await at('2026-03-02T10:00:00Z')).findings.map(({ text }) => text)).toEqual([
    expect.stringMatching(/^The clock of .* differs from ours by 600 s\./),
  ]);
  expect((await at('2026-03-02T10:09:45Z')).findings).toEqual([]);
});
