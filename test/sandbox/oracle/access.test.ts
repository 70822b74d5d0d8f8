import { beforeEach, describe, expect, test } from '@jest/globals';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { type Answered, aPatient, idsOf, nextOf, type Parsed, useOracle } from './server.ts';

const server = useOracle('token');

const secret = 'correct horse battery staple';
const basic = { authorization: `Basic ${Buffer.from(`gateway:${secret}`).toString('base64')}` };
const form = { 'content-type': 'application/x-www-form-urlencoded' };

beforeEach(() => register({}));

function register(change: Parsed): Promise<Answered> {
  const scopes = [
    'system/Patient.rs',
    'system/DocumentReference.crus',
    'system/Binary.read',
    'system/Observation.read',
  ];
  return server.control('POST', 'clients', [{ clientId: 'gateway', secret, scopes, ...change }]);
}

function askToken(scope: string | undefined, headers: Record<string, string> = basic): Promise<Answered> {
  const fields = { grant_type: 'client_credentials', ...(scope !== undefined && { scope }) };
  return server.fhir('POST', server.tokenUrl, {
    headers: { ...form, ...headers },
    body: new URLSearchParams(fields).toString(),
  });
}

async function bearer(scope = 'system/Patient.rs system/DocumentReference.crus'): Promise<{ authorization: string }> {
  const { body } = await askToken(scope);
  return { authorization: `Bearer ${body.access_token}` };
}

describe('the token endpoint', () => {
  test('C1 takes a secret by Basic, gives 570 seconds, and drops what is not registered without a word', async () => {
    const answer = await askToken('system/Patient.rs system/CarePlan.rs system/Patient.crus');
    expect(answer.status).toBe(200);
    expect(answer.headers.get('cerner-correlation-id')).toMatch(/^[0-9a-f-]{36}$/);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(answer.body).toEqual({
      access_token: expect.stringMatching(/./),
      token_type: 'bearer',
      expires_in: 570,
      scope: 'system/Patient.rs',
    });
    await server.set({ tokenSeconds: 5 });
    expect((await askToken('system/Patient.rs')).body.expires_in).toBe(5);
  });

  test.each(['RS384', 'ES384'])('C1 takes an assertion signed with %s', async (alg) => {
    const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
    const jwk = { ...(await exportJWK(publicKey)), kid: 'one', alg };
    await register({ secret: undefined, jwks: { keys: [jwk] } });
    const assertion = await new SignJWT({ jti: `id-${alg}` })
      .setProtectedHeader({ alg, kid: 'one', typ: 'JWT' })
      .setIssuer('gateway')
      .setSubject('gateway')
      .setAudience(server.tokenUrl)
      .setExpirationTime('4m')
      .sign(privateKey);
    const body = new URLSearchParams({
      grant_type: 'client_credentials',
      scope: 'system/Patient.rs',
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: assertion,
    });
    const answer = await server.fhir('POST', server.tokenUrl, { headers: form, body: body.toString() });
    expect([answer.status, answer.body.scope]).toEqual([200, 'system/Patient.rs']);
  });

  test.each<[string, string | undefined, string[], string]>([
    ['without a scope', undefined, ['system/Patient.rs'], 'missing-scope'],
    ['with a scope that is not registered', 'system/Coverage.rs', ['system/Patient.rs'], 'empty-scopes'],
    ['with a type of any name', 'system/*.rs', ['system/*.rs'], 'empty-scopes'],
    ['with any action', 'system/Patient.*', ['system/Patient.*'], 'empty-scopes'],
  ])('C1 refuses a request %s with 400 invalid_scope and the reason as a URN', async (_name, scope, scopes, reason) => {
    await register({ scopes });
    const { status, body, headers } = await askToken(scope);
    expect([status, body.error]).toEqual([400, 'invalid_scope']);
    expect(decodeURIComponent(body.error_uri)).toContain(`:oauth2:token:${reason}/instances/`);
    expect(body.error_uri).toContain(headers.get('cerner-correlation-id'));
  });

  test('C1 refuses a wrong secret with invalid_client, and what is no form with invalid_request', async () => {
    const wrong = { authorization: `Basic ${Buffer.from('gateway:wrong').toString('base64')}` };
    expect((await askToken('system/Patient.rs', wrong)).body).toMatchObject({ error: 'invalid_client' });
    const asJson = await server.fhir('POST', server.tokenUrl, { headers: basic, body: { scope: 'system/Patient.rs' } });
    expect([asJson.status, asJson.body.error]).toEqual([400, 'invalid_request']);
  });

  test.each([
    ['v1', 'system/Observation.read'],
    ['v2', 'system/Patient.rs'],
    ['both', 'system/Patient.rs system/Observation.read'],
  ])('C1 with the spelling %s grants %s', async (scopeSpelling, granted) => {
    await server.set({ scopeSpelling });
    expect((await askToken('system/Patient.rs system/Observation.read')).body.scope).toBe(granted);
  });

  test('C1 is found by discovery, which names no wildcard scope', async () => {
    const { body } = await server.fhir('GET', '.well-known/smart-configuration');
    expect(body.token_endpoint).toBe(server.tokenUrl);
    expect(body.scopes_supported).toEqual(expect.arrayContaining(['system/Coverage.cruds', 'system/CarePlan.rs']));
    expect(body.scopes_supported).toEqual(expect.arrayContaining(['system/Patient.read', 'system/Patient.write']));
    expect(body.scopes_supported.join()).not.toContain('*');
  });
});

test('C2 a token that ends between two pages gives 401, and the same next link works with a new one', async () => {
  await server.seed(...Array.from({ length: 25 }, (_, index) => aPatient({ id: `p${index}` })));
  await server.set({ paging: { empty: false, repeat: false, total: false } });
  const first = await server.fhir('GET', 'Patient?family=Ødegård', { headers: await bearer() });
  const next = nextOf(first) ?? '';
  const headers = await bearer();
  await server.control('POST', 'clock', { advance: '571s' });
  const ended = await server.fhir('GET', next, { headers });
  expect(ended.status).toBe(401);
  expect(ended.headers.get('www-authenticate')).toMatch(/^Bearer realm=".+", error="invalid_token"$/);
  const second = await server.fhir('GET', next, { headers: await bearer() });
  expect(idsOf(second)).toEqual(['p20', 'p21', 'p22', 'p23', 'p24']);
  expect((await server.fhir('GET', next)).status).toBe(401);
});

test('C3 another tenant is refused with 403 in plain text', async () => {
  const other = server.base.replace(/[^/]+$/, '11111111-2222-3333-4444-555555555555');
  for (const url of [
    `${other}/metadata`,
    `${other}/Patient/p1`,
    server.tokenUrl.replace(/tenants\/[^/]+/, 'tenants/x'),
  ]) {
    const answer = await server.fhir('GET', url);
    expect([answer.status, answer.text]).toEqual([403, 'Tenant not valid or accessible']);
    expect(answer.headers.get('content-type')).toContain('text/plain');
  }
  await server.set({ checkTenant: false });
  expect((await server.fhir('GET', `${other}/metadata`)).status).toBe(200);
});

test('C4 a missing scope is said by turns as an OperationOutcome and as JSON of the gateway', async () => {
  const headers = await bearer('system/Patient.rs');
  const shapes = async (times: number) => {
    const answers = [];
    for (let turn = 0; turn < times; turn += 1) answers.push(await server.fhir('GET', 'Goal?patient=p1', { headers }));
    expect(answers.map(({ status }) => status)).toEqual(Array(times).fill(403));
    return answers.map(({ body }) => body);
  };
  const outcome = {
    resourceType: 'OperationOutcome',
    issue: [
      {
        severity: 'error',
        code: 'forbidden',
        diagnostics: expect.stringContaining('error="insufficient_scope"'),
        expression: ['http.Authorization'],
      },
    ],
  };
  const gateway = { code: 403, message: expect.stringContaining('subcode=no_scope_for_resource_path') };
  expect(await shapes(3)).toEqual([outcome, gateway, outcome]);
  await server.set({ forbiddenShape: 'gateway' });
  expect(await shapes(2)).toEqual([gateway, gateway]);
  await server.set({ forbiddenShape: 'outcome' });
  expect(await shapes(2)).toEqual([outcome, outcome]);
});

test('C5 who wants no JSON gets 406 and nothing else; resources come under two media types', async () => {
  await server.seed(aPatient());
  const headers = await bearer();
  const read = async (accept: string) => {
    const answer = await server.fhir('GET', 'Patient/p1', { headers: { ...headers, accept } });
    return { ...answer, type: answer.headers.get('content-type')?.split(';')[0] };
  };
  const refused = await read('application/fhir+xml');
  expect([refused.status, refused.text]).toEqual([406, '']);
  const types = [await read('application/fhir+json'), await read('application/json'), await read('*/*')];
  expect(new Set(types.map(({ type }) => type))).toEqual(new Set(['application/fhir+json', 'application/json+fhir']));
  await server.set({ mediaType: 'application/json+fhir', checkAccept: false });
  expect((await read('application/fhir+xml')).type).toBe('application/json+fhir');
  expect((await read('application/fhir+json')).type).toBe('application/json+fhir');
});

test('C6 every answer has an X-Request-Id, some have an opc-request-id', async () => {
  const headers = await bearer();
  const ids = async () => {
    const answers = await Promise.all(
      ['Patient/none', 'metadata', 'Patient?family=a', 'Task/1'].map((path) => server.fhir('GET', path, { headers })),
    );
    return answers.map(({ headers: given }) => [given.get('x-request-id'), given.get('opc-request-id')]);
  };
  const sometimes = await ids();
  expect(new Set(sometimes.map(([id]) => id)).size).toBe(4);
  expect(sometimes.every(([id]) => /^[0-9a-f]{32}$/.test(id ?? ''))).toBe(true);
  expect(sometimes.filter(([, cloud]) => cloud !== null)).toHaveLength(2);
  await server.set({ opcRequestId: 'never' });
  expect((await ids()).every(([, cloud]) => cloud === null)).toBe(true);
  await server.set({ opcRequestId: 'always' });
  expect((await ids()).every(([, cloud]) => cloud !== null)).toBe(true);
});

test('C29 an attachment needs the scope of what refers to it as well', async () => {
  const read = async (scope: string) =>
    (await server.fhir('GET', 'Binary/TR-1', { headers: await bearer(scope) })).status;
  expect(await read('system/Binary.read')).toBe(403);
  expect(await read('system/DocumentReference.crus')).toBe(403);
  expect(await read('system/Binary.read system/DocumentReference.crus')).toBe(404);
});
