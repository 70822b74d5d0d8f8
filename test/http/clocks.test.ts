// Clocks over HTTP: the list, what it can be asked for, and the clocks of a case.

import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { sweepClocks } from '../../src/clocks/clocks.ts';
import type { RecordType, StoredRecord } from '../../src/records/records.ts';
import { json as jsonParameter } from '../../src/store/store.ts';
import { aCase, aNote, aReferral, aWorker } from '../builders.ts';
import { depsOn } from '../clocks/kept.ts';
import { asJson, type Caller, type Harness, json, startHarness } from './harness.ts';

let harness: Harness;
const sources = ['county', 'town'] as const;
const origin = { connection: 'harbor', resourceType: 'Task', id: '1' };

beforeAll(async () => {
  harness = await startHarness();
  const { signedAt: _signedAt, ...draft } = aNote({ status: 'draft' });
  for (const source of sources) {
    const put = (type: RecordType, record: StoredRecord) =>
      harness.send(source, 'PUT', `/api/records/${type}/${record.id}`, asJson(record));
    await put('case', aCase());
    if (source === 'county') await put('worker', aWorker({ id: 'worker-ines', supervisorId: 'worker-sup' }));
    await put('referral', aReferral(source === 'town' ? { origin } : {}));
    await put('note', { ...draft, authorId: 'worker-ines' });
  }
  await harness.store.db
    .insertInto('link')
    .values({
      connection: 'general',
      source: 'county',
      type: 'referral',
      id: 'referral-pantry',
      slot: 'request',
      subject: 'county.case.case-rosa',
      resource_type: 'ServiceRequest',
      route: 'native',
      state: 'current',
      sent: jsonParameter({}),
    })
    .execute();
  await sweepClocks({ ...depsOn(harness.store), sources }, new Date('2026-02-07T10:00:00Z'));
});
afterAll(() => harness.stop());

async function list(caller: Caller, query = ''): Promise<Record<string, unknown>[]> {
  const { items } = await json(await harness.send(caller, 'GET', `/api/clocks${query}`));
  return Array.isArray(items) ? items : [];
}

const names = (items: readonly Record<string, unknown>[]) => items.map(({ source, rule }) => `${source} ${rule}`);

test('the earliest due comes first, and each says what it waits for', async () => {
  const [first, ...others] = await list('county');
  expect(first).toEqual({
    source: 'county',
    subject: 'county.case.case-rosa',
    type: 'referral',
    id: 'referral-pantry',
    rule: 'referral-follow-up-48h',
    part: null,
    state: 'breached',
    startedAt: '2026-02-04T15:00:00.000Z',
    dueAt: '2026-02-06T15:00:00.000Z',
    stoppedAt: null,
    pausedSince: null,
    contact: null,
    worker: 'worker-okafor',
    supervisor: null,
    connections: ['general'],
    told: true,
    reason: {
      code: 'clock-breached',
      text: 'The limit of the clock "referral follow-up, 48 hours" has passed without a follow-up or an answer of the partner.',
    },
  });
  expect(names(others)).toEqual(['county first-contact-72h', 'county note-24h']);
});

test.each<[string, Caller, string, string[]]>([
  ['by state', 'county', '?state=due-soon', ['county first-contact-72h']],
  ['by the supervisor of a worker, who is told of it', 'reader', '?worker=worker-sup', ['county note-24h']],
  ['by worker', 'county', '?worker=worker-ines', ['county note-24h']],
  [
    'by a connection that it is linked on',
    'reader',
    '?connection=general&state=breached',
    ['county referral-follow-up-48h'],
  ],
  ['by the connection where it began', 'reader', '?connection=harbor&state=breached', ['town referral-follow-up-48h']],
  ['by source', 'reader', '?source=town&worker=worker-ines', ['town note-24h']],
  ['of all sources for an operator', 'reader', '?worker=worker-ines', ['county note-24h', 'town note-24h']],
])('it is asked %s', async (_what, caller, query, expected) => {
  expect(names(await list(caller, query))).toEqual(expected);
});

test("the supervisor is the case's, else the worker's", async () => {
  const shown = await list('reader', '?worker=worker-ines');
  expect(shown.map(({ source, supervisor }) => [source, supervisor])).toEqual([
    ['county', 'worker-sup'],
    ['town', null],
  ]);
});

test('a source cannot ask for those of another', async () => {
  expect((await harness.send('county', 'GET', '/api/clocks?source=town')).status).toBe(404);
});

test('pages follow each other without gap or double', async () => {
  const all = names(await list('reader'));
  const paged: string[] = [];
  let next: unknown = '';
  while (typeof next === 'string') {
    const after: string = next === '' ? '' : `&after=${next}`;
    const page = await json(await harness.send('reader', 'GET', `/api/clocks?limit=2${after}`));
    paged.push(...names(Array.isArray(page.items) ? page.items : []));
    next = page.next;
  }
  expect(paged).toEqual(all);
  expect(all.length).toBe(6);
});

test.each(['nothing', Buffer.from('["clocks","x","a","b","c","d","e"]').toString('base64url')])(
  'a cursor that is none is refused: %s',
  async (cursor) => {
    const response = await harness.send('county', 'GET', `/api/clocks?after=${cursor}`);
    expect([response.status, (await json(response)).code]).toEqual([400, 'cursor-invalid']);
  },
);

test('a state that clocks do not have is refused', async () => {
  expect((await harness.send('county', 'GET', '/api/clocks?state=parked')).status).toBe(400);
});

test('a case shows its own', async () => {
  const { clocks } = await json(await harness.send('county', 'GET', '/api/cases/case-rosa'));
  expect(names(Array.isArray(clocks) ? clocks : [])).toEqual(names(await list('county')));
});

test('a source sees the alerts for its own workers, an operator those of all', async () => {
  const alerts = async (caller: Caller) => {
    const { items } = await json(await harness.send(caller, 'GET', '/api/alerts'));
    return Array.isArray(items) ? items.map(({ topic, recipients }) => [topic, recipients]) : [];
  };
  const of = (source: string) => [
    `clock-breached:${source}:referral/referral-pantry:referral-follow-up-48h`,
    [{ role: 'worker', id: 'worker-okafor' }],
  ];
  expect(await alerts('county')).toEqual([of('county')]);
  expect((await alerts('reader')).sort()).toEqual([of('county'), of('town')]);
});
