// The timeline of a case tells what happened on every side, in order, from a case that was really sent to a server and answered there.

import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { JsonObject } from '../../src/json.ts';
import { json as jsonb, sql } from '../../src/store/store.ts';
import { aCarePlan, aCase, aClient, aReferral } from '../builders.ts';
import { wholeLoop } from '../support/loop.ts';
import { targetsOf } from '../support/provenance.ts';
import { useWorld } from '../support/world.ts';
import { asJson, type Harness, json, startHarness } from './harness.ts';

const world = useWorld();
let harness: Harness;

beforeAll(async () => {
  harness = await startHarness({}, {}, world.store);
});
afterAll(() => harness.stop());

interface Entry {
  readonly key: string;
  readonly at: string;
  readonly kind: string;
  readonly connection: string | null;
  readonly side: { readonly kind: string; readonly name: string | null };
  readonly text: string;
  readonly why: { readonly code: string } | null;
  readonly note: string | null;
  readonly moves: readonly JsonObject[];
  readonly fields: readonly JsonObject[];
  readonly decision: number | null;
}

async function page(query = ''): Promise<{ items: Entry[]; next: string | null }> {
  const response = await harness.send('county', 'GET', `/api/cases/case-rosa/timeline${query}`);
  if (response.status !== 200) throw new Error(await response.text());
  return Object(await json(response));
}

/** Of the story, told once, and what the server held then. */
let entries: Entry[] | undefined;
let patient: JsonObject | undefined;
let task: JsonObject;

const of = (kind: string) => (entries ?? []).filter((entry) => entry.kind === kind);
const told = (kind: string) => of(kind).map(({ text }) => text);

beforeEach(async () => {
  if (entries !== undefined) return;
  task = await wholeLoop(world);
  entries = (await page('?limit=1000')).items;
  [patient] = await world.server.all('Patient');
});

test('records: what its source sent, and which fields a later version changes', () => {
  expect(told('record')[0]).toBe(
    'Changed referral referral-pantry (version 2): status from sent to in-progress; history.',
  );
  expect(told('record')).toEqual(
    expect.arrayContaining([
      'Sent client client-rosa.',
      'Sent case case-rosa, status open.',
      'Sent referral referral-pantry, status sent.',
      'Sent care plan plan-rosa, status active.',
    ]),
  );
});

test('sent: what was written where, for which version, and what was answered', () => {
  expect(told('sent')).toEqual(
    expect.arrayContaining([
      `Created Patient/${patient?.id} at general for client client-rosa (version 1). Done, HTTP 201.`,
      `Created Task/${task.id} at general for referral referral-pantry (version 1). Done, HTTP 201.`,
    ]),
  );
  const items = of('sent');
  expect(new Set(items.map(({ side }) => side.kind))).toEqual(new Set(['gateway']));
});

test('changes: what the hospital did, what of it is taken over, with implied steps; or the refusal', () => {
  const items = of('change');
  expect(items.map(({ side, text, decision }) => [side, text, decision])).toEqual([
    [{ kind: 'hospital', name: 'general' }, 'Changed goal goal-meals: statement. The source refused it.', 1],
    [
      { kind: 'hospital', name: 'general' },
      expect.stringMatching(
        /^Changed referral referral-pantry: status to in-progress \(accepted implied\); .*history\. The source has taken over all but .*\.$/,
      ),
      null,
    ],
  ]);
  expect(items[1]?.fields).toContainEqual({ name: 'status', value: 'in-progress', takenOverIn: 2 });
});

test('moves of a referral: with the steps that nobody told of, whoever made them', () => {
  const items = (entries ?? []).filter(({ moves }) => moves.length > 0);
  expect(items.map(({ kind, moves }) => [kind, moves.map(({ status, implied }) => [status, implied])])).toEqual([
    [
      'record',
      [
        ['accepted', true],
        ['in-progress', false],
      ],
    ],
    [
      'change',
      [
        ['accepted', true],
        ['in-progress', false],
      ],
    ],
    [
      'record',
      [
        ['draft', false],
        ['sent', false],
      ],
    ],
  ]);
});

test('decisions: asked and answered, by whom and with what effect', () => {
  expect(told('decision')).toEqual(['Asks a person to decide about goal goal-meals: refused change.']);
  const [answered] = of('decided');
  expect(answered).toMatchObject({ side: { kind: 'gateway', name: 'Ida' }, decision: 1 });
  expect(answered?.text).toBe(
    'Decision 1 was answered by Ida: keep. Change nothing on either side: record and server go on saying different things.',
  );
});

test('clocks: started, broken at the time when they were due, and the alert for it', () => {
  const items = of('clock');
  expect(items.map(({ at, text }) => [at, text])).toEqual(
    expect.arrayContaining([
      ['2026-02-04T15:00:00.000Z', 'The clock "first contact, 72 hours" of referral referral-pantry started.'],
      ['2026-02-07T15:00:00.000Z', 'The clock "first contact, 72 hours" of referral referral-pantry was breached.'],
    ]),
  );
  expect(told('alert')).toEqual(['Raised an alert for worker worker-okafor. It is open.']);
});

test('what is not sent, and why', () => {
  const items = of('withheld');
  expect(items).toMatchObject([
    {
      side: { kind: 'gateway' },
      text: 'Condition of need need-secret is withheld from general.',
      why: { code: 'consent-missing' },
    },
  ]);
});

test('what the hospital began, and the record that answers it under an id of the source', async () => {
  const origin = { connection: 'general', resourceType: 'Task', id: '77' };
  await sql`insert into change (source, cursor, connection, subject, op, type, id, body) values
    ('county', 1, 'general', 'county.client.client-rosa', 'propose', 'referral', 'proposed-77', ${jsonb({ origin })}),
    ('county', 2, 'general', 'county.client.other', 'propose', 'referral', 'proposed-78', ${jsonb({ origin: { ...origin, id: '78' } })})`.execute(
    world.store.db,
  );
  await world.accept(['client', aClient()], ['case', aCase()]);
  const offered = async () => (await page('?kind=change')).items.map(({ text }) => text);
  const began = 'Began referral proposed-77, which is offered to the source.';
  expect(await offered()).toEqual([`${began} The source has not taken it over.`]);
  await sql`insert into inbound (connection, source, resource_type, remote_id, type, id, subject, state, reason) values
    ('general', 'county', 'Task', '77', 'referral', 'proposed-77', 'county.client.client-rosa', 'refused', null),
    ('general', 'county', 'Task', '79', 'referral', 'proposed-79', 'county.client.client-rosa', 'kept', ${jsonb({ code: 'internal', text: 'why' })})`.execute(
    world.store.db,
  );
  expect(await offered()).toEqual([`${began} The source refused it.`]);
  expect((await page('?kind=seen')).items).toMatchObject([
    { text: 'Task/79, which began at general, is not offered to the source.', why: { text: 'why' } },
  ]);
  await sql`delete from inbound`.execute(world.store.db);
  await sql`update change set subject = 'county.client.unknown' where cursor = 1`.execute(world.store.db);
  expect(await offered()).toEqual([]);
  await world.accept(['referral', aReferral({ id: 'referral-own', direction: 'incoming', origin })]);
  expect(await offered()).toEqual([`${began} The source has taken it over: referral referral-own.`]);
});

describe('asked for', () => {
  beforeAll(() => {
    entries = undefined;
  });

  test('in pages of any size, by connection, by kind, or with the case', async () => {
    const whole = (await page('?limit=1000')).items;
    expect(whole.length).toBeGreaterThan(25);
    expect(new Set(whole.map(({ key }) => key)).size).toBe(whole.length);
    const times = whole.map(({ at }) => at);
    expect(times).toEqual([...times].sort().reverse());
    for (const size of [1, 7, whole.length]) {
      const read: Entry[] = [];
      let next: string | null = '';
      while (next !== null) {
        const part: { items: Entry[]; next: string | null } = await page(`?limit=${size}${next && `&after=${next}`}`);
        read.push(...part.items);
        next = part.next;
      }
      expect(read).toEqual(whole);
    }
    for (const kind of new Set(whole.map((entry) => entry.kind)))
      expect((await page(`?kind=${kind}`)).items).toEqual(whole.filter((entry) => entry.kind === kind));
    expect((await page('?kind=move')).items).toEqual(whole.filter(({ moves }) => moves.length > 0));
    expect((await page('?connection=general')).items).toEqual(
      whole.filter(({ connection }) => connection === 'general'),
    );
    expect((await page('?connection=harbor')).items).toEqual([]);
    expect((await json(await harness.send('county', 'GET', '/api/cases/case-rosa'))).timeline).toEqual(whole);
    expect((await harness.send('town', 'GET', '/api/cases/case-rosa/timeline')).status).toBe(404);
  });

  test('after a resource has gone there, and an operator has stopped the work', async () => {
    task = await wholeLoop(world);
    const plan = await world.server.own('CarePlan', 'county/carePlan/plan-rosa#plan');
    for (const one of await world.server.all('Provenance'))
      if (targetsOf(one).includes(`CarePlan/${plan.id}`)) await world.server.fhir('DELETE', `Provenance/${one.id}`);
    await world.server.fhir('DELETE', `CarePlan/${plan.id}`);
    await world.send(['carePlan', aCarePlan({ title: 'Food every day.', updatedAt: '2026-02-20T10:00:00-05:00' })]);
    const { items } = await page('?kind=seen');
    expect(items.map(({ text }) => text)).toEqual(
      expect.arrayContaining([
        `CarePlan/${plan.id} of care plan plan-rosa was gone when general was last asked.`,
        `Task/${task.id} of referral referral-pantry was last read at general.`,
      ]),
    );
    const note = asJson({ note: 'wait for them' });
    await harness.send('runner', 'POST', '/api/lanes/general/county.case.case-rosa/park', note);
    expect((await page('?kind=withheld')).items[0]).toMatchObject({
      text: 'runner stopped the work on this case for general.',
      note: 'wait for them',
    });
  });
});

test.each([
  ['kind=none', 'parameter-invalid'],
  ['after=nonsense', 'cursor-invalid'],
  [`after=${Buffer.from('["timeline","2026-02-30T00:00:00Z",0,0,""]').toString('base64url')}`, 'cursor-invalid'],
])('%s is refused', async (query, code) => {
  await world.accept(['case', aCase()]);
  const response = await harness.send('county', 'GET', `/api/cases/case-rosa/timeline?${query}`);
  expect([response.status, (await json(response)).code]).toEqual([400, code]);
});
