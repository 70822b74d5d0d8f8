import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { sql } from '../../src/store/store.ts';
import { aNote, anImprovementIdea, aReferral } from '../builders.ts';
import { asJson, type Harness, json, startHarness } from './harness.ts';

let harness: Harness;
const path = '/api/records/referral/referral-pantry';

beforeAll(async () => {
  harness = await startHarness();
});
afterAll(() => harness.stop());
beforeEach(async () => {
  harness.failWith = undefined;
  await sql`truncate record, record_version, stale_record, lane`.execute(harness.store.db);
});

function put(value: unknown, at = path) {
  return harness.send('county', 'PUT', at, asJson(value));
}

async function records() {
  return (await sql`select source, type, id, version from record`.execute(harness.store.db)).rows;
}

test('a record is answered 202 with its version and lanes once it is stored', async () => {
  const response = await put(aReferral());
  expect(response.status).toBe(202);
  expect(response.headers.get('casebridge-api')).toBe('1');
  expect(await json(response)).toEqual({
    outcome: 'accepted',
    version: 1,
    lanes: [{ connection: 'general', subject: 'county.case.case-rosa' }],
  });
  expect(await records()).toEqual([{ source: 'county', type: 'referral', id: 'referral-pantry', version: 1 }]);
});

test('the same again is unchanged, an older one is stale', async () => {
  await put(aReferral());
  expect(await json(await put(aReferral()))).toEqual({ outcome: 'unchanged', version: 1, lanes: [] });
  const older = aReferral({ updatedAt: '2026-02-04T09:00:00-05:00', urgency: 'urgent' });
  expect(await json(await put(older))).toEqual({ outcome: 'stale', version: 1, lanes: [] });
});

test('a version that changes signed text is refused by field, without a word of either text, and the version before holds', async () => {
  const at = '/api/records/note/note-visit';
  await put(aNote(), at);
  const response = await put(aNote({ updatedAt: '2026-02-20T09:00:00-05:00', text: 'zqvalue1984' }), at);
  expect(response.status).toBe(400);
  const problem = await json(response);
  expect(problem).toMatchObject({
    code: 'record-refused',
    errors: [{ pointer: '/text', rule: 'signed-text', found: 'text of 11 characters' }],
  });
  expect(JSON.stringify(problem)).not.toMatch(/zqvalue1984|pantry/);
  expect(await records()).toEqual([{ source: 'county', type: 'note', id: 'note-visit', version: 1 }]);
});

test('an improvement idea is kept, and no lane has work because of it', async () => {
  const at = '/api/records/improvementIdea/idea-handover';
  expect(await json(await put(anImprovementIdea(), at))).toEqual({ outcome: 'accepted', version: 1, lanes: [] });
  const found = await json(await harness.send('county', 'GET', at));
  expect(found).toMatchObject({ record: anImprovementIdea(), version: 1, links: [] });
});

test('a body may be gzipped', async () => {
  const headers = { 'content-type': 'application/json', 'content-encoding': 'gzip' };
  const response = await harness.send('county', 'PUT', path, { body: gzipSync(JSON.stringify(aReferral())), headers });
  expect(response.status).toBe(202);
});

describe('a refused record changes nothing and is told where and why', () => {
  const canary = 'zqvalue1984';
  const text = JSON.stringify(aReferral());
  const rows: [string, string, string, object][] = [
    ['a wrong type', text.replace('"routine"', '7'), 'record-refused', { pointer: '/urgency' }],
    ['a missing id', text.replace('"id":"referral-pantry",', ''), 'record-refused', { rule: 'required' }],
  ];
  test.each(rows)('%s', async (_what, body, code, error) => {
    const logged = harness.log.length;
    const response = await harness.send('county', 'PUT', path, {
      body,
      headers: { 'content-type': 'application/json' },
    });
    expect(response.status).toBe(400);
    expect(response.headers.get('content-type')).toMatch('application/problem+json');
    const problem = await json(response);
    expect(problem).toMatchObject({ type: `urn:casebridge:error:${code}`, title: 'Bad Request', status: 400, code });
    const errors = Array.isArray(problem.errors) ? problem.errors : [{}];
    expect(errors).toContainEqual(expect.objectContaining(error));
    expect(JSON.stringify([problem, harness.log.slice(logged)])).not.toContain(canary);
    expect(await records()).toEqual([]);
  });
});

describe('what is stored is left as it is', () => {
  beforeEach(() => put(aReferral()));
  const stored = () => sql`select source, id, version, content from record order by source`.execute(harness.store.db);

  const newer = asJson(aReferral({ updatedAt: '2026-02-06T10:00:00-05:00', urgency: 'urgent' }));
  test.each([
    ['without a token', {}, 401],
    ['with a wrong token', { authorization: 'Bearer county-token-2' }, 401],
  ])('%s', async (_what, headers, status) => {
    const before = (await stored()).rows;
    const init = { ...newer, headers: { ...newer.headers, ...headers } };
    expect((await harness.send(undefined, 'PUT', path, init)).status).toBe(status);
    expect((await stored()).rows).toEqual(before);
  });

  test('by an operator', async () => {
    const before = (await stored()).rows;
    expect((await harness.send('configurer', 'PUT', path, newer)).status).toBe(403);
    expect((await stored()).rows).toEqual(before);
  });

  test('by a refused version', async () => {
    const before = (await stored()).rows;
    expect((await put({ ...aReferral({ updatedAt: '2026-02-06T10:00:00-05:00' }), urgency: 'soon' })).status).toBe(400);
    expect((await stored()).rows).toEqual(before);
  });

  test("by another source, whose record of the same id is its own: neither sees the other's", async () => {
    const [before] = (await stored()).rows;
    expect((await harness.send('town', 'PUT', path, newer)).status).toBe(202);
    expect((await stored()).rows).toMatchObject([before, { source: 'town', version: 1 }]);
    expect(await json(await harness.send('county', 'GET', path))).toMatchObject({ record: { urgency: 'routine' } });
    expect((await harness.send('town', 'PUT', `${path}?source=county`, newer)).status).toBe(400);
  });
});

test('an unknown type is told the nearest', async () => {
  const problem = await json(await put(aReferral(), '/api/records/referal/x'));
  expect(problem).toMatchObject({ status: 404, code: 'record-type-unknown' });
  expect(problem.detail).toContain('Did you mean "referral"?');
});

describe('faults of ours', () => {
  test('a store that is away is 503 and not accepted', async () => {
    harness.failWith = Object.assign(new Error('secret text'), { code: 'ECONNREFUSED' });
    const response = await put(aReferral());
    expect([response.status, response.headers.get('retry-after')]).toEqual([503, '5']);
    expect((await json(response)).code).toBe('store-unavailable');
  });

  test('nothing is accepted before it is committed: a commit that fails is 503, and nothing is stored', async () => {
    const { db } = harness.store;
    await sql`create function disk_full() returns trigger language plpgsql as
      $$ begin raise exception 'no room' using errcode = '53100'; end $$`.execute(db);
    await sql`create constraint trigger at_commit after insert on record deferrable initially deferred
      for each row execute function disk_full()`.execute(db);
    const response = await put(aReferral());
    await sql`drop function disk_full cascade`.execute(db);
    expect([response.status, (await json(response)).code]).toEqual([503, 'store-unavailable']);
    expect(await records()).toEqual([]);
    expect((await put(aReferral())).status).toBe(202);
  });

  test('an unexpected error is 500 with an id to find in the log, and neither holds its text', async () => {
    harness.failWith = new Error('zqsecret Rosa Delgado');
    const before = harness.log.length;
    const response = await harness.send('county', 'PUT', path, {
      ...asJson(aReferral()),
      headers: { 'content-type': 'application/json', 'x-request-id': 'call-17' },
    });
    const problem = await json(response);
    expect([response.status, problem.code, problem.requestId]).toEqual([500, 'internal', 'call-17']);
    const logged = harness.log.slice(before).join('');
    expect(logged).toContain('call-17');
    expect(JSON.stringify(problem) + logged).not.toMatch(/zqsecret|Delgado/);
  });
});
