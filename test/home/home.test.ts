// What a partner's contact does on a page, and what its source, its clocks and its case see of it.

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Gateway } from '../../src/gateway.ts';
import { MoveRefused } from '../../src/home/home.ts';
import { visibleTo } from '../../src/home/visible.ts';
import { isObject, type JsonObject, objectAt, objectsAt } from '../../src/json.ts';
import type { RecordType } from '../../src/records/records.ts';
import { json, sql } from '../../src/store/store.ts';
import { aClient, aConsent, anAppointment, anOrganization, aReferral, aService } from '../builders.ts';
import { sweepAt } from '../clocks/kept.ts';
import { freshEmbedded } from '../support/embedded.ts';
import { pantry, permittedCaseload, withPartners } from '../support/partners.ts';
import { accept, idle, secondPass, startTestGateway } from '../support/rig.ts';
import { useStoreClock } from '../support/store-clock.ts';

const ana = { kind: 'contact', id: 'c1', name: 'Ana Ruiz' } as const;
let gateway: Gateway;
const timeIs = useStoreClock({
  get store() {
    return gateway.api.store;
  },
});

beforeAll(async () => {
  gateway = await startTestGateway(await freshEmbedded(), withPartners([], [pantry]));
  const named = permittedCaseload().map(([type, record]): readonly [RecordType, JsonObject] =>
    type === 'consent' ? [type, { ...record, recordTypes: [...recordTypes, 'appointment'] }] : [type, record],
  );
  await accept(gateway, ...named);
  await idle(gateway);
}, 60_000);

const recordTypes = ['client', 'need', 'goal', 'referral'];

afterAll(() => gateway?.stop());

/** A referral of its own, by its record's id. */
async function refer(id: string): Promise<string> {
  await accept(gateway, ['referral', aReferral({ id })]);
  await idle(gateway);
  const row = await gateway.api.store.db
    .selectFrom('link')
    .select('remote_id')
    .where('connection', '=', 'pantry')
    .where('id', '=', id)
    .where('slot', '=', 'fulfilment')
    .executeTakeFirstOrThrow();
  return row.remote_id ?? '';
}

async function view(taskId: string) {
  const found = await gateway.api.home.referral('pantry', taskId);
  if (found === undefined) throw new Error('no such referral');
  return { ...found, version: `W/"${objectAt(found.task, 'meta')?.versionId}"` };
}

async function offered(id: string): Promise<JsonObject[]> {
  const rows = await gateway.api.store.db
    .selectFrom('change')
    .select('body')
    .where('id', '=', id)
    .orderBy('cursor')
    .execute();
  return rows.flatMap(({ body }) => (body === null ? [] : [body]));
}

async function versions(taskId: string): Promise<readonly string[]> {
  const rows = await gateway.api.store.db
    .selectFrom('home_version')
    .select(['version', 'written_by', 'body'])
    .where('id', '=', taskId)
    .orderBy('version')
    .execute();
  return rows.map(({ written_by, body }) => `${written_by} ${body.status}`);
}

test('a consent begins with the day where the source is', async () => {
  const names = [`Task/${await refer('first-day')}`];
  const shown = async (timeZone?: string) =>
    (await visibleTo(gateway.api.store.db, { ...pantry, ...(timeZone && { timeZone }) }, { names })).length;
  // Its first day is 2 February.
  await timeIs('2026-02-02T04:59:59Z');
  expect([await shown(), await shown('America/New_York')]).toEqual([1, 0]);
  await timeIs('2026-02-02T05:00:00Z');
  expect(await shown('America/New_York')).toBe(1);
});

test('a referral is shown with all that it speaks of', async () => {
  const { task, request, patient, requester, needs, goals } = await view(await refer('shown'));
  expect(task).toMatchObject({ resourceType: 'Task', status: 'requested' });
  expect(request.resourceType).toBe('ServiceRequest');
  expect(patient).toMatchObject({ resourceType: 'Patient', name: [{ family: 'Delgado' }] });
  expect(requester?.resourceType).toBe('PractitionerRole');
  expect([needs.length, goals.length]).toEqual([1, 1]);
});

test('a refusal of everybody that nobody signed counts at once, and is taken back', async () => {
  const id = await refer('refused');
  const {
    signedAt: _signedAt,
    period: _period,
    ...unsigned
  }: JsonObject = {
    ...aConsent(),
    id: 'consent-no',
    status: 'declined',
    recipients: [{ class: 'all community partners' }],
    recordTypes: ['goal'],
    updatedAt: '2026-05-04T14:00:00Z',
  };
  const shown = async () => {
    const { needs, goals } = await view(id);
    return [needs.length, goals.length];
  };
  await accept(gateway, ['consent', unsigned]);
  expect(await shown()).toEqual([1, 0]);
  await idle(gateway);
  const { rows: there } = await sql`
    select state from link where connection = 'pantry' and type = 'goal' and remote_id is not null and retired_at is null`.execute(
    gateway.api.store.db,
  );
  expect(there).toEqual([]);
  await accept(gateway, ['consent', { id: 'consent-no', deleted: true, updatedAt: '2026-05-05T14:00:00Z' }]);
  await idle(gateway);
  expect(await shown()).toEqual([1, 1]);
});

test('of a place that is confidential by now neither address nor telephone number is shown, before the lane has taken it back', async () => {
  const address = { lines: ['12 Elm Street'], city: 'Albany' };
  const placed = (confidential: boolean, updatedAt: string): Parameters<typeof accept>[1][] => {
    const at = { address: { ...address, confidential } };
    const locations = [{ id: 'l1', name: 'Kitchen', latitude: 42.6, longitude: -73.7, ...at }];
    return [
      ['organization', anOrganization({ ...at, updatedAt })],
      ['service', aService({ locations, updatedAt })],
      [
        'appointment',
        anAppointment({ id: 'visit-kitchen', referralId: 'visited', place: { name: 'Kitchen', ...at }, updatedAt }),
      ],
    ];
  };
  const ids = ['org-pantry', 'service-groceries', 'visit-kitchen'];
  const types = ['Organization', 'HealthcareService', 'Location', 'Appointment'];
  const whereabouts = async () => {
    const found = await Promise.all(types.map((type) => visibleTo(gateway.api.store.db, pantry, { type })));
    const own = found.flat().filter(({ record }) => ids.includes(record?.id ?? ''));
    return own.map(({ body }) =>
      ['resourceType', 'telecom', 'address', 'position', 'comment'].flatMap((name) =>
        body[name] === undefined ? [] : name === 'resourceType' ? String(body[name]) : name,
      ),
    );
  };
  await accept(gateway, ...placed(false, '2026-03-07T10:00:00-05:00'));
  await refer('visited');
  expect(await whereabouts()).toEqual([
    ['Organization', 'telecom', 'address'],
    ['HealthcareService', 'telecom', 'comment'],
    ['Location', 'address', 'position'],
    ['Appointment', 'comment'],
  ]);
  await gateway.api.pause('pantry', 'test');
  await accept(gateway, ...placed(true, '2026-03-08T10:00:00-05:00'));
  // What a service's comment says of it is no place.
  expect(await whereabouts()).toEqual([
    ['Organization'],
    ['HealthcareService', 'comment'],
    ['Location'],
    ['Appointment'],
  ]);
  await gateway.api.resume('pantry', 'test');
  await accept(gateway, ...placed(false, '2026-03-09T10:00:00-05:00'));
  await idle(gateway);
});

test('what the same person has refused under the id of a duplicate is not shown, from that moment on', async () => {
  const id = await refer('refused-elsewhere');
  const goals = async () => (await view(id)).goals.length;
  const updatedAt = '2026-05-04T14:00:00Z';
  const no = { ...aConsent(), id: 'consent-dup', clientId: 'client-dup', status: 'declined', recordTypes: ['goal'] };
  await accept(
    gateway,
    ['client', aClient({ id: 'client-dup', identifiers: [] })],
    ['consent', { ...no, signedAt: updatedAt, updatedAt }],
  );
  expect(await goals()).toBe(1);
  const merged = aClient({ id: 'client-dup', identifiers: [], mergedInto: 'client-rosa', updatedAt });
  await accept(gateway, ['client', merged]);
  expect(await goals()).toBe(0);
  await accept(gateway, ['consent', { id: 'consent-dup', deleted: true, updatedAt: '2026-05-05T14:00:00Z' }]);
  await idle(gateway);
  expect(await goals()).toBe(1);
});

describe('a move', () => {
  test('is a version of the Task, a change for the source, and kept with who made it', async () => {
    const id = await refer('moved');
    const { version } = await view(id);
    await gateway.api.home.move('pantry', id, { to: 'accepted', note: 'We can help.' }, ana, version);
    await idle(gateway);
    expect(await versions(id)).toEqual(['casebridge requested', 'contact:c1 accepted']);
    expect(await offered('moved')).toEqual([
      expect.objectContaining({
        status: 'accepted',
        comments: [expect.objectContaining({ text: 'We can help.', byName: 'Ana Ruiz', visibility: 'shared' })],
      }),
    ]);
  });

  test('that ends it with a part of the service names what was done, and the source learns how much and in which words', async () => {
    const id = await refer('done');
    for (const move of [
      { to: 'accepted' },
      { to: 'completed', outcome: { code: 'partly-received', text: 'Two of four bags' } },
    ] as const)
      await gateway.api.home.move('pantry', id, move, ana, (await view(id)).version);
    await idle(gateway);
    const { task } = await view(id);
    const procedures = (await gateway.api.home.visible('pantry', { type: 'Procedure' })).map(({ body }) => body);
    expect(procedures).toEqual([
      expect.objectContaining({ status: 'completed', performedDateTime: expect.any(String) }),
    ]);
    expect(objectsAt(task, 'output')).toEqual([
      expect.objectContaining({ valueReference: { reference: `Procedure/${procedures[0]?.id}` } }),
    ]);
    expect((await offered('done')).at(-1)).toMatchObject({
      status: 'completed',
      outcome: { code: 'partly-received', text: 'Two of four bags', confirmedBy: 'partner' },
    });
    const asked = await gateway.api.store.db
      .selectFrom('decision')
      .select('topic')
      .where('record_id', '=', 'done')
      .execute();
    expect(asked).toEqual([]);
  });

  test('that refuses it says why, in words and as a code', async () => {
    const id = await refer('declined');
    const reason = { text: 'No more bags this month', code: 'no-capacity' };
    await gateway.api.home.move('pantry', id, { to: 'rejected', reason }, ana, (await view(id)).version);
    await idle(gateway);
    expect(await offered('declined')).toEqual([
      expect.objectContaining({ status: 'declined', declineReason: 'no-capacity', declineText: reason.text }),
    ]);
  });

  test('that is not theirs to make is refused with the ones that are, and changes nothing', async () => {
    const id = await refer('illegal');
    const { version } = await view(id);
    const refusal = await gateway.api.home
      .move('pantry', id, { to: 'completed' }, ana, version)
      .catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(MoveRefused);
    expect(refusal).toMatchObject({ code: 'task-move-illegal', legal: ['accepted', 'rejected', 'cancelled'] });
    await expect(gateway.api.home.move('pantry', id, { to: 'rejected' }, ana, version)).rejects.toMatchObject({
      code: 'task-reason-missing',
    });
    expect((await view(id)).version).toBe(version);
    expect(await versions(id)).toHaveLength(1);
  });

  test('of a version that is gone is a conflict', async () => {
    const id = await refer('stale');
    const { version } = await view(id);
    await gateway.api.home.move('pantry', id, { to: 'accepted' }, ana, version);
    await expect(
      gateway.api.home.move('pantry', id, { to: 'rejected', reason: { text: 'Full' } }, ana, version),
    ).rejects.toMatchObject({
      code: 'version-conflict',
    });
  });

  test('of somebody who is no partner, or of what is not theirs, finds nothing', async () => {
    await expect(gateway.api.home.move('nobody', 'x', {}, ana, 'W/"1"')).rejects.toMatchObject({
      code: 'partner-unknown',
    });
    await expect(gateway.api.home.move('pantry', 'x', {}, ana, 'W/"1"')).rejects.toMatchObject({
      code: 'resource-not-theirs',
    });
    expect(await gateway.api.home.referral('pantry', 'x')).toBeUndefined();
  });
});

test('a comment is there once, however often it is sent to one version, and stays as it was written', async () => {
  const id = await refer('commented');
  const text = '<b onclick="x()">Please call before ten</b>';
  const { version } = await view(id);
  const say = (words: string, ifMatch = version) => gateway.api.home.addComment('pantry', id, words, ana, ifMatch);
  await say(text);
  await expect(say(text)).rejects.toMatchObject({ code: 'version-conflict' });
  await idle(gateway);
  expect(objectsAt((await view(id)).task, 'note').map((note) => note.text)).toEqual([text]);
  const said = expect.objectContaining({ text, byName: 'Ana Ruiz' });
  expect(await offered('commented')).toEqual([{ comments: [said] }]);
  await expect(say(' ')).rejects.toMatchObject({ code: 'comment-empty' });
  await expect(say('x'.repeat(4_001))).rejects.toMatchObject({ code: 'comment-empty' });

  // Said again, it is another comment.
  await say(text, (await view(id)).version);
  await idle(gateway);
  const comments = objectsAt((await offered('commented')).at(-1), 'comments');
  expect(comments).toEqual([said, said]);
  expect(new Set(comments.map((comment) => comment.id)).size).toBe(2);
});

test('the first contact that reaches the client is offered as such, attempts as follow-ups, each once', async () => {
  const id = await refer('called');
  const attempt = { at: '2026-02-05T09:00:00-05:00', mode: 'phone', outcome: 'no-answer' } as const;
  const contact = { at: '2026-02-05T11:00:00-05:00', mode: 'phone', outcome: 'reached' } as const;
  for (const made of [attempt, attempt, contact, contact])
    await gateway.api.home.logFirstContact('pantry', id, made, ana);
  expect(await offered('called')).toEqual([
    { followUps: [{ id: expect.any(String), doneAt: attempt.at, mode: 'phone', outcome: 'no-answer' }] },
    { firstContact: { at: contact.at, mode: 'phone', outcome: 'reached', byName: 'Ana Ruiz' } },
  ]);
  const { communications } = await view(id);
  expect(communications.map(({ status }) => status)).toEqual(['not-done', 'completed']);
  // The clock has stopped, although the source has not taken it over.
  await sweepAt(gateway.api.store, '2026-06-01T00:00:00Z');
  const clock = await gateway.api.store.db
    .selectFrom('clock')
    .select(['state', 'contact', 'stopped_at'])
    .where('rule', '=', 'first-contact-72h')
    .where('id', '=', 'called')
    .executeTakeFirstOrThrow();
  expect(clock).toEqual({ state: 'met', contact: 'reached', stopped_at: new Date(contact.at) });
});

test('what was said of the first contact is a comment, and each change says what was offered before it too', async () => {
  const id = await refer('told');
  const of = (at: string, outcome: 'no-answer' | 'reached', note: string) =>
    gateway.api.home.logFirstContact(
      'pantry',
      id,
      { at: `2026-02-05T${at}:00-05:00`, mode: 'phone', outcome, note },
      ana,
    );
  await of('09:00', 'no-answer', 'Rang for long');
  await of('10:00', 'no-answer', 'Her sister says: call at eleven');
  await of('11:00', 'reached', 'She needs a pram');
  await of('12:00', 'reached', 'She comes on Monday');
  const [first, second, third, fourth] = await offered('told');
  expect(objectsAt(first, 'followUps').map(({ note }) => note)).toEqual(['Rang for long']);
  expect(objectsAt(second, 'followUps').map(({ note }) => note)).toEqual([
    'Rang for long',
    'Her sister says: call at eleven',
  ]);
  expect(third).toEqual({
    firstContact: expect.objectContaining({ at: '2026-02-05T11:00:00-05:00', outcome: 'reached' }),
    comments: [
      expect.objectContaining({ text: 'She needs a pram', byName: 'Ana Ruiz', at: '2026-02-05T11:00:00-05:00' }),
    ],
  });
  expect(objectsAt(fourth, 'followUps').map(({ note }) => note)).toEqual([
    'Rang for long',
    'Her sister says: call at eleven',
    'She comes on Monday',
  ]);
  expect(fourth).not.toHaveProperty('firstContact');

  // Taken over, it stands on the Task as a note of the partner's, and is not offered as another one.
  const record = (
    await gateway.api.store.db.selectFrom('record').select('content').where('id', '=', 'told').executeTakeFirstOrThrow()
  ).content;
  await accept(gateway, ['referral', { ...record, ...third, ...fourth, updatedAt: '2026-02-06T10:00:00-05:00' }]);
  await idle(gateway);
  const { task } = await view(id);
  expect(objectsAt(task, 'note')).toMatchObject([{ text: 'She needs a pram', authorReference: expect.anything() }]);
  expect(await offered('told')).toHaveLength(4);
});

test('of contacts that are logged in the wrong order none is lost: the one that was the first until then is a follow-up', async () => {
  const id = await refer('late-logged');
  const log = (day: string, mode: string, note?: string) =>
    gateway.api.home.logFirstContact(
      'pantry',
      id,
      { at: `2026-02-${day}T12:00:00Z`, mode, outcome: 'reached', ...(note && { note }) },
      ana,
    );
  await log('08', 'in-person', 'She came by');
  await log('07', 'video');
  await log('06', 'phone', 'She asked when to come');
  const [, , last] = await offered('late-logged');
  expect(last).toMatchObject({
    firstContact: { at: '2026-02-06T12:00:00Z', mode: 'phone' },
    followUps: [
      { doneAt: '2026-02-08T12:00:00Z', mode: 'in-person', outcome: 'reached' },
      { doneAt: '2026-02-07T12:00:00Z', mode: 'video', outcome: 'reached' },
    ],
    comments: [{ text: 'She asked when to come' }, { text: 'She came by' }],
  });
  expect(new Set(objectsAt(last, 'followUps').map((one) => one.id)).size).toBe(2);
  // The source can take it over as it is.
  await accept(gateway, [
    'referral',
    aReferral({ id: 'late-logged', ...last, updatedAt: '2026-02-09T10:00:00-05:00' }),
  ]);
});

async function proposalsOf(appointment: string): Promise<JsonObject[]> {
  const rows = await gateway.api.store.db
    .selectFrom('change')
    .select('body')
    .where('op', '=', 'propose')
    .where('type', '=', 'appointment')
    .orderBy('cursor')
    .execute();
  return rows.flatMap(({ body }) => (isObject(body) && objectAt(body, 'origin')?.id === appointment ? [body] : []));
}

/** As it is there. */
async function confirm(taskId: string, appointment: JsonObject | undefined): Promise<JsonObject> {
  const there = (await view(taskId)).appointments.find(({ id }) => id === appointment?.id);
  const tag = `W/"${objectAt(there, 'meta')?.versionId}"`;
  return gateway.api.home.confirmAppointment('pantry', taskId, String(appointment?.id), ana, tag);
}

describe('an appointment', () => {
  test('that the partner proposes and the source takes over is arranged by both, and there once', async () => {
    const id = await refer('taken-over');
    const proposed = { startsAt: '2026-03-09T15:00:00Z', status: 'proposed', place: 'Elm Street' } as const;
    const made = await gateway.api.home.proposeAppointment('pantry', id, proposed, ana);
    const [proposal = {}] = await proposalsOf(String(made.id));
    const record = { ...proposal, id: 'visit-elm', updatedAt: '2026-05-01T10:00:00Z' };
    await accept(gateway, ['appointment', record]);
    await idle(gateway);
    expect((await view(id)).appointments).toMatchObject([{ id: made.id, status: 'proposed' }]);

    // Moved by the source, it is not what the partner has now agreed with the client.
    const later = { startsAt: '2026-03-09T17:00:00Z', updatedAt: '2026-05-01T11:00:00Z' };
    await accept(gateway, ['appointment', { ...record, ...later }]);
    await idle(gateway);
    await expect(
      gateway.api.home.proposeAppointment('pantry', id, { ...proposed, status: 'booked' }, ana),
    ).rejects.toMatchObject({ code: 'appointment-exists' });
    await accept(gateway, ['appointment', { ...record, updatedAt: '2026-05-01T12:00:00Z' }]);
    await idle(gateway);

    // What the source agrees to is what the partner sees.
    await accept(gateway, ['appointment', { ...record, status: 'booked', updatedAt: '2026-05-02T10:00:00Z' }]);
    await idle(gateway);
    expect((await view(id)).appointments).toMatchObject([{ id: made.id, status: 'booked' }]);
    await secondPass(gateway);
    expect((await view(id)).appointments).toHaveLength(1);
    expect(await proposalsOf(String(made.id))).toHaveLength(1);

    // What the source has called off is not proposed again under the same name.
    await accept(gateway, ['appointment', { ...record, status: 'cancelled', updatedAt: '2026-05-03T10:00:00Z' }]);
    await idle(gateway);
    await expect(gateway.api.home.proposeAppointment('pantry', id, proposed, ana)).rejects.toMatchObject({
      code: 'appointment-exists',
    });
    expect((await view(id)).appointments).toMatchObject([{ id: made.id, status: 'cancelled' }]);
  });

  test('that the partner confirms after it was taken over is a change of the record', async () => {
    const id = await refer('agreed-there');
    const proposed = { startsAt: '2026-03-10T15:00:00Z', status: 'proposed' } as const;
    const made = await gateway.api.home.proposeAppointment('pantry', id, proposed, ana);
    const [proposal = {}] = await proposalsOf(String(made.id));
    await accept(gateway, ['appointment', { ...proposal, id: 'visit-oak', updatedAt: '2026-05-01T10:00:00Z' }]);
    await idle(gateway);
    await confirm(id, made);
    await idle(gateway);
    expect(await offered('visit-oak')).toEqual([{ status: 'confirmed' }]);
    expect(await proposalsOf(String(made.id))).toHaveLength(1);
  });

  test('that the partner proposes is there once, waits for the source, and is not proposed for what has ended', async () => {
    const id = await refer('met');
    const proposed = {
      startsAt: '2026-03-02T15:00:00Z',
      endsAt: '2026-03-02T15:30:00Z',
      place: 'Elm Street',
      status: 'proposed',
    } as const;
    await gateway.api.home.proposeAppointment('pantry', id, proposed, ana);
    const made = await gateway.api.home.proposeAppointment('pantry', id, proposed, ana);
    expect((await view(id)).appointments).toEqual([made]);
    const seen = await gateway.api.store.db
      .selectFrom('seen')
      .select('body')
      .where('remote_id', '=', String(made.id))
      .execute();
    expect(seen).toEqual([{ body: made }]);

    await confirm(id, made);
    expect((await view(id)).appointments).toMatchObject([{ status: 'booked' }]);
    await idle(gateway);
    // The source is offered it as a record of its own, once for each thing that it says.
    const proposals = await proposalsOf(String(made.id));
    expect(proposals).toMatchObject([
      {
        kind: 'partner',
        status: 'proposed',
        clientId: 'client-rosa',
        caseId: 'case-rosa',
        referralId: 'met',
        startsAt: '2026-03-02T15:00:00Z',
        endsAt: '2026-03-02T15:30:00Z',
        place: { name: 'Elm Street' },
        with: { organizationId: 'org-pantry' },
      },
      { status: 'booked' },
    ]);
    expect((await offered('met')).flatMap((change) => objectsAt(change, 'comments'))).toEqual([]);
    const { version } = await view(id);
    await gateway.api.home.move('pantry', id, { to: 'rejected', reason: { text: 'Moved away' } }, ana, version);
    await expect(
      gateway.api.home.proposeAppointment('pantry', id, { ...proposed, place: 'Oak Street' }, ana),
    ).rejects.toBeInstanceOf(MoveRefused);
  });

  test('that the agency proposes is confirmed, which its source is offered', async () => {
    const id = await refer('agreed');
    await accept(gateway, [
      'appointment',
      anAppointment({ id: 'visit', referralId: 'agreed', status: 'proposed', transport: undefined }),
    ]);
    await idle(gateway);
    const [appointment] = (await view(id)).appointments;
    expect(appointment?.status).toBe('proposed');
    await expect(
      gateway.api.home.confirmAppointment('pantry', id, String(appointment?.id), ana, 'W/"0"'),
    ).rejects.toMatchObject({ code: 'version-conflict' });
    await confirm(id, appointment);
    await idle(gateway);
    expect(await offered('visit')).toEqual([{ status: 'confirmed' }]);
    // Nothing is left to ask, before the source takes it over or after.
    const asked = () =>
      gateway.api.store.db.selectFrom('decision').select('topic').where('record_id', '=', 'visit').execute();
    expect(await asked()).toEqual([]);
    const taken = { id: 'visit', referralId: 'agreed', status: 'confirmed', transport: undefined } as const;
    await accept(gateway, ['appointment', anAppointment({ ...taken, updatedAt: '2026-05-02T10:00:00Z' })]);
    await idle(gateway);
    expect(await asked()).toEqual([]);
    const agreed = (await view(id)).appointments;
    expect(agreed).toMatchObject([{ status: 'booked' }]);
    expect(objectsAt(agreed[0], 'participant').map(({ status }) => status)).toEqual(['accepted', 'accepted']);
    expect(await offered('visit')).toHaveLength(1);
    await expect(gateway.api.home.confirmAppointment('pantry', id, 'none', ana, 'W/"1"')).rejects.toMatchObject({
      code: 'appointment-unknown',
    });
  });
});

test('what is said while the lane runs is not lost, whatever that run stores', async () => {
  const id = await refer('busy');
  const { db } = gateway.api.store;
  const subject = 'county.case.case-rosa';
  await gateway.api.pause('pantry', 'test');
  const before = await db.selectFrom('seen').selectAll().where('remote_id', '=', id).executeTakeFirstOrThrow();
  // Another process is at the lane, and stores what it has seen after the partner has written.
  await db
    .updateTable('lane')
    .set({ lease_until: new Date(Date.now() + 60_000) })
    .where('subject', '=', subject)
    .execute();
  await gateway.api.home.move('pantry', id, { to: 'accepted' }, ana, (await view(id)).version);
  await db
    .updateTable('seen')
    .set({ hash: before.hash, version_tag: before.version_tag, body: json(before.body ?? {}) })
    .where('remote_id', '=', id)
    .execute();
  await db.updateTable('lane').set({ lease_until: null }).where('subject', '=', subject).execute();
  await gateway.api.resume('pantry', 'test');
  await idle(gateway);
  expect(await offered('busy')).toEqual([expect.objectContaining({ status: 'accepted' })]);
});

test('all of it is kept by who did it, without what was said', async () => {
  const rows = await gateway.api.store.db.selectFrom('audit').selectAll().execute();
  expect(new Set(rows.map(({ actor }) => actor))).toEqual(new Set(['contact:c1']));
  expect(new Set(rows.map(({ resource_type }) => resource_type))).toEqual(
    new Set(['Task', 'Procedure', 'Communication', 'Appointment']),
  );
  expect(JSON.stringify(rows)).not.toMatch(/Ana|help|Delgado/);
});
