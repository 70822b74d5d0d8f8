// Signing in with SMART Backend Services: what the assertion says, when a token is asked for, and what each refusal means.

import { afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { JWK } from 'jose';
import { createLocalJWKSet, decodeProtectedHeader, exportJWK, generateKeyPair, type JWTPayload, jwtVerify } from 'jose';
import type { AuthConfig } from '../../src/config.ts';
import { findTokenEndpoint } from '../../src/connections/auth/discovery.ts';
import type { ConnectionParts } from '../../src/connections/connections.ts';
import { classify, generateKey, publicKeySet } from '../../src/connections/connections.ts';
import { machineTime } from '../../src/connections/deadline.ts';
import { memoryBudget } from '../../src/connections/memory-budget.ts';
import type { Answer, Arrived, TestServer } from './fhir-server.ts';
import { connectTo, gate, startServer, stopAll } from './fhir-server.ts';

afterEach(stopAll);

let key: JWK;
beforeAll(async () => {
  key = await generateKey('ES384');
});

const patient = { resourceType: 'Patient', id: 'p1' };
const read = { method: 'GET', path: 'Patient/p1' } as const;

interface Behaviour {
  /** The nth answer of the token endpoint, the last for all that follow. */
  readonly tokens?: readonly Answer[];
  readonly discovery?: (server: string) => Answer;
  readonly metadata?: (server: string) => Answer;
  readonly api?: (arrived: Arrived) => Answer | Promise<Answer>;
}

function tokenAnswer(members: object): Answer {
  return { headers: { 'content-type': 'application/json' }, body: JSON.stringify(members) };
}

function refusal(error: string | null, status = 400): Answer {
  return { ...tokenAnswer({ error, error_description: null }), status };
}

async function startSmartServer(behaviour: Behaviour = {}) {
  let issued = 0;
  const server: TestServer = await startServer(async (arrived) => {
    const origin = `http://${arrived.headers.host}`;
    if (arrived.url === '/token') {
      const answers = behaviour.tokens ?? [];
      const answer = answers[Math.min(issued, answers.length - 1)];
      issued += 1;
      return answer ?? tokenAnswer({ access_token: `token-${issued}`, token_type: 'bearer', expires_in: 3600 });
    }
    if (arrived.url === '/r4/.well-known/smart-configuration') {
      return behaviour.discovery?.(origin) ?? tokenAnswer({ token_endpoint: `${origin}/token` });
    }
    if (arrived.url === '/r4/metadata') {
      return behaviour.metadata?.(origin) ?? { status: 404 };
    }
    return behaviour.api?.(arrived) ?? { body: patient };
  });
  const to = (url: string) => server.arrived.filter((arrived) => arrived.url === url);
  return { server, tokenRequests: () => to('/token'), apiRequests: () => to('/r4/Patient/p1') };
}

function connect(server: TestServer, auth: { key?: JWK; scopes?: string[] } = {}, parts: ConnectionParts = {}) {
  const full: AuthConfig = { type: 'smart-backend', clientId: 'client-1', key, scopes: ['system/*.crus'], ...auth };
  return connectTo(server, { auth: full }, parts);
}

/** Checks the assertion's signature with our published keys. */
async function claimsOf(request: Arrived | undefined, signedWith: JWK): Promise<JWTPayload> {
  const assertion = new URLSearchParams(request?.body).get('client_assertion') ?? '';
  const verified = await jwtVerify(assertion, createLocalJWKSet(await publicKeySet([signedWith])));
  return verified.payload;
}

describe('the request for a token', () => {
  test.each(['ES384', 'RS384'] as const)('is a form with an assertion signed by %s', async (algorithm) => {
    const own = await generateKey(algorithm);
    const { server, tokenRequests } = await startSmartServer();
    await connect(server, { key: own }).client.send(read);
    const [request] = tokenRequests();
    const form = new URLSearchParams(request?.body);
    expect(request).toMatchObject({ method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded' } });
    expect(Object.fromEntries(form)).toEqual({
      grant_type: 'client_credentials',
      scope: 'system/*.crus',
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: expect.any(String),
    });
    expect(decodeProtectedHeader(form.get('client_assertion') ?? '')).toEqual({
      alg: algorithm,
      kid: own.kid,
      typ: 'JWT',
    });
    const claims = await claimsOf(request, own);
    expect(claims).toMatchObject({ iss: 'client-1', sub: 'client-1', aud: `${new URL(server.url).origin}/token` });
  });

  test('the assertion is valid for less than five minutes, has begun already, and is never used twice', async () => {
    const now = Date.now();
    const { server, tokenRequests } = await startSmartServer({ tokens: [refusal(null), refusal(null)] });
    await connect(server, {}, { now: () => now }).client.send(read);
    const [first, second] = await Promise.all(tokenRequests().map((request) => claimsOf(request, key)));
    const seconds = Math.floor(now / 1000);
    expect(first?.exp).toBe(seconds + 240);
    expect(first?.iat).toBe(seconds - 30);
    expect(first?.jti).toMatch(/^[0-9a-f-]{36}$/);
    expect(second?.jti).toMatch(/^[0-9a-f-]{36}$/);
    expect(second?.jti).not.toBe(first?.jti);
  });

  test('without configured scopes asks for none', async () => {
    const { server, tokenRequests } = await startSmartServer();
    await connect(server, { scopes: [] }).client.send(read);
    expect(new URLSearchParams(tokenRequests()[0]?.body).has('scope')).toBe(false);
  });

  test('a key that cannot sign is a fault before anything is asked', async () => {
    const { privateKey } = await generateKeyPair('ES256', { extractable: true });
    const unfit = [
      await exportJWK(privateKey),
      { ...key, alg: 'RS384' },
      { ...key, d: 'AA' },
      { kty: 'EC', crv: 'P-384' },
    ];
    const { server, tokenRequests } = await startSmartServer();
    for (const own of unfit) {
      expect(await connect(server, { key: own }).client.send(read)).toMatchObject({
        fault: 'auth',
        sent: false,
        reason: { code: 'connection-key-unusable' },
      });
    }
    expect(tokenRequests()).toEqual([]);
  });
});

describe('where tokens come from', () => {
  const oauthUris = (token: string) => ({
    resourceType: 'CapabilityStatement',
    rest: [
      {
        mode: 'server',
        security: {
          extension: [
            {
              url: 'http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris',
              extension: [
                { url: 'authorize', valueUri: 'https://elsewhere.example' },
                { url: 'token', valueUri: token },
              ],
            },
          ],
        },
      },
    ],
  });

  test.each<[string, Answer]>([
    ['has none', { status: 404 }],
    ['is a page', { headers: { 'content-type': 'text/html' }, body: '<html>' }],
    ['names no endpoint', tokenAnswer({ capabilities: [] })],
  ])('the CapabilityStatement, when the smart-configuration %s', async (_name, answer) => {
    const { server, tokenRequests } = await startSmartServer({
      discovery: () => answer,
      metadata: (origin) => ({ body: oauthUris(`${origin}/token`) }),
    });
    expect(await connect(server).client.send(read)).toMatchObject({ status: 200 });
    expect(tokenRequests()).toHaveLength(1);
  });

  test.each<[string, Answer]>([
    ['nothing', tokenAnswer({})],
    ['no URL', tokenAnswer({ token_endpoint: 'token' })],
    ['a number', tokenAnswer({ token_endpoint: 7 })],
  ])('%s is a configuration fault', async (_name, answer) => {
    const { server } = await startSmartServer({ discovery: () => answer });
    expect(await connect(server).client.send(read)).toMatchObject({
      fault: 'auth',
      sent: false,
      reason: { code: 'connection-token-endpoint-missing' },
    });
  });

  test('not one without TLS where the server has it; one on another host is taken', async () => {
    const found = (endpoint: string) =>
      findTokenEndpoint({
        baseUrl: new URL('https://fhir.example.org/r4'),
        exchanger: {
          exchange: async () => ({
            status: 200,
            headers: { 'content-type': 'application/json' },
            bytes: new TextEncoder().encode(JSON.stringify({ token_endpoint: endpoint })),
          }),
          close: () => undefined,
        },
        budget: memoryBudget({ requestsPerSecond: 10, concurrency: 1 }, Date.now),
        time: machineTime,
        now: Date.now,
      });
    expect(await found('http://fhir.example.org/token')).toMatchObject({
      fault: 'auth',
      sent: false,
      reason: { code: 'connection-token-endpoint-open' },
    });
    expect(await found('https://login.example.org/token')).toEqual(new URL('https://login.example.org/token'));
  });

  test('a server that cannot answer now is asked again later', async () => {
    let down = true;
    const { server } = await startSmartServer({
      discovery: (origin) => (down ? { status: 503 } : tokenAnswer({ token_endpoint: `${origin}/token` })),
    });
    const { client } = connect(server);
    expect(await client.send(read)).toMatchObject({ fault: 'auth', reason: { code: 'connection-token-unavailable' } });
    down = false;
    expect(await client.send(read)).toMatchObject({ status: 200 });
  });
});

describe('a token', () => {
  test('is asked for once, however many requests wait for it', async () => {
    const asked = gate();
    const answer = gate();
    const { server, tokenRequests, apiRequests } = await startSmartServer({
      discovery: (origin) => {
        asked.open();
        return tokenAnswer({ token_endpoint: `${origin}/token` });
      },
      api: async () => {
        await answer.opened;
        return { body: patient };
      },
    });
    const { client } = connect(server);
    const reads = [client.send(read), client.send(read), client.send(read)];
    await asked.opened;
    reads.push(client.send(read));
    answer.open();
    expect(await Promise.all(reads)).toMatchObject(Array(4).fill({ status: 200 }));
    expect(tokenRequests()).toHaveLength(1);
    expect(apiRequests().map(({ headers }) => headers.authorization)).toEqual(Array(4).fill('Bearer token-1'));
  });

  test.each<[string, object, number]>([
    ['a number', { expires_in: 1000 }, 800],
    ['text', { expires_in: '1000' }, 800],
    ['missing: a minute is assumed', {}, 48],
    ['odd: a minute is assumed', { expires_in: 'long' }, 48],
  ])('77, 78: is renewed after 80 %% of its life; expires_in is %s', async (_name, life, seconds) => {
    let now = Date.parse('2026-03-02T10:00:00Z');
    const { server, tokenRequests } = await startSmartServer({
      tokens: [tokenAnswer({ access_token: 'a', token_type: 'bearer', ...life })],
    });
    const { client } = connect(server, {}, { now: () => now });
    await client.send(read);
    now += seconds * 1000 - 1;
    await client.send(read);
    expect(tokenRequests()).toHaveLength(1);
    now += 1;
    await client.send(read);
    expect(tokenRequests()).toHaveLength(2);
  });

  test('78: that is over on arrival is asked for once more', async () => {
    const over = tokenAnswer({ access_token: 'a', token_type: 'bearer', expires_in: 0 });
    const good = tokenAnswer({ access_token: 'b', token_type: 'bearer', expires_in: 60 });
    const mends = await startSmartServer({ tokens: [over, good] });
    expect(await connect(mends.server).client.send(read)).toMatchObject({ status: 200 });

    const never = await startSmartServer({ tokens: [over] });
    expect(await connect(never.server).client.send(read)).toMatchObject({
      fault: 'auth',
      reason: { code: 'connection-token-over' },
    });
    expect(never.tokenRequests()).toHaveLength(2);
    expect(never.apiRequests()).toEqual([]);
  });

  test('that could break a header is not taken', async () => {
    const { server } = await startSmartServer({ tokens: [tokenAnswer({ access_token: 'a\r\nx: y', expires_in: 60 })] });
    expect(await connect(server).client.send(read)).toMatchObject({ fault: 'auth' });
  });
});

describe('the granted scopes', () => {
  test('are those of the reply', async () => {
    const { server } = await startSmartServer({
      tokens: [tokenAnswer({ access_token: 'a', expires_in: 60, scope: 'system/Patient.rs  system/Task.crus' })],
    });
    expect(await connect(server).scopes()).toEqual({ granted: ['system/Patient.rs', 'system/Task.crus'] });
  });

  test('77: are those asked for where the reply says nothing', async () => {
    const { server } = await startSmartServer();
    expect(await connect(server).scopes()).toEqual({ granted: ['system/*.crus'] });
  });

  test('do not exist without this kind of auth', async () => {
    const server = await startServer(() => ({}));
    expect(await connectTo(server).scopes()).toEqual({});
    expect(server.arrived).toEqual([]);
  });

  test('are a fault where there is no token', async () => {
    const { server } = await startSmartServer({ tokens: [refusal('invalid_scope')] });
    expect(await connect(server).scopes()).toMatchObject({ fault: 'auth' });
  });
});

describe('a 401', () => {
  const refuse =
    (bad: readonly string[]) =>
    ({ headers }: Arrived) =>
      bad.includes(headers.authorization ?? '')
        ? { status: 401, body: '""', headers: { 'content-type': 'application/json' } }
        : { body: patient };

  test('renews the token and repeats the request, once', async () => {
    const { server, tokenRequests, apiRequests } = await startSmartServer({ api: refuse(['Bearer token-1']) });
    const { client } = connect(server);
    expect(await client.send(read)).toMatchObject({ status: 200 });
    expect([tokenRequests().length, apiRequests().length]).toEqual([2, 2]);
    expect(await client.send(read)).toMatchObject({ status: 200 });
    expect([tokenRequests().length, apiRequests().length]).toEqual([2, 3]);
  });

  test('that stays is handed back', async () => {
    const { server, tokenRequests, apiRequests } = await startSmartServer({
      api: refuse(['Bearer token-1', 'Bearer token-2']),
    });
    expect(await connect(server).client.send(read)).toMatchObject({ status: 401 });
    expect([tokenRequests().length, apiRequests().length]).toEqual([2, 2]);
  });

  test('to several requests at once renews the token once', async () => {
    const all = gate();
    let waiting = 0;
    const { server, tokenRequests } = await startSmartServer({
      api: async (arrived) => {
        waiting += 1;
        if (waiting === 3) {
          all.open();
        }
        await all.opened;
        return refuse(['Bearer token-1'])(arrived);
      },
    });
    const { client } = connect(server);
    const replies = await Promise.all([client.send(read), client.send(read), client.send(read)]);
    expect(replies).toMatchObject(Array(3).fill({ status: 200 }));
    expect(tokenRequests()).toHaveLength(2);
  });

  test('to fixed credentials is not asked again', async () => {
    const server = await startServer(() => ({ status: 401 }));
    const { client } = connectTo(server, { auth: { type: 'bearer', token: 'old' } });
    expect(await client.send(read)).toMatchObject({ status: 401 });
    expect(server.arrived).toHaveLength(1);
  });
});

describe('a refusal at the token endpoint', () => {
  test.each([
    [
      'invalid_client',
      'connection-client-unknown',
      'does not accept this client (invalid_client). Check clientId; with a secret',
    ],
    [
      'unauthorized_client',
      'connection-client-not-allowed',
      'does not let it in (unauthorized_client). Ask its administrator',
    ],
    [
      'invalid_scope',
      'connection-scopes-refused',
      'grants none of the scopes asked for (invalid_scope). Compare scopes',
    ],
    ['invalid_request', 'connection-token-refused', 'refuses to give a token (invalid_request).'],
  ])('%s says what to check, and nothing is sent to the FHIR server', async (error, code, words) => {
    const { server, tokenRequests, apiRequests } = await startSmartServer({ tokens: [refusal(error)] });
    const fault = await connect(server).client.send(read);
    expect(fault).toMatchObject({ fault: 'auth', sent: false, status: 400, reason: { code } });
    expect(fault).toHaveProperty('text', expect.stringContaining(words));
    expect(tokenRequests()).toHaveLength(1);
    expect(apiRequests()).toEqual([]);
  });

  test('79: with clocks that differ says by how much', async () => {
    const { server } = await startSmartServer({ tokens: [refusal('invalid_client')] });
    const fault = await connect(server, {}, { now: () => Date.now() + 600_000 }).client.send(read);
    expect(fault).toHaveProperty(
      'text',
      expect.stringMatching(/The clocks differ by (599|600|601) s, which alone can cause this\.$/),
    );
  });

  test.each<[string, Answer]>([
    ['a bare 400', { status: 400 }],
    ['a 503', { status: 503, headers: { 'content-type': 'text/html' }, body: '<html>' }],
  ])('%s is asked once more, with a new assertion', async (_name, answer) => {
    const good = tokenAnswer({ access_token: 'a', token_type: 'bearer', expires_in: 60 });
    const mends = await startSmartServer({ tokens: [answer, good] });
    expect(await connect(mends.server).client.send(read)).toMatchObject({ status: 200 });

    const stays = await startSmartServer({ tokens: [answer] });
    expect(await connect(stays.server).client.send(read)).toMatchObject({
      fault: 'auth',
      sent: false,
      status: answer.status,
      reason: { code: 'connection-token-unavailable' },
    });
    expect(stays.tokenRequests()).toHaveLength(2);
  });

  test.each([
    [429, 'slow_down'],
    [429, 'temporarily_unavailable'],
    [429, 'server_error'],
    [429, 'invalid_client'],
    [429, null],
    [400, 'slow_down'],
    [400, 'temporarily_unavailable'],
    [401, 'server_error'],
  ])('%s %s is none: it is asked again when the server wants to be asked, and not before', async (status, error) => {
    const answer = { ...refusal(error, status), headers: { ...tokenAnswer({}).headers, 'retry-after': '30' } };
    const { server, tokenRequests } = await startSmartServer({ tokens: [answer] });
    const { client, vendor } = connect(server, {}, { now: () => Date.now() + 600_000 });
    const fault = await client.send(read);
    expect(fault).toMatchObject({
      fault: 'auth',
      sent: false,
      status,
      retryAfterMs: 30_000,
      reason: { code: 'connection-token-unavailable' },
    });
    expect(classify(vendor, { method: 'GET', kind: 'read' }, fault)).toMatchObject({
      class: 'retry-backoff',
      retryAfterMs: 30_000,
    });
    expect(tokenRequests()).toHaveLength(1);
  });

  test('stands for a minute, without asking again; then the next request asks', async () => {
    const good = tokenAnswer({ access_token: 'a', token_type: 'bearer', expires_in: 60 });
    const { server, tokenRequests } = await startSmartServer({ tokens: [refusal('invalid_client'), good] });
    let passedMs = 0;
    const now = () => performance.now() + passedMs;
    const { client } = connect(server, {}, { time: { ...machineTime, now } });
    expect(await client.send(read)).toMatchObject({ fault: 'auth', reason: { code: 'connection-client-unknown' } });
    passedMs = 50_000;
    expect(await client.send(read)).toMatchObject({ fault: 'auth', reason: { code: 'connection-client-unknown' } });
    expect(tokenRequests()).toHaveLength(1);
    passedMs = 60_000;
    expect(await client.send(read)).toMatchObject({ status: 200 });
  });
});

test('waiting for a token ends at the time of the request; the token still comes for the next', async () => {
  const answer = gate();
  const { server } = await startSmartServer();
  const slow = await startServer(async () => {
    await answer.opened;
    return tokenAnswer({ access_token: 'a', expires_in: 60 });
  });
  const behind = await startSmartServer({ discovery: () => tokenAnswer({ token_endpoint: `${slow.url}/token` }) });
  const { client } = connect(behind.server);
  expect(await client.send({ ...read, sendBefore: Date.now() + 50 })).toMatchObject({ fault: 'aborted', sent: false });
  answer.open();
  expect(await client.send(read)).toMatchObject({ status: 200 });
  expect(slow.arrived).toHaveLength(1);
  expect(server.arrived).toEqual([]);
});
