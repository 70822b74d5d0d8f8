import { request } from 'node:http';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { sql } from '../../src/store/store.ts';
import { aCase, aNote, aReferral } from '../builders.ts';
import { asJson, asLines, type Harness, lines, startHarness, tokens } from './harness.ts';

let harness: Harness;

beforeAll(async () => {
  harness = await startHarness();
});
afterAll(() => harness.stop());
beforeEach(async () => {
  harness.failWith = undefined;
  await sql`truncate record, record_version, stale_record, lane`.execute(harness.store.db);
});

const line = (overrides: Parameters<typeof aReferral>[0] = {}) => ({ type: 'referral', record: aReferral(overrides) });

function post(init: RequestInit) {
  return harness.send('county', 'POST', '/api/records', init);
}

async function count() {
  const { rows } = await sql<{ n: number }>`select count(*)::integer as n from record`.execute(harness.store.db);
  return rows[0]?.n;
}

test('each line is answered in order, and the last line counts them', async () => {
  const response = await post(asLines(line(), { type: 'case', record: aCase() }));
  expect(response.status).toBe(200);
  expect(response.headers.get('content-type')).toMatch('application/x-ndjson');
  const lanes = [{ connection: 'general', subject: 'county.case.case-rosa' }];
  expect(await lines(response)).toEqual([
    { line: 1, type: 'referral', id: 'referral-pantry', outcome: 'accepted', version: 1, lanes },
    { line: 2, type: 'case', id: 'case-rosa', outcome: 'accepted', version: 1, lanes },
    { done: true, accepted: 2, unchanged: 0, stale: 0, refused: 0 },
  ]);
});

test('a line that changes signed text is refused, and the lines around it are taken', async () => {
  const later = { updatedAt: '2026-02-20T09:00:00-05:00' };
  const note = (overrides: Parameters<typeof aNote>[0] = {}) => ({ type: 'note', record: aNote(overrides) });
  const answers = await lines(await post(asLines(note(), note({ ...later, text: 'Other.' }), line())));
  expect(answers).toMatchObject([
    { line: 1, outcome: 'accepted', version: 1 },
    { line: 2, id: 'note-visit', outcome: 'refused', errors: [{ pointer: '/text', rule: 'signed-text' }] },
    { line: 3, outcome: 'accepted' },
    { done: true, accepted: 2, unchanged: 0, stale: 0, refused: 1 },
  ]);
});

test('order holds across batches', async () => {
  const many = Array.from({ length: 350 }, (_, n) => line({ id: `r${n}` }));
  const answers = await lines(await post(asLines(...many)));
  expect(answers.slice(0, -1).map(({ id }) => id)).toEqual(many.map(({ record }) => record.id));
  expect(answers.at(-1)).toEqual({ done: true, accepted: 350, unchanged: 0, stale: 0, refused: 0 });
});

describe('a JSON array', () => {
  test('is taken as well', async () => {
    const answers = await lines(await post(asJson([line({ id: 'a' }), line({ id: 'b' })])));
    expect(answers.map(({ element, id, outcome }) => [element, id, outcome])).toEqual([
      [1, 'a', 'accepted'],
      [2, 'b', 'accepted'],
      [undefined, undefined, undefined],
    ]);
  });
});

test.each(['application/x-ndjson', 'application/ndjson', 'application/json'])(
  'is answered in lines to whoever takes %s',
  async (accept) => {
    const { body, headers } = asLines(line());
    const response = await post({ body, headers: { ...headers, accept } });
    expect([response.status, response.headers.get('content-type')]).toEqual([
      200,
      expect.stringMatching('application/x-ndjson'),
    ]);
    expect((await lines(response)).at(-1)).toMatchObject({ done: true, accepted: 1 });
  },
);

test('a stream may be gzipped', async () => {
  const headers = { 'content-type': 'application/ndjson', 'content-encoding': 'gzip' };
  const answers = await lines(await post({ body: gzipSync(JSON.stringify(line())), headers }));
  expect(answers.at(-1)).toMatchObject({ accepted: 1, refused: 0 });
});

describe('one bad line never stops the rest', () => {
  const good = JSON.stringify(line({ id: 'good' }));
  const rows: [string, string, object][] = [
    ['broken JSON', '{"type": "referral", "record": {"id": zqcanary', { rule: 'syntax' }],
    ['a list', '[]', { rule: 'type' }],
    ['an unknown type', '{"type":"referal","record":{}}', { pointer: '/type', rule: 'enum' }],
    ['no record', '{"type":"referral"}', { pointer: '/record', rule: 'required' }],
    [
      'an unknown name',
      '{"type":"referral","recrod":{},"record":{}}',
      {
        pointer: '/recrod',
        rule: 'unknown-property',
        message: 'A line holds "type" and "record" only, not "recrod". Did you mean "record"?',
      },
    ],
    [
      'an unknown name that may be content',
      '{"type":"referral","zqcanary of text":{},"record":{}}',
      { pointer: '', rule: 'unknown-property', message: 'A line holds "type" and "record" only.' },
    ],
    [
      'a missing id',
      JSON.stringify({ type: 'referral', record: { ...aReferral(), id: undefined } }),
      { rule: 'required' },
    ],
    [
      'a wrong type',
      JSON.stringify({ type: 'case', record: { ...aCase(), openedOn: 7 } }),
      { pointer: '/openedOn', rule: 'type' },
    ],
  ];
  test.each(rows)('%s', async (_what, bad, error) => {
    const logged = harness.log.length;
    const answers = await lines(await post(asLines(good, bad, line({ id: 'after' }))));
    expect(answers.map(({ line, outcome }) => [line, outcome])).toEqual([
      [1, 'accepted'],
      [2, 'refused'],
      [3, 'accepted'],
      [undefined, undefined],
    ]);
    expect(answers[1]?.errors).toContainEqual(expect.objectContaining(error));
    expect(JSON.stringify([answers, harness.log.slice(logged)])).not.toContain('zqcanary');
    expect(await count()).toBe(2);
  });
});

test('a refused line names its type and id, as far as it has them and they look like such', async () => {
  const { record } = line({ id: 'r7' });
  const rows = [
    { type: 'referral', record, more: 1 },
    { type: 'referal', record },
    { type: 'zqcanary of text', record },
    { type: 7, record },
    { type: 'referral', record: { ...record, id: 'zqcanary of text' } },
    { type: 'referral' },
  ];
  const answers = await lines(await post(asLines(...rows)));
  expect(answers.slice(0, rows.length).map(({ type, id }) => [type, id])).toEqual([
    ['referral', 'r7'],
    [undefined, 'r7'],
    [undefined, 'r7'],
    [undefined, 'r7'],
    ['referral', undefined],
    ['referral', undefined],
  ]);
  expect(JSON.stringify(answers)).not.toContain('zqcanary');
});

describe('a stream that does not end well', () => {
  const head = {
    method: 'POST',
    headers: { authorization: `Bearer ${tokens.county}`, 'content-type': 'application/x-ndjson' },
  };

  test('a line is answered while the stream is still open', async () => {
    const sending = request(`${harness.url}/api/records`, head);
    sending.write(`${JSON.stringify(line({ id: 'early' }))}\n`);
    const answer = await new Promise<string>((resolve, reject) => {
      sending.once('error', reject);
      sending.once('response', (response) => response.once('data', (chunk) => resolve(String(chunk))));
    });
    expect(JSON.parse(answer)).toMatchObject({ line: 1, outcome: 'accepted' });
    expect(await count()).toBe(1);
    sending.destroy();
  });

  test('what was answered stays, the cut line is not stored, and nothing is logged as an error', async () => {
    const logged = harness.log.length;
    const sending = request(`${harness.url}/api/records`, head);
    const closed = new Promise<void>((resolve) => sending.once('close', () => resolve()));
    sending.on('error', () => {});
    sending.write(`${JSON.stringify(line({ id: 'whole' }))}\n${JSON.stringify(line({ id: 'half' })).slice(0, -9)}`);
    await new Promise((resolve) => sending.once('response', (response) => response.once('data', resolve)));
    sending.destroy();
    await closed;
    await until(() => harness.log.slice(logged).some((entry) => entry.includes('"request"')));
    expect(await count()).toBe(1);
    expect(harness.log.slice(logged).join('')).not.toContain('request failed');
  });

  test('when the store fails in the middle there is no last line', async () => {
    const sending = request(`${harness.url}/api/records`, head);
    const cut = new Promise<string>((resolve) => {
      sending.once('response', (response) => {
        let text = '';
        response.on('data', (chunk) => {
          text += chunk;
          harness.failWith = Object.assign(new Error('away'), { code: 'ECONNREFUSED' });
          sending.write(`${JSON.stringify(line({ id: 'second' }))}\n`);
        });
        response.on('error', () => resolve(text));
        response.on('end', () => resolve(`${text}(ended)`));
      });
    });
    sending.on('error', () => {});
    sending.write(`${JSON.stringify(line({ id: 'first' }))}\n`);
    const text = await cut;
    expect(text).toContain('"first"');
    expect(text).not.toMatch(/done|second|ended/);
  });
});

async function until(condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 5000;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error('not within 5 seconds');
    await new Promise((resolve) => setImmediate(resolve));
  }
}
