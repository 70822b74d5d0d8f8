import { createServer } from 'node:http';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose';
import { type Answered, aPatient, aTask, useSandbox } from './server.ts';

const server = useSandbox();

interface Key {
  privateKey: CryptoKey;
  jwk: JWK;
  alg: string;
}

let rsa: Key;
let ec: Key;
let stranger: Key;
let nextId = 0;

async function newKey(alg: string, kid: string): Promise<Key> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  return { privateKey, alg, jwk: { ...(await exportJWK(publicKey)), kid, alg } };
}

beforeAll(async () => {
  [rsa, ec, stranger] = await Promise.all([newKey('RS384', 'rsa'), newKey('ES384', 'ec'), newKey('RS384', 'rsa')]);
});

const seconds = () => Math.floor(Date.now() / 1000);

interface Claims {
  iss?: string;
  sub?: string;
  aud?: string;
  exp?: number;
  jti?: string;
}

function assertion(key: Key, claims: Claims = {}): Promise<string> {
  nextId += 1;
  const all = {
    iss: 'gateway',
    sub: 'gateway',
    aud: server.tokenUrl,
    exp: seconds() + 240,
    jti: `id-${nextId}`,
    ...claims,
  };
  return new SignJWT(all).setProtectedHeader({ alg: key.alg, kid: key.jwk.kid ?? '', typ: 'JWT' }).sign(key.privateKey);
}

function askToken(form: Record<string, string>, headers: Record<string, string> = {}): Promise<Answered> {
  return server.fhir('POST', server.tokenUrl, {
    headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
    body: new URLSearchParams(form).toString(),
  });
}

async function askWith(jwt: string, change: Record<string, string> = {}): Promise<Answered> {
  return askToken({
    grant_type: 'client_credentials',
    scope: 'system/Patient.crus system/Task.rs',
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: jwt,
    ...change,
  });
}

const register = (change: Record<string, unknown> = {}) =>
  server.control('POST', 'clients', [
    {
      clientId: 'gateway',
      jwks: { keys: [rsa.jwk, ec.jwk] },
      scopes: ['system/Patient.cruds', 'system/Task.read'],
      ...change,
    },
  ]);

test('discovery says where tokens are and how to ask', async () => {
  const { body } = await server.fhir('GET', '.well-known/smart-configuration');
  expect(body).toMatchObject({
    token_endpoint: server.tokenUrl,
    grant_types_supported: ['client_credentials'],
    token_endpoint_auth_methods_supported: ['private_key_jwt', 'client_secret_basic'],
    token_endpoint_auth_signing_alg_values_supported: ['RS384', 'ES384'],
  });
});

describe('the token endpoint', () => {
  test('gives a token for an assertion signed with RS384 or ES384', async () => {
    await register();
    for (const key of [rsa, ec]) {
      const answer = await askWith(await assertion(key));
      expect(answer.status).toBe(200);
      expect(answer.headers.get('cache-control')).toBe('no-store');
      expect(answer.body).toEqual({
        access_token: expect.stringMatching(/./),
        token_type: 'bearer',
        expires_in: 300,
        scope: 'system/Patient.crus system/Task.rs',
      });
    }
  });

  test('reads the keys from a jwksUrl', async () => {
    const keys = createServer((_request, response) => {
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ keys: [ec.jwk] }));
    });
    await new Promise<void>((resolve) => keys.listen(0, '127.0.0.1', resolve));
    const address = keys.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    await register({ jwks: undefined, jwksUrl: `http://127.0.0.1:${port}/jwks.json` });
    expect((await askWith(await assertion(ec))).status).toBe(200);
    keys.closeAllConnections();
    await new Promise((resolve) => keys.close(resolve));
    const answer = await askWith(await assertion(ec));
    expect(answer.status).toBe(400);
    expect(answer.body.error_description).toContain('jwksUrl');
  });

  test('takes a client secret by HTTP Basic', async () => {
    await server.control('POST', 'clients', [{ clientId: 'hub', secret: 's3:cret/ü', scopes: ['system/*.cruds'] }]);
    const basic = (secret: string) => ({ authorization: `Basic ${Buffer.from(`hub:${secret}`).toString('base64')}` });
    const form = { grant_type: 'client_credentials', scope: 'system/*.rs' };
    expect((await askToken(form, basic('s3:cret/ü'))).status).toBe(200);
    expect((await askToken(form, basic(encodeURIComponent('s3:cret/ü')))).status).toBe(200);
    expect((await askToken(form, basic('other'))).body.error).toBe('invalid_client');
  });

  test('grants only what is registered', async () => {
    await register();
    const answer = await askWith(await assertion(rsa), { scope: 'system/Patient.rs system/Task.cruds system/Goal.rs' });
    expect(answer.body.scope).toBe('system/Patient.rs');
  });

  test.each<[string, () => Promise<string>]>([
    ['another audience', () => assertion(rsa, { aud: 'https://example.org/token' })],
    ['another subject', () => assertion(rsa, { sub: 'other' })],
    ['an unknown issuer', () => assertion(rsa, { iss: 'other', sub: 'other' })],
    ['a life of more than 5 minutes', () => assertion(rsa, { exp: seconds() + 600 })],
    ['a life that is over', () => assertion(rsa, { exp: seconds() - 60 })],
    ['another key under the same kid', () => assertion(stranger)],
    ['a kid that is not registered', () => assertion({ ...rsa, jwk: { ...rsa.jwk, kid: 'none' } })],
    ['no jti', () => assertion(rsa, { jti: undefined })],
    ['no JWT at all', async () => 'abc'],
  ])('refuses an assertion with %s', async (_name, jwt) => {
    await register();
    const answer = await askWith(await jwt());
    expect(answer.status).toBe(400);
    expect(answer.body).toEqual({ error: 'invalid_client', error_description: expect.stringMatching(/\.$/) });
  });

  test('takes an assertion once', async () => {
    await register();
    const jwt = await assertion(rsa);
    expect((await askWith(jwt)).status).toBe(200);
    const again = await askWith(jwt);
    expect(again.body).toEqual({ error: 'invalid_client', error_description: 'The jti has been used before.' });
  });

  test.each<[string, Record<string, string>, string]>([
    ['another grant', { grant_type: 'password' }, 'unsupported_grant_type'],
    ['no scope', { scope: '' }, 'invalid_scope'],
    ['only scopes that are not registered', { scope: 'system/Goal.rs user/Patient.rs' }, 'invalid_scope'],
    ['another kind of assertion', { client_assertion_type: 'saml' }, 'invalid_request'],
  ])('refuses %s', async (_name, change, error) => {
    await register();
    const answer = await askWith(await assertion(rsa), change);
    expect(answer.status).toBe(400);
    expect(answer.body.error).toBe(error);
  });

  test('refuses a JSON body', async () => {
    const answer = await server.fhir('POST', server.tokenUrl, { body: {} });
    expect(answer.status).toBe(400);
    expect(answer.body.error).toBe('invalid_request');
    expect((await server.fhir('GET', server.tokenUrl)).status).toBe(405);
  });
});

describe('access control', () => {
  async function token(scope: string): Promise<{ authorization: string }> {
    const { body } = await askWith(await assertion(rsa), { scope });
    return { authorization: `Bearer ${body.access_token}` };
  }

  test('is off at first; when it is on, requests without a good token answer 401', async () => {
    expect((await server.fhir('GET', 'Patient')).status).toBe(200);
    await server.control('POST', 'settings', { auth: 'token' });

    const none = await server.fhir('GET', 'Patient');
    expect(none.status).toBe(401);
    expect(none.headers.get('www-authenticate')).toBe('Bearer');
    expect(none.body.resourceType).toBe('OperationOutcome');
    const wrong = await server.fhir('GET', 'Patient', { headers: { authorization: 'Bearer guess' } });
    expect(wrong.headers.get('www-authenticate')).toBe('Bearer error="invalid_token"');
    expect((await server.fhir('POST', '', { body: {} })).status).toBe(401);
  });

  test('leaves /metadata and discovery open, and /metadata then speaks of SMART', async () => {
    await server.control('POST', 'settings', { auth: 'token' });
    const { body } = await server.fhir('GET', 'metadata');
    expect(body.rest[0].security.service[0].coding[0].code).toBe('SMART-on-FHIR');
    expect(body.rest[0].security.extension[0].extension[0].valueUri).toBe(server.tokenUrl);
    expect((await server.fhir('GET', '.well-known/smart-configuration')).status).toBe(200);
  });

  test('allows each action by its scope', async () => {
    await register({ scopes: ['system/*.*'] });
    const patient = await server.created(aPatient());
    await server.control('POST', 'settings', { auth: 'token' });
    const tryAll = async (scope: string) => {
      const headers = await token(scope);
      const statuses = [
        await server.fhir('GET', `Patient/${patient}`, { headers }),
        await server.fhir('GET', 'Patient', { headers }),
        await server.fhir('POST', 'Patient', { headers, body: aPatient() }),
        await server.fhir('PUT', `Patient/${patient}`, { headers, body: aPatient({ id: patient }) }),
        await server.fhir('GET', 'Task', { headers }),
      ];
      return statuses.map(({ status }) => status);
    };
    expect(await tryAll('system/Patient.rs')).toEqual([200, 200, 403, 403, 403]);
    expect(await tryAll('system/Patient.read system/Task.read')).toEqual([200, 200, 403, 403, 200]);
    expect(await tryAll('system/Patient.write')).toEqual([403, 403, 201, 200, 403]);
    expect(await tryAll('system/*.cruds')).toEqual([200, 200, 201, 200, 200]);
    expect(await tryAll('system/*.*')).toEqual([200, 200, 201, 200, 200]);
  });

  test('refuses a transaction of which one entry is not covered, and does none of it', async () => {
    await register({ scopes: ['system/Patient.c'] });
    await server.control('POST', 'settings', { auth: 'token' });
    const entry = [
      { resource: aPatient(), request: { method: 'POST', url: 'Patient' } },
      { resource: { resourceType: 'Organization', name: 'x' }, request: { method: 'POST', url: 'Organization' } },
    ];
    const headers = await token('system/Patient.c');
    const answer = await server.fhir('POST', '', {
      headers,
      body: { resourceType: 'Bundle', type: 'transaction', entry },
    });
    expect(answer.status).toBe(403);
    expect(answer.body.issue[0].code).toBe('forbidden');
    expect((await server.control('GET', 'resources')).body).toEqual({});
  });

  test('includes only what may be read', async () => {
    await register({ scopes: ['system/Task.rs'] });
    const patient = await server.created(aPatient());
    await server.created(aTask(patient));
    await server.control('POST', 'settings', { auth: 'token' });
    const { body } = await server.fhir('GET', 'Task?_include=Task:patient', { headers: await token('system/Task.rs') });
    expect(body.entry).toHaveLength(1);
  });

  test('ends tokens by the virtual clock and by tokens/expire', async () => {
    await register();
    await server.control('POST', 'settings', { auth: 'token', tokenSeconds: 570 });
    const first = await token('system/Patient.rs');
    await server.control('POST', 'clock', { advance: '9m' });
    expect((await server.fhir('GET', 'Patient', { headers: first })).status).toBe(200);
    await server.control('POST', 'clock', { advance: '31s' });
    const late = await server.fhir('GET', 'Patient', { headers: first });
    expect(late.status).toBe(401);
    expect(late.headers.get('www-authenticate')).toBe('Bearer error="invalid_token"');

    const second = await token('system/Patient.rs');
    expect((await server.fhir('GET', 'Patient', { headers: second })).status).toBe(200);
    await server.control('POST', 'tokens/expire');
    expect((await server.fhir('GET', 'Patient', { headers: second })).status).toBe(401);
  });

  test('takes a fixed bearer token or user and password where they are set', async () => {
    await server.control('POST', 'settings', {
      auth: 'token',
      bearerToken: 'fixed',
      basic: { user: 'u', password: 'pä' },
    });
    const basic = (password: string) => `Basic ${Buffer.from(`u:${password}`).toString('base64')}`;
    const status = async (authorization: string) =>
      (await server.fhir('GET', 'Task', { headers: { authorization } })).status;
    expect(await status('Bearer fixed')).toBe(200);
    expect(await status('Bearer other')).toBe(401);
    expect(await status(basic('pä'))).toBe(200);
    expect(await status(basic('other'))).toBe(401);
  });
});

test('the journal has the token request without its secrets', async () => {
  await register();
  const jwt = await assertion(rsa);
  await askWith(jwt);
  await server.fhir('GET', 'Patient', { headers: { authorization: 'Bearer very-secret' } });
  const text = JSON.stringify(await server.journal());
  expect(text).toContain('/standard/oauth2/token');
  expect(text).toContain('client_assertion=***');
  expect(text).toContain('"authorization":"Bearer ***"');
  expect(text).not.toContain(jwt);
  expect(text).not.toContain('very-secret');
});
