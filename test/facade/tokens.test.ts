// The token endpoint by the rules of SMART Backend Services: every refusal is 400 with a code of RFC 6749, and a token opens only what it grants.

import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose';
import { clientKeys } from '../../src/access/access.ts';
import { type PartnerConfig, partnerScopes } from '../../src/config.ts';
import { guardedLookup, openExchanger } from '../../src/connections/connections.ts';
import type { Gateway } from '../../src/gateway.ts';
import { buildApp, type Listening, listen } from '../../src/http/http.ts';
import { isObject } from '../../src/json.ts';
import { freshEmbedded } from '../support/embedded.ts';
import { type AssertionParts, PartnerClient, partnerKey, publicUrl } from '../support/partner-client.ts';
import { pantry, withPartners } from '../support/partners.ts';
import { eventually, startTestGateway } from '../support/rig.ts';

let gateway: Gateway;
let listening: Listening;
let second: Listening;
let client: PartnerClient;
let keys: { es: Awaited<ReturnType<typeof partnerKey>>; rs: Awaited<ReturnType<typeof partnerKey>> };
let stranger: JWK;
let published: { server: Server; url: string; keys: JWK[]; asked: number; fails: boolean };

beforeAll(async () => {
  keys = { es: await partnerKey('ES384'), rs: await partnerKey('RS384') };
  stranger = (await partnerKey('ES384')).key;
  published = await publish();
  const partners: readonly PartnerConfig[] = [
    {
      ...pantry,
      client: { id: 'pantry-app', keys: { keys: [keys.es.published, keys.rs.published] }, scopes: partnerScopes },
    },
    {
      id: 'shelter',
      organization: { source: 'county', id: 'org-shelter' },
      client: {
        id: 'shelter-app',
        keys: { url: published.url, allowPrivate: true },
        scopes: ['system/Task.rs', 'system/Patient.rs'],
      },
    },
  ];
  const server = { port: 0, host: '127.0.0.1', publicUrl };
  const config = withPartners([], partners, { server });
  gateway = await startTestGateway(await freshEmbedded(), config);
  listening = await listen(buildApp(gateway.api), server);
  // As a second process would, it knows of the first one only what the store knows.
  second = await listen(buildApp(gateway.api, { partnerRequestsPerMinute: 3 }), server);
  client = new PartnerClient(listening.url, 'pantry-app', keys.es.key);
}, 60_000);

afterAll(async () => {
  await Promise.all([listening.close(100), second.close(100)]);
  await gateway.stop();
  published.server.close();
});

async function publish(): Promise<typeof published> {
  const state = { keys: [] as JWK[], asked: 0, fails: false };
  const server = createServer((_request, response) => {
    published.asked += 1;
    response.statusCode = published.fails ? 503 : 200;
    response.setHeader('content-type', 'application/json').setHeader('cache-control', 'max-age=600');
    response.end(JSON.stringify({ keys: published.keys }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = isAddress(address) ? address.port : 0;
  return { ...state, server, url: `http://127.0.0.1:${port}/jwks.json` };
}

function isAddress(address: string | AddressInfo | null): address is AddressInfo {
  return typeof address === 'object' && address !== null;
}

describe('a token', () => {
  test.each(['es', 'rs'] as const)(
    'is given for an assertion that is signed by a key of the client (%s)',
    async (kind) => {
      const one = new PartnerClient(listening.url, 'pantry-app', keys[kind].key);
      const { status, body, headers } = await one.tokenFor('system/Task.rus');
      expect([status, headers.get('cache-control')]).toEqual([200, 'no-store']);
      expect(body).toEqual({
        access_token: expect.stringMatching(/^[\w-]{43}$/),
        token_type: 'bearer',
        expires_in: 300,
        scope: 'system/Task.rus',
      });
    },
  );

  test.each([
    [
      'what was asked, in the spelling of version 1',
      'system/Task.read system/Patient.read',
      'system/Task.read system/Patient.read',
    ],
    ['no more than is registered', 'system/Task.cruds', 'system/Task.rus'],
    ['nothing that is not offered', 'system/Task.rs system/Observation.rs user/Task.rs', 'system/Task.rs'],
    ['of all types those that are registered', 'system/*.u', 'system/Task.u'],
  ])('grants %s', async (_what, asked, granted) => {
    expect((await client.tokenFor(asked)).body.scope).toBe(granted);
  });

  test.each([
    ['nothing', ''],
    ['only what is not registered', 'system/Observation.rs'],
    ['what is limited to a search', 'system/Task.rs?status=requested'],
  ])('is not given for %s', async (_what, scope) => {
    const { status, body } = await client.tokenFor(scope);
    expect([status, body.error]).toEqual([400, 'invalid_scope']);
  });

  test('is kept nowhere but with its holder', async () => {
    const { body } = await client.tokenFor('system/Task.rs');
    const rows = await gateway.api.store.db.selectFrom('access_token').selectAll().execute();
    expect(JSON.stringify(rows)).not.toContain(String(body.access_token));
  });

  test('ends', async () => {
    const one = await new PartnerClient(listening.url, 'pantry-app', keys.es.key).signIn();
    expect((await one.fhir('GET', 'Task')).status).toBe(200);
    await gateway.api.store.db
      .updateTable('access_token')
      .set({ expires_at: new Date(0) })
      .execute();
    const { status, headers } = await one.fhir('GET', 'Task');
    expect([status, headers.get('www-authenticate')]).toEqual([401, 'Bearer']);
  });

  test('opens no more than it grants', async () => {
    const one = await new PartnerClient(listening.url, 'pantry-app', keys.es.key).signIn('system/Task.rs');
    expect((await one.fhir('GET', 'Task')).status).toBe(200);
    for (const [method, path] of [
      ['PUT', 'Task/x'],
      ['GET', 'Patient'],
      ['POST', 'Procedure'],
    ] as const) {
      const { status, body } = await one.fhir(method, path, method === 'GET' ? undefined : { resourceType: 'Task' });
      expect([status, isObject(body) && body.resourceType]).toEqual([403, 'OperationOutcome']);
    }
  });

  test('is needed, and must be one of ours', async () => {
    const nobody = new PartnerClient(listening.url, 'nobody', stranger);
    expect((await nobody.fhir('GET', 'Task')).status).toBe(401);
    for (const token of ['county-token', 'x'])
      expect((await nobody.fhir('GET', 'Task', undefined, { authorization: `Bearer ${token}` })).status).toBe(401);
  });
});

describe('an assertion', () => {
  const inFuture = () => Math.floor(Date.now() / 1000) + 120;

  test.each<[string, () => AssertionParts]>([
    ['that another key has signed', () => ({ key: { ...stranger, kid: keys.es.key.kid ?? '' } })],
    ['of a key that is not published', () => ({ key: stranger })],
    ['without the name of its key', () => ({ header: { kid: '' } })],
    ['for another server', () => ({ claims: { aud: 'https://other.example.org/oauth/token' } })],
    ['for another address of this one', () => ({ claims: { aud: publicUrl } })],
    ['of another client', () => ({ claims: { iss: 'shelter-app', sub: 'shelter-app' } })],
    ['of nobody', () => ({ claims: { iss: 'nobody', sub: 'nobody' } })],
    ['about somebody else', () => ({ claims: { sub: 'shelter-app' } })],
    ['that has expired', () => ({ livesFor: -10 })],
    ['that lives too long', () => ({ livesFor: 3600 })],
    ['without an end', () => ({ claims: { exp: undefined } })],
    ['without a name', () => ({ claims: { jti: undefined } })],
    ['of the future', () => ({ claims: { iat: inFuture() } })],
    ['not to be used yet', () => ({ claims: { nbf: inFuture() } })],
    ['that brings its own keys', () => ({ header: { jku: 'https://evil.example.org/jwks.json' } })],
  ])('%s is refused', async (_what, parts) => {
    const { status, body } = await client.tokenFor('system/Task.rs', parts());
    expect([status, body.error, body.access_token]).toEqual([400, 'invalid_client', undefined]);
  });

  test('with the wrong kind of signature is refused', async () => {
    const header = Buffer.from(JSON.stringify({ alg: 'none', kid: keys.es.key.kid })).toString('base64url');
    const [, payload] = (await client.assertion()).split('.');
    const secret = Buffer.from(JSON.stringify(keys.es.published));
    const hmac = await new SignJWT({ iss: 'pantry-app', sub: 'pantry-app', aud: `${publicUrl}/oauth/token`, jti: '1' })
      .setExpirationTime('1m')
      .setProtectedHeader({ alg: 'HS256', kid: keys.es.key.kid ?? '' })
      .sign(secret);
    const { privateKey } = await generateKeyPair('ES256', { extractable: true });
    const weak = await client.assertion({
      key: { ...(await exportJWK(privateKey)), alg: 'ES256', kid: keys.es.key.kid ?? '' },
    });
    for (const assertion of [`${header}.${payload}.`, hmac, weak, 'no.jwt.atall', '']) {
      const form = { ...(await client.tokenForm('system/Task.rs')), client_assertion: assertion };
      expect((await client.askToken(form)).status).toBe(400);
    }
  });

  test('is good once, whichever process it comes to', async () => {
    const form = await client.tokenForm('system/Task.rs');
    const other = client.at(second.url);
    const answers = await Promise.all([client.askToken(form), other.askToken(form), client.askToken(form)]);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 400, 400]);
    expect((await other.askToken(form)).body).toMatchObject({
      error: 'invalid_client',
      error_description: expect.stringContaining('jti'),
    });
  });

  test('that is refused is audited under the client that it claims to be of, and nothing that was sent with it', async () => {
    const { db } = gateway.api.store;
    const { last } = await db
      .selectFrom('audit')
      .select((of) => of.fn.max('id').as('last'))
      .executeTakeFirstOrThrow();
    await client.tokenFor('system/Task.rs', { key: stranger });
    await client.tokenFor('system/Task.rs', { claims: { iss: 'somebody-else', sub: 'somebody-else' } });
    await client.tokenFor('system/Observation.rs');
    const rows = await db
      .selectFrom('audit')
      .selectAll()
      .where('id', '>', last ?? '0')
      .where('action', '=', 'token')
      .orderBy('id')
      .execute();
    expect(rows.map(({ partner, actor, outcome }) => [partner, actor, outcome])).toEqual([
      ['pantry', 'client:pantry-app', 'invalid_client'],
      [null, 'client:unknown', 'invalid_client'],
      ['pantry', 'client:pantry-app', 'invalid_scope'],
    ]);
    expect(JSON.stringify(rows)).not.toContain('somebody-else');
  });

  test.each([
    ['grant type', { grant_type: 'password' }, 'unsupported_grant_type'],
    ['type of assertion', { client_assertion_type: 'jwt' }, 'invalid_request'],
  ])('comes in a form with the right %s', async (_what, change, error) => {
    const { status, body } = await client.askToken({ ...(await client.tokenForm('system/Task.rs')), ...change });
    expect([status, body.error]).toEqual([400, error]);
  });

  // RFC 6749 3.2.
  test.each(['grant_type', 'scope', 'client_assertion', 'client_assertion_type'])(
    'says each thing once: %s',
    async (name) => {
      const form = await client.tokenForm('system/Task.rs');
      const body = new URLSearchParams([...Object.entries(form), [name, form[name] ?? '']]);
      const response = await fetch(`${listening.url}/oauth/token`, { method: 'POST', body });
      expect([response.status, await response.json()]).toEqual([
        400,
        { error: 'invalid_request', error_description: `${name} is there more than once.` },
      ]);
      expect((await client.askToken(form)).status).toBe(200);
    },
  );

  test('comes in a form', async () => {
    for (const init of [
      {
        body: JSON.stringify(await client.tokenForm('system/Task.rs')),
        headers: { 'content-type': 'application/json' },
      },
      { body: 'x'.repeat(50_000), headers: { 'content-type': 'application/x-www-form-urlencoded' } },
      {},
    ]) {
      const response = await fetch(`${listening.url}/oauth/token`, { method: 'POST', ...init });
      expect([response.status, await response.json()]).toEqual([
        400,
        expect.objectContaining({ error: 'invalid_request' }),
      ]);
    }
  });
});

// RFC 6749 5.2 and SMART App Launch 2.2 conformance.html: what is answered here is JSON, whatever a FHIR client names in Accept.
test('who asks for FHIR is answered in JSON all the same', async () => {
  const headers = { accept: 'application/fhir+json' };
  const body = new URLSearchParams(await client.tokenForm('system/Task.rs'));
  for (const [method, path, init] of [
    ['POST', '/oauth/token', { body }],
    ['GET', '/.well-known/smart-configuration', {}],
  ] as const) {
    const response = await fetch(`${listening.url}${path}`, { method, headers, ...init });
    expect([response.status, response.headers.get('content-type')]).toEqual([200, expect.stringMatching(/\/json/)]);
  }
});

test('keys that a client publishes are fetched, kept as long as they may be, and fetched again for a new one', async () => {
  const [first, next] = [await partnerKey(), await partnerKey('RS384')];
  published.keys = [first.published];
  published.asked = 0;
  let now = Date.parse('2026-06-01T00:00:00Z');
  const limits = { connectMs: 5_000, totalMs: 5_000, replyBytes: 100_000, requestBytes: 1_000 };
  const exchanger = openExchanger({ connection: 'partners', concurrency: 1, limits });
  const { keySet } = clientKeys(
    () => exchanger,
    () => now,
  );
  const ask = async ({ kid = '' }: JWK) => {
    const set = await keySet({ id: 'shelter-app', keys: { url: published.url, allowPrivate: true }, scopes: [] }, kid);
    return [set?.keys.some((key) => key.kid === kid), published.asked];
  };
  expect(await ask(first.key)).toEqual([true, 1]);
  expect(await ask(first.key)).toEqual([true, 1]);
  // Whoever forges names of keys does not make us ask each time.
  expect(await ask(stranger)).toEqual([false, 1]);
  published.keys = [first.published, next.published];
  now += 6_000;
  expect(await ask(next.key)).toEqual([true, 2]);
  now += 601_000;
  expect(await ask(next.key)).toEqual([true, 3]);
  // Whoever forges one while the address fails takes nobody's keys away.
  now += 6_000;
  published.fails = true;
  expect(await ask(stranger)).toEqual([false, 4]);
  expect(await ask(next.key)).toEqual([true, 4]);
  // No longer than they may be kept, and then it is not asked each time either.
  now += 601_000;
  expect(await ask(next.key)).toEqual([undefined, 5]);
  expect(await ask(next.key)).toEqual([undefined, 5]);
  published.fails = false;
  now += 6_000;
  expect(await ask(next.key)).toEqual([true, 6]);
  exchanger.close();
});

test.each([
  ['an address', (url: string) => url],
  ['a name that leads to one', (url: string) => url.replace('127.0.0.1', 'localhost')],
])('keys on this machine, by %s, are not asked for unless the configuration allows it', async (_, named) => {
  const { published: own, key } = await partnerKey();
  published.keys = [own];
  published.asked = 0;
  const { port } = new URL(published.url);
  const limits = { connectMs: 5_000, totalMs: 5_000, replyBytes: 100_000, requestBytes: 1_000 };
  const exchangerOf = (allowPrivate: boolean) =>
    openExchanger({ connection: 'partners', concurrency: 1, limits, lookup: guardedLookup(allowPrivate) });
  const [outside, inside] = [exchangerOf(false), exchangerOf(true)];
  const { keySet } = clientKeys((allowPrivate) => (allowPrivate ? inside : outside), Date.now);
  const ask = async (allowPrivate: boolean) => {
    const url = `${named(`http://127.0.0.1:${port}`)}/${allowPrivate}`;
    return keySet({ id: 'shelter-app', keys: { url, allowPrivate }, scopes: [] }, key.kid ?? '');
  };
  expect([await ask(false), published.asked]).toEqual([undefined, 0]);
  expect([(await ask(true))?.keys.length, published.asked]).toEqual([1, 1]);
  for (const one of [outside, inside]) one.close();
});

test('a client that asks too often waits', async () => {
  const one = (await new PartnerClient(listening.url, 'pantry-app', keys.es.key).signIn()).at(second.url);
  const answers = [];
  for (let times = 0; times < 4; times += 1) answers.push(await one.fhir('GET', 'Task'));
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 429]);
  expect(Number(answers[3]?.headers.get('retry-after'))).toBeGreaterThan(0);
  expect(answers[3]?.body.resourceType).toBe('OperationOutcome');
});

test('who can ask for a token learns where', async () => {
  for (const path of ['/.well-known/smart-configuration', '/fhir/R4/.well-known/smart-configuration']) {
    const response = await fetch(`${listening.url}${path}`);
    expect(await response.json()).toEqual({
      token_endpoint: `${publicUrl}/oauth/token`,
      grant_types_supported: ['client_credentials'],
      token_endpoint_auth_methods_supported: ['private_key_jwt'],
      token_endpoint_auth_signing_alg_values_supported: ['RS384', 'ES384'],
      scopes_supported: partnerScopes,
      capabilities: ['client-confidential-asymmetric', 'permission-v1', 'permission-v2'],
    });
  }
});

test('requests for tokens are counted by how they ended, and by nobody’s name', async () => {
  const counted = async () => {
    const text = await gateway.api.metrics.registry.metrics();
    const of = (outcome: string) =>
      Number(
        text
          .split(`casebridge_partner_requests_total{route="POST /oauth/token",outcome="${outcome}"} `)[1]
          ?.split('\n')[0] ?? 0,
      );
    return { given: of('2xx'), refused: of('4xx') };
  };
  const before = await counted();
  await client.tokenFor('system/Task.rs');
  await client.tokenFor('system/Observation.rs');
  await client.tokenFor('');
  // A request is counted when its answer has gone out whole.
  await eventually(async () => (await counted()).refused > before.refused + 1, 'the last request to be counted');
  expect(await counted()).toEqual({ given: before.given + 1, refused: before.refused + 2 });
  expect(await gateway.api.metrics.registry.metrics()).not.toContain('pantry-app');
});
