// Calls and visits that a partner holds on a server of its own: they stop the clock of the first contact, and the source is told of them.

import { beforeEach, describe, expect, test } from '@jest/globals';
import { type JsonObject, objectsAt } from '../../../src/json.ts';
import { refuseChange } from '../../../src/lanes/lanes.ts';
import { aCase, anAppointment, aReferral } from '../../builders.ts';
import { sweepAt } from '../../clocks/kept.ts';
import { own } from '../../support/adopting.ts';
import { feed, hospitalHas, hospitalShows, ops } from '../../support/begun.ts';
import { charting, chartOf } from '../../support/chart.ts';
import { rosaOnFile } from '../../support/patients.ts';
import { aConnection, identifierSystem } from '../../support/rig.ts';
import { pollEverybody } from '../../support/roster.ts';
import { partnerEdits, useWorld } from '../../support/world.ts';

const world = useWorld(charting);
const { looksAt, readAll, rosaIsLinked } = chartOf(world);

const bundle = { resourceType: 'Bundle', type: 'searchset', total: 0 };

describe('a partner on a server of its own', () => {
  const taskSlot = 'county/referral/referral-pantry#fulfilment';
  const client = { reference: 'Patient/rosa' };
  const called = '2026-02-05T09:00:00-05:00';
  const inTime = '2026-02-06T09:00:00-05:00';

  beforeEach(async () => {
    const types = ['Appointment', 'Communication', 'ServiceRequest', 'Task'] as const;
    const polls = { types, performers: [], referralCodes: [], documentTypes: [], lookBackMs: 400 * 86_400_000 };
    await world.connect(aConnection(world.server.base, { createPatients: false, polls }));
    await rosaIsLinked();
  });

  async function partnerSays(...resources: readonly JsonObject[]): Promise<void> {
    await hospitalHas(world, ...resources);
    await pollEverybody(world);
    await world.work();
  }

  const referral = async () => {
    const task = await world.server.own('Task', taskSlot);
    const order = await world.server.own('ServiceRequest', 'county/referral/referral-pantry#request');
    return { task: { reference: `Task/${task.id}` }, order: { reference: `ServiceRequest/${order.id}` } };
  };

  /** A second referral to the partner, in this case. @returns its order */
  async function alsoRefers(
    more: Parameters<typeof aReferral>[0] = {},
  ): Promise<{ task: JsonObject; order: JsonObject }> {
    await world.send(['referral', aReferral({ id: 'referral-second', ...more })]);
    const task = await world.server.own('Task', 'county/referral/referral-second#fulfilment');
    const order = await world.server.own('ServiceRequest', 'county/referral/referral-second#request');
    return { task: { reference: `Task/${task.id}` }, order: { reference: `ServiceRequest/${order.id}` } };
  }

  async function call(more: JsonObject = {}): Promise<JsonObject> {
    const { task } = await referral();
    const made: JsonObject = {
      resourceType: 'Communication',
      id: 'call-1',
      status: 'completed',
      partOf: [task],
      subject: client,
      recipient: [client],
      medium: [{ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ParticipationMode', code: 'PHONE' }] }],
      sent: called,
    };
    return { ...made, ...more };
  }

  async function visit(more: JsonObject = {}): Promise<JsonObject> {
    const { order } = await referral();
    const made: JsonObject = {
      resourceType: 'Appointment',
      id: 'visit-1',
      status: 'booked',
      basedOn: [order],
      description: 'Intake at the pantry',
      start: called,
      end: '2026-02-05T09:30:00-05:00',
      participant: [{ actor: client, status: 'accepted' }],
    };
    return { ...made, ...more };
  }

  const contacts = async () =>
    (await feed(world)).flatMap(({ op, type, body }) => (op === 'patch' && type === 'referral' ? [body] : []));

  const toldOf = async (referralId: string) =>
    (await feed(world)).flatMap(({ op, id, body }) => (op === 'patch' && id === referralId ? [body] : []));
  const followUpsOf = async (referralId: string) =>
    (await toldOf(referralId))
      .flatMap(({ followUps }) => (followUps === undefined ? [] : [objectsAt({ followUps }, 'followUps')]))
      .at(-1) ?? [];

  async function contactClock(at = inTime): Promise<string> {
    await sweepAt(world.store, at);
    const row = await world.store.db
      .selectFrom('clock')
      .selectAll()
      .where('rule', '=', 'first-contact-72h')
      .executeTakeFirstOrThrow();
    return `${row.state} ${row.contact} ${row.stopped_at?.toISOString() ?? ''}`.trim();
  }

  const reached = { at: called, outcome: 'reached', mode: 'phone', byName: 'Elm Street Pantry' } as const;
  const metByCall = 'met reached 2026-02-05T14:00:00.000Z';

  async function refuse(): Promise<void> {
    const { cursor } = await world.store.db
      .selectFrom('change')
      .select('cursor')
      .orderBy('cursor', 'desc')
      .limit(1)
      .executeTakeFirstOrThrow();
    await refuseChange(world.store, { source: 'county', cursor, reason: 'She says that nobody called.' });
    await world.work();
  }

  test('that has called the client stops the clock from the time of the call, before the source takes it over, which is told once', async () => {
    await partnerSays(await call());
    expect(await contacts()).toEqual([{ firstContact: reached }]);
    expect(await contactClock()).toBe(metByCall);
    await partnerSays(await call({ note: [{ text: 'Spoke with her daughter too' }] }));
    await world.workAgain();
    expect(await contacts()).toHaveLength(1);
    await world.accept(['referral', aReferral({ firstContact: reached, updatedAt: '2026-02-05T10:00:00-05:00' })]);
    await world.workAgain();
    expect(await contacts()).toHaveLength(1);
    expect(await contactClock()).toBe(metByCall);
    expect(await world.store.db.selectFrom('remote_value').selectAll().execute()).toEqual([]);
  });

  test('is not taken to have reached the client by what is no contact, is not its own, or lies before the referral or ahead', async () => {
    await hospitalHas(world, { ...rosaOnFile, id: 'luis', identifier: [] });
    const agency = await world.link('organization/org-riverside#organization');
    const luis = { reference: 'Patient/luis' };
    const bad: readonly JsonObject[] = [
      { recipient: [{ display: 'Riverside Family Services' }] },
      { sender: { reference: `Organization/${agency.remoteId}` } },
      { sent: '2026-02-03T09:00:00-05:00' },
      { sent: '2031-01-01T09:00:00-05:00' },
      { status: 'entered-in-error' },
      { recipient: [luis] },
      { subject: luis },
      { partOf: [], about: [{ reference: 'Task/another' }] },
      { identifier: [{ system: identifierSystem, value: 'county/note/n1#note' }] },
    ];
    const made = await Promise.all(bad.map(async (one, at) => call({ ...one, id: `bad-${at}` })));
    await partnerSays(...made);
    expect(await contacts()).toEqual([]);
    expect(await contactClock()).toBe('running null');
    const kept = await world.store.db
      .selectFrom('seen')
      .select('remote_id')
      .where('resource_type', '=', 'Communication')
      .execute();
    expect(kept.map(({ remote_id: id }) => id)).not.toContain('bad-7');
  });

  test('that only tried has the try told as a follow-up, which stops nothing', async () => {
    const statusReason = { coding: [{ code: 'recipient-unavailable' }] };
    await partnerSays(await call({ status: 'not-done', statusReason }));
    await partnerSays(await call({ id: 'call-2', medium: [{ text: 'Voicemail' }], sent: '2026-02-05T11:00:00-05:00' }));
    await world.workAgain();
    const tries = [
      { doneAt: called, outcome: 'no-answer', mode: 'phone' },
      { doneAt: '2026-02-05T11:00:00-05:00', outcome: 'left-message' },
    ];
    expect(await contacts()).toMatchObject([{ followUps: [tries[0]] }, { followUps: tries }]);
    expect(await contactClock()).toBe('running null');
  });

  test('that arranges a visit at no time that a calendar has proposes none; of an end that is none, nothing is said', async () => {
    const soon = await Promise.all([
      visit({ id: 'soon', start: 'soon', end: 'later' }),
      visit({ id: 'day', start: '2026-02-30T25:00:00Z' }),
      visit({ id: 'open', start: '2031-02-05T09:00:00Z', end: '2031-02-05' }),
    ]);
    await partnerSays(...soon);
    const proposed = (await feed(world)).filter(({ op, type }) => op === 'propose' && type === 'appointment');
    expect(proposed).toMatchObject([{ body: { startsAt: '2031-02-05T09:00:00Z' } }]);
    expect(proposed[0]?.body).not.toHaveProperty('endsAt');
  });

  test('that takes the call back starts the clock again, and the next contact counts', async () => {
    await partnerSays(await call());
    await partnerSays(await call({ status: 'entered-in-error' }));
    expect((await contacts()).at(-1)).toEqual({ firstContact: null });
    expect(await contactClock()).toBe('running null');
    await partnerSays(await call({ id: 'call-2', sent: '2026-02-05T12:00:00-05:00' }));
    expect((await contacts()).at(-1)).toMatchObject({ firstContact: { at: '2026-02-05T12:00:00-05:00' } });
    expect(await contactClock()).toBe('met reached 2026-02-05T17:00:00.000Z');
  });

  test('that deletes the call, and an appointment that it had booked, has both taken back', async () => {
    await partnerSays(
      await call(),
      await visit({ start: '2026-03-09T09:00:00-04:00', end: '2026-03-09T09:30:00-04:00' }),
    );
    expect(await contactClock()).toBe(metByCall);
    const before = (await feed(world)).length;
    for (const path of ['Communication/call-1', 'Appointment/visit-1'])
      expect((await world.server.fhir('DELETE', path)).status).toBe(204);
    await readAll();
    await readAll();
    expect((await feed(world)).slice(before)).toMatchObject([
      { op: 'patch', type: 'referral', body: { firstContact: null } },
      { op: 'withdraw', type: 'appointment' },
    ]);
    expect(await contactClock()).toBe('running null');
    expect(await looksAt('Communication/call-1')).toBe(1);
  });

  test('whose call is missing in an answer, and is there, has it counted', async () => {
    await partnerSays(await call());
    const missing = { method: 'GET', path: 'Communication$', fault: { status: 200, body: bundle } };
    await world.server.faults(missing);
    await readAll();
    await readAll();
    expect(await looksAt('Communication/call-1')).toBe(1);
    expect(await contacts()).toHaveLength(1);
    expect(await contactClock()).toBe(metByCall);
  });

  test('whose call turns out to be about somebody else has it taken back', async () => {
    await hospitalHas(world, { ...rosaOnFile, id: 'luis', identifier: [] });
    await partnerSays(await call());
    const luis = { reference: 'Patient/luis' };
    const moved = await call({ subject: luis, recipient: [luis] });
    await hospitalHas(world, moved);
    await hospitalShows(world, 'Communication/call-1');
    expect((await contacts()).at(-1)).toEqual({ firstContact: null });
    expect(await contactClock()).toBe('running null');
  });

  test.each([
    ['the same case', {}],
    ['another case', { caseId: 'case-later', needIds: [], goalIds: [] }],
  ])(
    'that corrects whom a contact was about has it taken back there and told of the right referral, in %s',
    async (_, more) => {
      await world.accept(['case', aCase({ id: 'case-later', openedOn: '2026-02-20' })]);
      const { task: first } = await referral();
      const { task: second } = await alsoRefers(more);
      const missed = await call({ id: 'missed', status: 'not-done', sent: called });
      await partnerSays(await call(), missed);
      const tryId = (await followUpsOf('referral-pantry'))[0]?.id;
      await hospitalHas(world, await call({ partOf: [second] }), { ...missed, partOf: [second] });
      await pollEverybody(world);
      // Before it is taken back in the other one.
      await world.run('county.case.case-later');
      await world.work();
      expect((await toldOf('referral-pantry')).at(-1)).toMatchObject({ firstContact: null });
      expect(await followUpsOf('referral-pantry')).toEqual([{ id: tryId, note: 'The partner has taken this back.' }]);
      expect(await toldOf('referral-second')).toMatchObject([
        { firstContact: reached, followUps: [{ id: tryId, doneAt: called, outcome: 'no-answer' }] },
      ]);
      // Its source has not taken that over yet: the next try does not lose it.
      await partnerSays(await call({ id: 'missed-2', status: 'not-done', sent: called }));
      expect(await followUpsOf('referral-pantry')).toMatchObject([
        { id: tryId, note: 'The partner has taken this back.' },
        { outcome: 'no-answer' },
      ]);
      const before = (await feed(world)).length;
      await partnerSays(await call({ partOf: [first] }));
      expect((await feed(world)).slice(before)).toMatchObject([
        { id: 'referral-second', body: { firstContact: null } },
        { id: 'referral-pantry', body: { firstContact: reached } },
      ]);
    },
  );

  test('whose call was refused for one referral has it told of the one that it is corrected to', async () => {
    const { task: second } = await alsoRefers();
    await partnerSays(await call());
    await refuse();
    await partnerSays(await call({ partOf: [second] }));
    expect(await toldOf('referral-second')).toEqual([{ firstContact: reached }]);
    expect(await toldOf('referral-pantry')).toHaveLength(1);
  });

  test('whose earlier call is found later has that one told; what the record says itself stands', async () => {
    await partnerSays(await call({ id: 'call-2', sent: '2026-02-05T12:00:00-05:00' }));
    await partnerSays(await call());
    expect((await contacts()).at(-1)).toEqual({ firstContact: reached });
    expect(await contactClock()).toBe(metByCall);
    const own = { at: '2026-02-05T08:00:00-05:00', outcome: 'reached' } as const;
    await world.send(['referral', aReferral({ firstContact: own, updatedAt: '2026-02-05T13:00:00-05:00' })]);
    const told = await contacts();
    await partnerSays(
      await call({ status: 'entered-in-error' }),
      await call({ id: 'call-2', status: 'entered-in-error' }),
    );
    expect(await contacts()).toEqual(told);
    expect(await contactClock()).toBe('met reached 2026-02-05T13:00:00.000Z');
  });

  test('whose call the source refuses has not stopped the clock, until somebody says otherwise', async () => {
    await partnerSays(await call());
    await refuse();
    await world.workAgain();
    expect(await contactClock()).toBe('running null');
    expect(await contacts()).toHaveLength(1);
    await world.decide('refused-change', 'again');
    await world.work();
    expect(await contacts()).toEqual([{ firstContact: reached }, { firstContact: reached }]);
    expect(await contactClock()).toBe(metByCall);
  });

  test('that books an appointment has it offered, once, and tied to the record that takes it over; called off before, it is withdrawn', async () => {
    await partnerSays(await visit({ start: '2026-03-09T09:00:00-04:00', end: '2026-03-09T09:30:00-04:00' }));
    await world.workAgain();
    const [offered, ...more] = (await feed(world)).filter(({ type }) => type === 'appointment');
    expect(more).toEqual([]);
    expect(offered).toMatchObject({
      op: 'propose',
      body: {
        origin: { connection: 'general', resourceType: 'Appointment', id: 'visit-1' },
        referralId: 'referral-pantry',
        caseId: 'case-rosa',
        status: 'booked',
        startsAt: '2026-03-09T09:00:00-04:00',
        with: { organizationId: 'org-pantry' },
      },
    });
    await partnerSays(await visit({ id: 'visit-2' }));
    await partnerSays(await visit({ id: 'visit-2', status: 'cancelled' }));
    expect(await ops(world, 1)).toEqual(['propose appointment', 'withdraw appointment']);
    const { id = '', body = {} } = offered ?? {};
    await world.send(['appointment', { ...body, id: own(id), updatedAt: '2026-03-01T10:00:00-05:00' }]);
    expect(await world.link(`appointment/${own(id)}#appointment`)).toMatchObject({
      remoteId: 'visit-1',
      origin: 'theirs',
    });
    await partnerSays(await visit({ start: called, status: 'fulfilled' }));
    expect((await contacts()).at(-1)).toMatchObject({ firstContact: { at: called } });
    expect(await contactClock()).toBe(metByCall);
    expect(await world.server.all('Appointment')).toHaveLength(2);
  });

  test('that books an appointment for the client and another patient, who is named first, has it offered', async () => {
    await hospitalHas(world, { ...rosaOnFile, id: 'ines', birthDate: '1958-02-02', identifier: [] });
    const mother = { actor: { reference: 'Patient/ines' }, status: 'accepted' };
    await partnerSays(await visit({ participant: [mother, { actor: client, status: 'accepted' }] }));
    expect(await ops(world)).toEqual(['propose appointment']);
  });

  const appointments = async () =>
    (await feed(world)).flatMap(({ op, type, body }) =>
      type === 'appointment' ? [`${op} ${String(body.caseId)} ${String(body.referralId)}`] : [],
    );

  test.each([
    ['the client declines', { participant: [{ actor: client, status: 'declined' }] }],
    ['is for somebody else by now', { participant: [{ actor: { reference: 'Patient/luis' }, status: 'accepted' }] }],
    ['names no order any more', { basedOn: [] }],
  ])('has an appointment withdrawn that %s, and offered again when that is undone', async (_, more) => {
    await hospitalHas(world, { ...rosaOnFile, id: 'luis', identifier: [] });
    await partnerSays(await visit());
    await hospitalHas(world, await visit(more));
    await hospitalShows(world, 'Appointment/visit-1');
    expect(await ops(world)).toEqual(['propose appointment', 'withdraw appointment']);
    await partnerSays(await visit());
    expect(await ops(world, 2)).toEqual(['propose appointment']);
  });

  test('has an appointment withdrawn whose referral is deleted', async () => {
    const { order: second } = await alsoRefers();
    await partnerSays(await visit({ basedOn: [second] }));
    const deleted = { id: 'referral-second', updatedAt: '2026-03-04T09:00:00-05:00', deleted: true } as const;
    await world.send(['referral', deleted]);
    expect(await ops(world)).toEqual(['propose appointment', 'withdraw appointment']);
  });

  test('that books one appointment for several referrals has it offered once, for one of them as long as it names that', async () => {
    const { order: first } = await referral();
    const { order: second } = await alsoRefers();
    await partnerSays(await visit({ basedOn: [second, first] }));
    await world.workAgain();
    expect(await appointments()).toEqual(['propose case-rosa referral-pantry']);
    await partnerSays(await visit({ basedOn: [second] }));
    await world.workAgain();
    expect(await appointments()).toEqual(['propose case-rosa referral-pantry', 'propose case-rosa referral-second']);
    await partnerSays(await visit({ basedOn: [second, first] }));
    await world.workAgain();
    expect(await appointments()).toHaveLength(2);
  });

  test('that books one for referrals of two cases has it offered once, by the other one only when the first is not named any more', async () => {
    const { order: first } = await referral();
    const other = { caseId: 'case-later', needIds: [], goalIds: [] };
    await world.accept(['case', aCase({ id: 'case-later', openedOn: '2026-02-20' })]);
    const { order: second } = await alsoRefers(other);
    await partnerSays(await visit({ basedOn: [first, second] }));
    await world.workAgain();
    const [offered, ...more] = await appointments();
    expect(more).toEqual([]);
    const isFirst = offered === 'propose case-rosa referral-pantry';
    await partnerSays(await visit({ basedOn: [isFirst ? second : first] }));
    await world.workAgain();
    expect((await appointments()).at(-1)).toBe(
      `propose ${isFirst ? 'case-later referral-second' : 'case-rosa referral-pantry'}`,
    );
    await partnerSays(await visit({ basedOn: [first, second] }));
    await world.workAgain();
    const { subject } = await world.store.db
      .selectFrom('inbound')
      .select('subject')
      .where('type', '=', 'appointment')
      .executeTakeFirstOrThrow();
    expect(subject).toBe(`county.case.${isFirst ? 'case-later' : 'case-rosa'}`);
    const changes = await appointments();
    expect(changes.filter((line) => line.startsWith('propose'))).toHaveLength(2);
  });

  test('hears nothing of our own appointment, whoever keeps it', async () => {
    await world.send(['appointment', anAppointment({ referralId: 'referral-pantry' })]);
    const ours = await world.server.own('Appointment', 'county/appointment/appointment-visit#appointment');
    await partnerEdits(world.server, `Appointment/${ours.id}`, (held) => ({ ...held, status: 'fulfilled' }));
    await pollEverybody(world);
    await world.work();
    expect(await contacts()).toEqual([]);
    expect(await contactClock()).toBe('running null');
  });
});
