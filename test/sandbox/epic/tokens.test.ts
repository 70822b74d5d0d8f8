import { createServer, type Server } from 'node:http';
import { afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { SignJWT } from 'jose';
import {
  ada,
  askToken,
  assertion,
  authorized,
  type Key,
  newKey,
  register,
  seconds,
  tokenForm,
  useEpic,
} from './server.ts';

const epic = useEpic();

let rsa: Key;
let ec: Key;
let stranger: Key;

beforeAll(async () => {
  [rsa, ec, stranger] = await Promise.all([newKey('RS384', 'rsa'), newKey('ES384', 'ec'), newKey('RS384', 'rsa')]);
});

beforeEach(async () => {
  await epic.settings({ auth: 'token' });
  await register(epic, { jwks: { keys: [rsa.jwk, ec.jwk] } });
});

const refused = { error: 'invalid_client', error_description: null };

test('E1 the parameters of a token request are taken from a form body only', async () => {
  const form = tokenForm(await assertion(epic, rsa));
  const headers = { 'content-type': 'application/x-www-form-urlencoded' };
  const others = [
    await epic.fhir('POST', epic.tokenUrl, { body: Object.fromEntries(form) }),
    await epic.fhir('GET', `${epic.tokenUrl}?${form}`),
    await epic.fhir('POST', `${epic.tokenUrl}?${form}`, { headers }),
  ];
  expect(others.map(({ status, body }) => [status, body.error])).toEqual(Array(3).fill([400, 'invalid_request']));
  expect((await epic.fhir('POST', epic.tokenUrl, { headers, body: String(form) })).status).toBe(200);

  await epic.settings({ off: ['E1'] });
  const again = Object.fromEntries(tokenForm(await assertion(epic, rsa)));
  expect((await epic.fhir('POST', epic.tokenUrl, { body: again })).status).toBe(200);
});

test.each<[string, () => Promise<string>]>([
  ['another audience', () => assertion(epic, rsa, { aud: `${epic.tokenUrl}/` })],
  ['several audiences', () => assertion(epic, rsa, { aud: [epic.tokenUrl, 'https://other.example.org'] })],
  ['an unknown issuer', () => assertion(epic, rsa, { iss: 'other', sub: 'other' })],
  ['another subject', () => assertion(epic, rsa, { sub: 'other' })],
  ['an end more than five minutes away', () => assertion(epic, rsa, { iat: undefined, exp: seconds() + 302 })],
  ['a life of more than five minutes', () => assertion(epic, rsa, { iat: seconds() - 70, exp: seconds() + 240 })],
  ['an end that is over', () => assertion(epic, rsa, { exp: seconds() - 1 })],
  ['no end', () => assertion(epic, rsa, { exp: undefined })],
  ['a start in the future', () => assertion(epic, rsa, { iat: seconds() + 5 })],
  ['a nbf in the future', () => assertion(epic, rsa, { nbf: seconds() + 5 })],
  ['a jti of 152 characters', () => assertion(epic, rsa, { jti: 'x'.repeat(152) })],
  ['no jti', () => assertion(epic, rsa, { jti: undefined })],
  ['an unknown kid', () => assertion(epic, rsa, { kid: 'other' })],
  ['another key under the same kid', () => assertion(epic, stranger)],
  ['a shared secret', sharedSecret],
  ['no JWT at all', async () => 'abc'],
])('E2 an assertion with %s is refused without a word', async (_name, jwt) => {
  const answer = await askToken(epic, await jwt());
  expect([answer.status, answer.body]).toEqual([400, refused]);
});

function sharedSecret(): Promise<string> {
  const claims = { iss: 'gateway', sub: 'gateway', aud: epic.tokenUrl, exp: seconds() + 240, jti: 'hs' };
  return new SignJWT(claims).setProtectedHeader({ alg: 'HS256', kid: 'rsa' }).sign(Buffer.from('x'.repeat(32)));
}

test('E2 a jti of 151 characters is good once; RS384 and ES384 are taken', async () => {
  const jwt = await assertion(epic, ec, { jti: 'x'.repeat(151) });
  expect((await askToken(epic, jwt)).status).toBe(200);
  expect((await askToken(epic, jwt)).body).toEqual(refused);
  expect((await askToken(epic, await assertion(epic, rsa))).status).toBe(200);
});

test('E2 a server whose clock is behind refuses a start that is not set back', async () => {
  await epic.settings({ clockSkewSeconds: -20 });
  expect((await askToken(epic, await assertion(epic, rsa))).body).toEqual(refused);
  const early = { iat: seconds() - 30, exp: seconds() + 200 };
  expect((await askToken(epic, await assertion(epic, rsa, early))).status).toBe(200);
});

test('E2 switched off, only issuer and signature count', async () => {
  await epic.settings({ off: ['E2'] });
  const jwt = await assertion(epic, rsa, { aud: 'other', sub: 'other', exp: seconds() + 3600 });
  expect((await askToken(epic, jwt)).status).toBe(200);
  expect((await askToken(epic, jwt)).status).toBe(200);
  expect((await askToken(epic, await assertion(epic, stranger))).body).toEqual(refused);
});

let keyServer: Server | undefined;
afterEach(async () => {
  keyServer?.closeAllConnections();
  await new Promise<void>((resolve) => (keyServer === undefined ? resolve() : keyServer.close(() => resolve())));
  keyServer = undefined;
});

async function serveKeys(answer: () => { status?: number; body: unknown }): Promise<string> {
  const server = createServer((_request, response) => {
    const { status = 200, body } = answer();
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(JSON.stringify(body));
  });
  keyServer = server;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}/jwks.json`;
}

test('E3 a key set is read again only when the kept one is old', async () => {
  let published = [rsa.jwk];
  let reads = 0;
  const jwksUrl = await serveKeys(() => {
    reads += 1;
    return { body: { keys: published } };
  });
  await register(epic, { jwksUrl });
  expect((await askToken(epic, await assertion(epic, rsa))).status).toBe(200);

  published = [rsa.jwk, ec.jwk];
  expect((await askToken(epic, await assertion(epic, ec))).body).toEqual(refused);
  expect(reads).toBe(1);
  await epic.control('POST', 'clock', { advance: '61s' });
  expect((await askToken(epic, await assertion(epic, ec))).status).toBe(200);
  expect(reads).toBe(2);

  await epic.settings({ off: ['E3'] });
  await askToken(epic, await assertion(epic, rsa));
  expect(reads).toBe(3);
});

test.each([
  ['answers an error', () => ({ status: 500, body: { keys: [] } })],
  ['is no key set', () => ({ body: ['keys'] })],
])('E3 a jwksUrl that %s makes the assertion invalid', async (_name, answer) => {
  await register(epic, { jwksUrl: await serveKeys(answer) });
  expect((await askToken(epic, await assertion(epic, rsa))).body).toEqual(refused);
});

test('E4 where the site has mapped no user, a good assertion answers unauthorized_client', async () => {
  await epic.settings({ unmappedUser: true });
  const answer = await askToken(epic, await assertion(epic, rsa));
  expect([answer.status, answer.body.error]).toEqual([400, 'unauthorized_client']);
  expect((await askToken(epic, await assertion(epic, stranger))).body).toEqual(refused);
  await epic.settings({ unmappedUser: false });
  expect((await askToken(epic, await assertion(epic, rsa))).status).toBe(200);
});

test('E5 by a fault the token endpoint answers one bare 400, and the next assertion is taken', async () => {
  await epic.control('POST', 'faults', [
    { method: 'POST', path: '/epic/oauth2/token', nth: 1, fault: { status: 400 } },
  ]);
  const first = await askToken(epic, await assertion(epic, rsa));
  expect([first.status, first.body]).toEqual([400, undefined]);
  expect((await askToken(epic, await assertion(epic, rsa))).status).toBe(200);
});

test('E6 the reply spells out what is granted, an action at a time, some by category, whatever was asked', async () => {
  await register(epic, {
    jwks: { keys: [rsa.jwk] },
    scopes: ['system/Condition.crus', 'system/CarePlan.crus', 'system/Task.read', 'system/Goal.d'],
  });
  const { status, body } = await askToken(epic, await assertion(epic, rsa));
  expect(status).toBe(200);
  expect(Object.keys(body).toSorted()).toEqual(['access_token', 'expires_in', 'scope', 'token_type']);
  expect(body).toMatchObject({ token_type: 'bearer', expires_in: 3600 });
  const category = 'http://terminology.hl7.org/CodeSystem/condition-category';
  const concern = 'http://hl7.org/fhir/us/core/CodeSystem/condition-category|health-concern';
  expect(body.scope.split(' ')).toEqual([
    'system/CarePlan.r',
    'system/CarePlan.s',
    `system/Condition.c?category=${category}|problem-list-item`,
    'system/Condition.r',
    `system/Condition.r?category=${concern}`,
    `system/Condition.r?category=${category}|encounter-diagnosis`,
    `system/Condition.r?category=${category}|problem-list-item`,
    'system/Condition.s',
    `system/Condition.s?category=${concern}`,
    `system/Condition.s?category=${category}|encounter-diagnosis`,
    `system/Condition.s?category=${category}|problem-list-item`,
    'system/Task.r',
    'system/Task.s',
  ]);
  await epic.settings({ off: ['E6'] });
  const plain = await askToken(epic, await assertion(epic, rsa));
  expect(plain.body.scope).toBe('system/Condition.crus system/CarePlan.crus system/Task.read system/Goal.d');
});

test('E7 a token that is missing, wrong or old answers 401 with two quotation marks', async () => {
  const headers = await authorized(epic, rsa, ['system/*.rs']);
  expect((await epic.fhir('GET', `Patient/${ada.id}`, { headers })).status).toBe(200);
  const unauthorized = async (authorization: string) => {
    const answer = await epic.fhir('GET', `Patient/${ada.id}`, { headers: { authorization } });
    expect(answer.status).toBe(401);
    expect(answer.headers.get('www-authenticate')).toBe('Bearer error="invalid_token"');
    expect(answer.body).toBe('');
    expect(answer.headers.get('content-length')).toBe('2');
  };
  await unauthorized('');
  await unauthorized('Bearer guess');
  await epic.control('POST', 'clock', { advance: '61m' });
  await unauthorized(headers.authorization);

  const second = await authorized(epic, rsa, ['system/*.rs']);
  await epic.control('POST', 'tokens/expire');
  await unauthorized(second.authorization);

  await epic.settings({ off: ['E7'] });
  const spoken = await epic.fhir('GET', 'Goal?patient=1', { headers: second });
  expect([spoken.status, spoken.body.resourceType]).toEqual([401, 'OperationOutcome']);
});

test('E8 what is not granted answers 403 without a body', async () => {
  const headers = await authorized(epic, rsa, ['system/Patient.r']);
  expect((await epic.fhir('GET', `Patient/${ada.id}`, { headers })).status).toBe(200);
  for (const path of [`Patient?identifier=${ada.mrn}`, `Goal?patient=${ada.id}`, 'Task/unknown']) {
    const answer = await epic.fhir('GET', path, { headers });
    expect([answer.status, answer.body]).toEqual([403, undefined]);
  }
  await epic.settings({ off: ['E8'] });
  const spoken = await epic.fhir('GET', `Goal?patient=${ada.id}`, { headers });
  expect([spoken.status, spoken.body.resourceType]).toEqual([403, 'OperationOutcome']);
});

test.each([
  ['another grant', { grant_type: 'password' }, 'unsupported_grant_type'],
  ['another kind of assertion', { client_assertion_type: 'saml' }, 'invalid_request'],
])('a token request with %s is refused', async (_name, change, error) => {
  const answer = await epic.fhir('POST', epic.tokenUrl, {
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: tokenForm(await assertion(epic, rsa), change).toString(),
  });
  expect([answer.status, answer.body.error]).toEqual([400, error]);
});
