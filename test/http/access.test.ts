import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { generateKey } from '../../src/connections/connections.ts';
import { routes } from '../../src/http/routes.ts';
import { json as jsonParameter } from '../../src/store/store.ts';
import { aCase, aReferral } from '../builders.ts';
import {
  asForm,
  asJson,
  asLines,
  type Caller,
  type Harness,
  hookBearer,
  hookKey,
  json,
  startHarness,
} from './harness.ts';

let harness: Harness;

beforeAll(async () => {
  harness = await startHarness();
  for (const source of ['county', 'town'] as const) {
    await harness.send(source, 'PUT', '/api/records/case/case-rosa', asJson(aCase()));
    await harness.send(source, 'PUT', '/api/records/referral/referral-pantry', asJson(aReferral()));
  }
  await harness.store.db
    .insertInto('decision')
    .values({
      connection: 'general',
      subject: 'county.case.case-rosa',
      source: 'county',
      kind: 'conflict',
      topic: 'a',
      reason: jsonParameter({ code: 'internal' as const, text: 'x' }),
      detail: jsonParameter({}),
      choices: jsonParameter([{ choose: 'link', effect: 'x' }]),
    })
    .execute();
});
afterAll(() => harness.stop());

const callers: (Caller | undefined)[] = ['county', 'reader', 'runner', 'decider', 'configurer', undefined];
const record = asJson(aReferral());
const record2 = asLines({ type: 'referral', record: aReferral() });
const lane = '/api/lanes/general/county.case.case-rosa/run';
const someCursor = Buffer.from('["changes",1]').toString('base64url');
const why = { reason: 'not ours' };

// One row for each route: what county, reader, runner, decider, configurer and a caller without a token are answered.
const matrix: [string, string, RequestInit, number[]][] = [
  ['PUT /api/records/{type}/{id}', '/api/records/referral/referral-pantry', record, [202, 403, 403, 403, 403, 401]],
  ['POST /api/records', '/api/records', record2, [200, 403, 403, 403, 403, 401]],
  [
    'GET /api/records/{type}/{id}',
    '/api/records/referral/referral-pantry?source=county',
    {},
    [200, 200, 403, 403, 403, 401],
  ],
  ['GET /api/cases', '/api/cases', {}, [200, 200, 403, 403, 403, 401]],
  ['GET /api/cases/{id}', '/api/cases/case-rosa?source=county', {}, [200, 200, 403, 403, 403, 401]],
  ['GET /api/cases/{id}/timeline', '/api/cases/case-rosa/timeline?source=county', {}, [200, 200, 403, 403, 403, 401]],
  ['GET /api/cases/{id}/bundle', '/api/cases/case-rosa/bundle?source=county', {}, [200, 200, 403, 403, 403, 401]],
  ['POST /api/preview', '/api/preview?source=county', record2, [200, 200, 403, 403, 403, 401]],
  ['GET /api/changes', '/api/changes?source=county', {}, [200, 200, 403, 403, 403, 401]],
  [
    'POST /api/changes/{cursor}/refuse',
    `/api/changes/${someCursor}/refuse`,
    asJson(why),
    [404, 403, 403, 403, 403, 401],
  ],
  ['GET /api/webhooks', '/api/webhooks', {}, [200, 200, 403, 403, 403, 401]],
  ['POST /api/webhooks/{source}/test', '/api/webhooks/county/test', {}, [200, 403, 200, 403, 403, 401]],
  ['POST /api/webhooks/{source}/enable', '/api/webhooks/county/enable', {}, [200, 403, 200, 403, 403, 401]],
  ['POST /api/webhooks/{source}/replay', '/api/webhooks/county/replay', asJson({}), [202, 403, 202, 403, 403, 401]],
  ['GET /api/lanes', '/api/lanes', {}, [200, 200, 403, 403, 403, 401]],
  ['POST /api/lanes/{connection}/{subject}/run', lane, {}, [403, 403, 200, 403, 403, 401]],
  ['GET /api/lanes/reasons', '/api/lanes/reasons', {}, [200, 200, 403, 403, 403, 401]],
  [
    'POST /api/lanes/{connection}/{subject}/park',
    lane.replace(/run$/, 'park'),
    asJson({ note: 'wait' }),
    [403, 403, 200, 403, 403, 401],
  ],
  ['POST /api/lanes/{connection}/{subject}/retry', lane.replace(/run$/, 'retry'), {}, [403, 403, 200, 403, 403, 401]],
  [
    'POST /api/lanes/{connection}/{subject}/skip',
    lane.replace(/run$/, 'skip'),
    asJson({}),
    [403, 403, 409, 403, 403, 401],
  ],
  ['GET /api/records/stale', '/api/records/stale', {}, [200, 200, 403, 403, 403, 401]],
  ['GET /api/unknown-outcomes', '/api/unknown-outcomes', {}, [200, 200, 403, 403, 403, 401]],
  ['GET /api/unmapped', '/api/unmapped', {}, [200, 200, 403, 403, 403, 401]],
  ['GET /api/inbound', '/api/inbound', {}, [200, 200, 403, 403, 403, 401]],
  [
    'POST /api/records/{type}/{id}/stale/{stale}/accept',
    `/api/records/case/case-rosa/stale/${'0'.repeat(64)}/accept?source=county`,
    {},
    [403, 403, 403, 404, 403, 401],
  ],
  ['POST /api/replays', '/api/replays', asJson({}), [403, 403, 202, 403, 403, 401]],
  ['GET /api/replays', '/api/replays', {}, [403, 200, 403, 403, 403, 401]],
  ['GET /api/replays/{replay}', '/api/replays/1', {}, [403, 200, 403, 403, 403, 401]],
  ['GET /api/replays/{replay}/lanes', '/api/replays/1/lanes', {}, [403, 200, 403, 403, 403, 401]],
  ['GET /api/partner-links', '/api/partner-links', {}, [403, 200, 403, 403, 403, 401]],
  [
    'POST /api/partner-links',
    '/api/partner-links',
    asJson({ partner: 'pantry', task: 'x' }),
    [403, 403, 404, 403, 403, 401],
  ],
  [
    'POST /api/partner-links/{link}/revoke',
    '/api/partner-links/AAAAAAAAAAAA/revoke',
    {},
    [403, 403, 404, 403, 403, 401],
  ],
  ['GET /api/partner-messages', '/api/partner-messages', {}, [403, 200, 403, 403, 403, 401]],
  ['POST /api/partner-messages/{message}/retry', '/api/partner-messages/1/retry', {}, [403, 403, 404, 403, 403, 401]],
  [
    'POST /api/partner-messages/{message}/withdraw',
    '/api/partner-messages/1/withdraw',
    {},
    [403, 403, 404, 403, 403, 401],
  ],
  ['GET /api/clocks', '/api/clocks', {}, [200, 200, 403, 403, 403, 401]],
  ['GET /api/alerts', '/api/alerts', {}, [200, 200, 403, 403, 403, 401]],
  ['GET /api/decisions', '/api/decisions', {}, [200, 200, 403, 403, 403, 401]],
  ['POST /api/decisions/{decision}', '/api/decisions/1', asJson({ choose: 'link' }), [403, 403, 403, 200, 403, 401]],
  ['GET /api/connections', '/api/connections', {}, [200, 200, 403, 403, 403, 401]],
  [
    'GET /api/connections/{connection}/capabilities',
    '/api/connections/general/capabilities',
    {},
    [200, 200, 403, 403, 403, 401],
  ],
  [
    'POST /api/connections/{connection}/patients/{source}/{id}',
    '/api/connections/general/patients/county/client-rosa',
    asJson({ patient: null }),
    [403, 403, 403, 200, 403, 401],
  ],
  ['POST /api/connections/{connection}/pause', '/api/connections/general/pause', {}, [403, 403, 403, 403, 200, 401]],
  ['POST /api/connections/{connection}/drain', '/api/connections/general/drain', {}, [403, 403, 403, 403, 200, 401]],
  ['POST /api/connections/{connection}/resume', '/api/connections/general/resume', {}, [403, 403, 403, 403, 200, 401]],
  ['GET /api/connections/{connection}/roster', '/api/connections/general/roster', {}, [403, 200, 403, 403, 403, 401]],
  [
    'PUT /api/connections/{connection}/roster',
    '/api/connections/general/roster',
    asJson({ patients: ['p1'] }),
    [403, 403, 403, 403, 200, 401],
  ],
  ['POST /hooks/{connection}/{key}', `/hooks/general/${hookKey}`, {}, [200, 200, 200, 200, 200, 200]],
  [
    'PUT /hooks/{connection}/{key}/{resource}/{resourceId}',
    `/hooks/general/${hookKey}/Task/t1`,
    {},
    [200, 200, 200, 200, 200, 200],
  ],
  ['POST /hooks/{connection}/{key}/{subscribed}', `/hooks/general/${hookKey}/Task`, {}, [200, 200, 200, 200, 200, 200]],
  [
    'PUT /hooks/{connection}/{key}/{subscribed}/{resource}/{resourceId}',
    `/hooks/general/${hookKey}/Goal/Goal/g1`,
    {},
    [200, 200, 200, 200, 200, 200],
  ],
  ['GET /health/live', '/health/live', {}, [200, 200, 200, 200, 200, 200]],
  ['GET /health/ready', '/health/ready', {}, [200, 200, 200, 200, 200, 200]],
  ['GET /metrics', '/metrics', {}, [200, 200, 200, 200, 200, 200]],
  ['GET /.well-known/jwks.json', '/.well-known/jwks.json', {}, [200, 200, 200, 200, 200, 200]],
  ['GET /openapi.json', '/openapi.json', {}, [200, 200, 200, 200, 200, 200]],
  // A token opens no page of the console: there a person signs in.
  ...['/console', '/console/cases', '/console/decisions', '/console/lanes', '/console/alerts'].map(
    (path): [string, string, RequestInit, number[]] => [`GET ${path}`, path, {}, Array(6).fill(401)],
  ),
  ['GET /console/cases/{id}', '/console/cases/case-rosa?source=county', {}, Array(6).fill(401)],
  ['GET /console/decisions/{decision}', '/console/decisions/1', {}, Array(6).fill(401)],
  ['POST /console/decisions/{decision}', '/console/decisions/1', asForm({ choose: 'link' }), Array(6).fill(401)],
  ['POST /console', '/console', asForm({ token: 'reader-token-1' }), Array(6).fill(403)],
  ['POST /console/sign-out', '/console/sign-out', asForm({ form: 'x' }), Array(6).fill(401)],
  ['GET /console/style.css', '/console/style.css', {}, Array(6).fill(200)],
  // Who has no assertion gets no token, whatever else they hold.
  ['POST /oauth/token', '/oauth/token', {}, [400, 400, 400, 400, 400, 400]],
  ['GET /.well-known/smart-configuration', '/.well-known/smart-configuration', {}, [200, 200, 200, 200, 200, 200]],
];

test('every route has its row in the matrix', () => {
  expect(matrix.map(([route]) => route).sort()).toEqual(routes.map(({ method, path }) => `${method} ${path}`).sort());
});

/** A client may name JSON as what it takes everywhere; only what is never JSON is not for it. */
function askingForJson(path: string, init: RequestInit): RequestInit {
  if (path.startsWith('/console') || path === '/metrics') return init;
  return { ...init, headers: { ...init.headers, accept: 'application/json' } };
}

describe('who may call what', () => {
  test.each(matrix)('%s', async (route, path, init, expected) => {
    const [method = ''] = route.split(' ');
    const statuses = [];
    for (const caller of callers) {
      const response = await harness.send(caller, method, path, askingForJson(path, init));
      statuses.push(response.status);
      await response.arrayBuffer();
    }
    expect(statuses).toEqual(expected);
  });
});

test('all keys are published, those that do not sign yet too, and of each the public half only', async () => {
  const [signing, next] = [await generateKey(), await generateKey()];
  const auth = { type: 'smart-backend', clientId: 'c', key: signing, otherKeys: [next], scopes: [] } as const;
  const rotating = await startHarness({}, { auth });
  const response = await rotating.send(undefined, 'GET', '/.well-known/jwks.json');
  const text = await response.text();
  await rotating.stop();
  expect(JSON.parse(text).keys.map(({ kid }: { kid: string }) => kid)).toEqual([signing.kid, next.kid]);
  expect(text).not.toContain(String(signing.d));
  expect(text).not.toContain(String(next.d));
});

describe('tokens', () => {
  const authorize = (authorization: string) =>
    harness.send(undefined, 'GET', '/api/cases', { headers: { authorization } });

  test.each([
    ['an unknown one', 'Bearer nobody', 'token-unknown'],
    ['one that begins like a good one', 'Bearer county-token-', 'token-unknown'],
    ['another scheme', 'Basic Y291bnR5', 'token-missing'],
    ['nothing behind the scheme', 'Bearer ', 'token-missing'],
  ])('%s is 401', async (_what, authorization, code) => {
    const response = await authorize(authorization);
    expect([response.status, response.headers.get('www-authenticate')]).toEqual([401, 'Bearer']);
    expect(await json(response)).toMatchObject({ code });
  });

  test('are in no log', () => {
    expect(harness.log.join('')).not.toMatch(/county-token|reader-token|nobody|Y291bnR5/);
  });
});

describe('whose records', () => {
  test("another source's record is not there", async () => {
    await harness.send('town', 'PUT', '/api/records/case/only-town', asJson(aCase({ id: 'only-town' })));
    for (const path of ['/api/records/case/only-town', '/api/cases/only-town', '/api/cases/only-town/bundle']) {
      expect((await harness.send('county', 'GET', path)).status).toBe(404);
      expect((await harness.send('county', 'GET', `${path}?source=town`)).status).toBe(404);
    }
  });

  test('lists show a source its own, an operator all or those of one', async () => {
    const sources = async (caller: Caller, path: string) => {
      const { items } = await json(await harness.send(caller, 'GET', path));
      return [
        ...new Set(Array.isArray(items) ? items.map(({ source, subject }) => source ?? subject.split('.')[0]) : []),
      ];
    };
    for (const path of ['/api/cases', '/api/lanes']) {
      expect(await sources('county', path)).toEqual(['county']);
      expect(await sources('reader', path)).toEqual(['county', 'town']);
      expect(await sources('reader', `${path}?source=town`)).toEqual(['town']);
    }
  });

  test('a source sees the connections that its cases go to', async () => {
    const { items } = await json(await harness.send('county', 'GET', '/api/connections'));
    expect(items).toMatchObject([{ id: 'general', vendor: 'standard', mode: 'live', paused: null }]);
    expect((await harness.send('county', 'GET', '/api/connections/harbor/capabilities')).status).toBe(404);
  });

  test('a source does not reach the webhook of another', async () => {
    for (const act of ['test', 'enable', 'replay']) {
      const before = harness.asked.length;
      const response = await harness.send('town', 'POST', `/api/webhooks/county/${act}`, asJson({}));
      expect([response.status, harness.asked.length]).toEqual([404, before]);
    }
    expect(await json(await harness.send('town', 'GET', '/api/webhooks'))).toEqual({ items: [], next: null });
    expect((await harness.send('town', 'POST', '/api/webhooks/town/enable')).status).toBe(404);
  });

  test('an operator says whose id it means', async () => {
    const response = await harness.send('reader', 'GET', '/api/records/case/case-rosa');
    expect([response.status, (await json(response)).code]).toEqual([400, 'source-needed']);
    expect((await harness.send('reader', 'GET', '/api/cases/case-rosa?source=nowhere')).status).toBe(404);
  });
});

test('of a connection a source is told what concerns it alone', async () => {
  for (const caller of ['reader', 'county'] as const) {
    await harness.send(caller, 'GET', '/api/connections/general/capabilities');
  }
  expect(harness.asked.slice(-2)).toEqual(['capabilities general of all', 'capabilities general county']);
});

describe('hooks', () => {
  const notFound = async (path: string, headers: Record<string, string> = {}) => {
    const response = await harness.send(undefined, 'POST', path, { headers, body: 'x'.repeat(2_000_000) });
    return [response.status, (await json(response)).code];
  };

  test('a wrong key, an unknown connection and one without a hook are the same address that does not exist', async () => {
    const before = harness.asked.length;
    const wrong = ['/hooks/general/wrong', `/hooks/nowhere/${hookKey}`, `/hooks/closed/${hookKey}`];
    for (const path of wrong) expect(await notFound(path)).toEqual([404, 'address-unknown']);
    expect(harness.asked.length).toBe(before);
  });

  test('so is one whose bearer is wrong or missing', async () => {
    const path = `/hooks/harbor/${hookKey}`;
    expect(await notFound(path)).toEqual([404, 'address-unknown']);
    expect(await notFound(path, { authorization: 'Bearer another' })).toEqual([404, 'address-unknown']);
    const headers = { authorization: `Bearer ${hookBearer}` };
    expect((await harness.send(undefined, 'POST', path, { headers })).status).toBe(200);
  });

  test('the right one hands over what it carries', async () => {
    await harness.send(undefined, 'POST', `/hooks/general/${hookKey}`, { body: '{}' });
    expect(harness.asked.at(-1)).toBe('notify general  2');
    await harness.send(undefined, 'PUT', `/hooks/general/${hookKey}/Task/t1`, { body: '{"a":1}' });
    expect(harness.asked.at(-1)).toBe('notify general Task 7');
  });

  // FHIR servers ask for FHIR in answer to a notification, whatever is there to be answered.
  test.each([
    'application/fhir+json',
    'application/fhir+json;q=1.0, application/json+fhir;q=0.9',
    'application/fhir+xml;q=1.0, application/xml+fhir;q=0.9',
  ])('are never refused for what their server takes in answer: %s', async (accept) => {
    const before = harness.asked.length;
    const addresses: [string, string][] = [
      ['POST', ''],
      ['PUT', '/Task/5'],
      ['POST', '/Task'],
      ['PUT', '/Task/Task/5'],
    ];
    for (const [method, below] of addresses) {
      const response = await harness.send(undefined, method, `/hooks/general/${hookKey}${below}`, {
        headers: { accept },
        body: '{"resourceType":"Task","id":"5"}',
      });
      expect([response.status, response.headers.get('content-type')]).toEqual([200, expect.stringMatching(/\/json/)]);
      expect(await json(response)).toEqual({});
    }
    expect(harness.asked.length).toBe(before + addresses.length);
  });

  test('more than a megabyte is refused', async () => {
    const before = harness.asked.length;
    const response = await harness.send(undefined, 'POST', `/hooks/general/${hookKey}`, {
      body: ' '.repeat(1_000_001),
    });
    expect([response.status, (await json(response)).code]).toEqual([413, 'body-too-large']);
    expect(harness.asked.length).toBe(before);
  });
});

describe('a referral list', () => {
  const put = (body: unknown) =>
    harness.send('configurer', 'PUT', '/api/connections/general/roster', asJson(body as object));

  test('names patients by their ids on the server, each once', async () => {
    expect(await json(await put({ patients: ['p1', 'p2', 'p1'] }))).toEqual({
      patients: 2,
      added: 2,
      removed: 0,
      sought: 0,
    });
    expect(harness.asked.at(-1)).toBe('roster general p1 p2');
  });

  test('or by a number in a system', async () => {
    const body = { patients: ['p1', 'urn:oid:1.2.3|20417', 'urn:oid:1.2.3|20417'] };
    expect(await json(await put(body))).toMatchObject({ patients: 2, sought: 1 });
    expect(harness.asked.at(-1)).toBe('roster general p1 urn:oid:1.2.3|20417');
  });

  test.each<[string, unknown, string]>([
    ['no list', { patients: 'p1' }, '/patients'],
    ['an id that is none', { patients: ['p1', 'a/b'] }, '/patients/1'],
    ['a number in no system', { patients: ['|20417'] }, '/patients/0'],
    ['a field that nobody knows', { patients: [], patient: 'p1' }, ''],
  ])('with %s is refused as a whole', async (_name, body, pointer) => {
    const before = harness.asked.length;
    const response = await put(body);
    expect(response.status).toBe(400);
    expect(await json(response)).toMatchObject({ errors: [{ pointer }] });
    expect(harness.asked.length).toBe(before);
  });
});

test('the name of an operator goes with what was done', () => {
  expect(harness.asked).toEqual(expect.arrayContaining(['decide 1 link decider', 'pause general configurer']));
});
