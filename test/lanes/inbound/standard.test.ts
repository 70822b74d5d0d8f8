// The hospital refers and we perform, on a `standard` server: its Task and order become proposals, a record that answers them is tied to its own
// resources, and what we do goes back by its Task (closed-loop B1, B2, B7). Read from the hospital's store and journal.

import { describe, expect, test } from '@jest/globals';
import { type Json, objectsAt } from '../../../src/json.ts';
import { relinkPatient, reviewAlerts } from '../../../src/lanes/lanes.ts';
import { parseRecord } from '../../../src/records/records.ts';
import { aCase, aClient, aReferral } from '../../builders.ts';
import { own } from '../../support/adopting.ts';
import {
  begunOn,
  feed,
  foodCondition,
  foodOrder,
  hospitalHas,
  ines,
  only,
  ops,
  seen,
  sourceAdopts,
  sourceIsThere,
  sourceMoves,
  sourceRefuses,
  task,
  written,
} from '../../support/begun.ts';
import { directoryAndClient } from '../../support/caseload.ts';
import { aConnection } from '../../support/rig.ts';
import { useWorld } from '../../support/world.ts';

const world = useWorld({ inboundTo: 'county' });
const { begins, isAdopted, journalled, statusesOf } = begunOn(world);

/** The hospital begins a referral with security labels: codes with a space between. */
async function beginsLabelled(codes: Readonly<Partial<Record<'task' | 'order' | 'need' | 'patient', string>>>) {
  const bodies = { task, order: foodOrder, need: foodCondition, patient: ines };
  const resources = Object.entries(bodies).map(([name, body]) => {
    const given = new Map(Object.entries(codes)).get(name)?.split(' ') ?? [];
    const security = given.map((code) => ({
      system: `http://terminology.hl7.org/CodeSystem/${code.length === 1 ? 'v3-Confidentiality' : 'v3-ActCode'}`,
      code,
    }));
    return given.length === 0 ? body : { ...body, meta: { security } };
  });
  await hospitalHas(world, ...resources);
  await seen(world);
}

/** Of what was offered, by type. */
const labels = async () =>
  Object.fromEntries(
    (await feed(world)).flatMap(({ type, body }) => (body.sensitivity === undefined ? [] : [[type, body.sensitivity]])),
  );

/** Whatever happens, the hospital has one of each, and they are its own. */
async function nothingIsDoubled(): Promise<void> {
  expect(await only(world, 'Patient')).toMatchObject({ id: 'ines' });
  expect(await only(world, 'ServiceRequest')).toMatchObject({ id: 'order-1' });
  expect(await only(world, 'Task')).toMatchObject({ id: 'task-1' });
  expect(await only(world, 'Condition')).toMatchObject({ id: 'food-need' });
}

describe('where several sources share the connection, and none is named', () => {
  const open = async () => (await world.alerts()).map(({ topic }) => topic);
  const { inboundTo: _nobody, ...shared } = aConnection('', { sources: ['county', 'city'] });

  test.each([
    ['one is named', () => world.connect(aConnection(world.server.base, { sources: ['county', 'city'] }))],
    ['the connection is used no more', () => world.disconnect('general')],
  ])('it is offered to nobody, and told of until %s', async (_until, change) => {
    await world.connect({ ...shared, baseUrl: world.server.base });
    await begins();
    await reviewAlerts(world.deps);
    expect(await feed(world)).toEqual([]);
    expect(await open()).toEqual(['inbound-nobody:general']);
    await change();
    await reviewAlerts(world.deps);
    expect(await open()).toEqual([]);
  });
});

describe('what the source is offered', () => {
  test('comes in the order in which it can be taken over, each of it once, however often it is seen', async () => {
    await begins();
    expect(await ops(world)).toEqual(['propose client', 'propose case', 'propose need', 'propose referral']);
    await seen(world);
    await world.workAgain();
    expect((await feed(world)).length).toBe(4);
    expect(await world.openDecisions()).toEqual([]);
    expect(await written(world)).toEqual([]);
  });

  test('bears the labels of the hospital: of Task, order and what it is for', async () => {
    await beginsLabelled({ task: 'R 42CFRPart2', order: 'N', need: 'PSY R' });
    expect(await labels()).toEqual({ need: ['mental-health'], referral: ['substance-use-part2', 'mental-health'] });
  });

  test('bears every label where the hospital has one that we cannot name, and none for an ordinary one', async () => {
    await beginsLabelled({ order: 'TOPSECRET', need: 'N', patient: 'SDV' });
    const all = [
      'substance-use-part2',
      'mental-health',
      'hiv',
      'domestic-violence',
      'reproductive-health',
      'minor-consented',
    ];
    expect(await labels()).toEqual({ client: ['domestic-violence'], referral: all });
  });

  test('says what began there, for whom and how urgently, and no more of the chart than it takes to know the person', async () => {
    await begins();
    const [client, made, need, referral] = (await feed(world)).map(({ body }) => body);
    expect(client).toMatchObject({
      origin: { connection: 'general', resourceType: 'Patient', id: 'ines' },
      names: [{ use: 'legal', given: ['Ines'], family: 'Quintero' }],
      birthDate: '1991-09-03',
      sex: 'female',
      identifiers: [{ kind: 'mrn', system: 'urn:oid:1.2.3', value: 'MRN-31122' }],
      phones: [{ number: '(518) 555-0190' }],
    });
    expect(client).not.toHaveProperty('maritalStatus');
    expect(made).toMatchObject({ clientId: client?.id, status: 'referred', referredAt: '2026-02-20T09:05:00-05:00' });
    expect(need).toMatchObject({
      clientId: client?.id,
      caseId: made?.id,
      domain: 'food',
      description: 'Food insecurity',
    });
    expect(referral).toMatchObject({
      origin: { connection: 'general', resourceType: 'Task', id: 'task-1' },
      direction: 'incoming',
      status: 'received',
      clientId: client?.id,
      caseId: made?.id,
      needIds: [need?.id],
      domain: 'food',
      urgency: 'urgent',
      requestedService: 'food-pantry',
      sentAt: '2026-02-20T09:05:00-05:00',
      history: [{ status: 'sent' }, { status: 'received' }],
    });
    expect(client?.id).toMatch(/^general\.[0-9a-f]{24}$/);
  });

  test('is a record of its type, but for what only the source can say', async () => {
    await begins();
    const missing = (await feed(world)).map(({ type, body }) => {
      const parsed = parseRecord(type as 'client', body, { now: new Date('2030-01-01T00:00:00Z'), timeZone: 'UTC' });
      return [type, parsed.ok ? [] : parsed.errors.map(({ message }) => message.split(' ')[0])];
    });
    expect(missing).toEqual([
      ['client', []],
      ['case', ['/organizationId']],
      ['need', ['/riskLevel', '/identifiedOn']],
      ['referral', ['/requesterOrganizationId']],
    ]);
  });

  test('is brought up to date while it is open, and only what has changed', async () => {
    await begins();
    await hospitalHas(world, { ...foodOrder, priority: 'routine' });
    await seen(world);
    expect(await ops(world, 4)).toEqual(['propose referral']);
    expect((await feed(world))[4]?.body).toMatchObject({ urgency: 'routine' });
    expect((await feed(world))[4]?.id).toBe((await feed(world))[3]?.id);
  });

  test('is taken back in the other order when the hospital cancels, and by nothing else', async () => {
    await begins();
    await hospitalHas(world, { ...task, status: 'cancelled' });
    await seen(world);
    expect(await ops(world, 4)).toEqual(['withdraw referral', 'withdraw need', 'withdraw case', 'withdraw client']);
    await seen(world);
    expect((await feed(world)).length).toBe(8);
    expect(await written(world)).toEqual([]);
  });

  test('of a second Task for the same person is that referral alone', async () => {
    await begins();
    await hospitalHas(
      world,
      { ...foodOrder, id: 'order-2' },
      { ...task, id: 'task-2', focus: { reference: 'ServiceRequest/order-2' } },
    );
    await seen(world);
    expect(await ops(world, 4)).toEqual(['propose referral']);
    const [, made, , first, second] = (await feed(world)).map(({ body }) => body);
    expect(second).toMatchObject({ clientId: first?.clientId, caseId: made?.id });
    await hospitalHas(world, { ...task, status: 'cancelled' });
    await seen(world);
    expect(await ops(world, 5)).toEqual(['withdraw referral']);
  });

  test('names the client and the open case where the patient is linked to one', async () => {
    await sourceIsThere(world);
    await hospitalHas(world, ines);
    const client = { ...aClient(), id: 'client-ines', names: [{ use: 'legal', given: ['Ines'], family: 'Quintero' }] };
    await world.accept([
      'client',
      {
        ...client,
        birthDate: '1991-09-03',
        identifiers: [{ kind: 'mrn', value: 'MRN-31122', system: 'urn:oid:1.2.3' }],
      },
    ]);
    await world.send([
      'case',
      {
        id: 'case-ines',
        clientId: 'client-ines',
        organizationId: 'org-riverside',
        status: 'intake',
        updatedAt: '2026-02-02T10:30:00-05:00',
        assignments: [{ id: 'a', workerId: 'worker-okafor', role: 'primary', from: '2026-02-02T10:30:00-05:00' }],
      },
    ]);
    await begins();
    expect(await ops(world)).toEqual(['propose need', 'propose referral']);
    expect((await feed(world))[1]?.body).toMatchObject({ clientId: 'client-ines', caseId: 'case-ines' });
  });

  test('waits for a create of ours whose outcome is not known only where it is for the same patient', async () => {
    await world.send(...directoryAndClient(), ['case', aCase()]);
    const { remoteId: rosa } = await world.link('client/client-rosa#patient');
    await world.accept(['referral', aReferral({ needIds: [], goalIds: [] })]);
    await world.server.faults({ method: 'POST', nth: 1, fault: { drop: 'before-commit' } });
    await world.run('county.case.case-rosa');
    await world.server.mend();
    const order = { subject: { reference: `Patient/${rosa}` } };
    const forRosa = { for: order.subject, focus: { reference: 'ServiceRequest/order-rosa' } };
    await hospitalHas(world, ines, foodCondition, foodOrder, task);
    await hospitalHas(world, { ...foodOrder, ...order, id: 'order-rosa' }, { ...task, ...forRosa, id: 'task-rosa' });
    const taken = async () =>
      (await world.store.db.selectFrom('inbound').select('remote_id').where('type', '=', 'referral').execute())
        .map(({ remote_id }) => remote_id)
        .sort();
    await world.poll();
    expect(await taken()).toEqual(['task-1']);
    await world.work();
    await world.poll();
    expect(await taken()).toEqual(['task-1', 'task-rosa']);
  });
});

describe('taken over', () => {
  test('is tied to the hospital own patient, order, Task and need; nothing is made a second time', async () => {
    await isAdopted();
    for (const [type, slot, remoteId] of [
      ['referral', 'request', 'order-1'],
      ['referral', 'fulfilment', 'task-1'],
      ['need', 'condition', 'food-need'],
      ['client', 'patient', 'ines'],
    ]) {
      const proposed = (await feed(world)).find((one) => one.type === type)?.id ?? '';
      expect(await world.link(`${type}/${own(proposed)}#${slot}`)).toMatchObject({ remoteId, retired: false });
    }
    await nothingIsDoubled();
    expect(await world.openDecisions()).toEqual([]);
    expect((await feed(world)).length).toBe(4);
    await world.workAgain();
    await nothingIsDoubled();
    expect((await feed(world)).length).toBe(4);
  });

  test('goes back step by step: accepted, in progress, completed with what was done', async () => {
    await isAdopted();
    const before = await journalled();
    await sourceMoves(world, 'accepted', { decidedAt: '2026-03-02T09:00:00-05:00' });
    expect(await only(world, 'Task')).toMatchObject({ status: 'accepted' });
    await sourceMoves(world, 'in-progress');
    expect(await only(world, 'Task')).toMatchObject({ status: 'in-progress' });
    const outcome = {
      code: 'service-received',
      at: '2026-03-05T09:00:00-05:00',
      text: 'Enrolled',
      confirmedBy: 'client',
    };
    await sourceMoves(world, 'completed', { outcome });
    const done = await only(world, 'Procedure');
    expect(done).toMatchObject({
      status: 'completed',
      basedOn: [{ reference: 'ServiceRequest/order-1' }],
      subject: { reference: 'Patient/ines' },
    });
    expect(await only(world, 'Task')).toMatchObject({
      status: 'completed',
      output: [
        { type: { coding: [{ code: 'resulting-activity' }] }, valueReference: { reference: `Procedure/${done.id}` } },
      ],
      requester: task.requester,
      focus: task.focus,
    });
    expect(await statusesOf(before)).toEqual(['PUT accepted', 'PUT in-progress', expect.stringContaining('completed')]);
    expect(await only(world, 'ServiceRequest')).toMatchObject({ ...foodOrder, status: 'active' });
    await nothingIsDoubled();
    expect(await world.openDecisions()).toEqual([]);
  });

  test('by a record that has been accepted already is answered at once', async () => {
    const at = '2026-02-28T09:00:00-05:00';
    const history = [
      { id: 'h1', status: 'sent', at: '2026-02-20T09:05:00-05:00' },
      { id: 'h2', status: 'accepted', at },
    ];
    await isAdopted({ status: 'accepted', decidedAt: at, history });
    expect(await only(world, 'Task')).toMatchObject({ status: 'accepted' });
  });

  test('and declined: the reason goes along', async () => {
    await isAdopted();
    await sourceMoves(world, 'declined', { declineReason: 'no-capacity', declineText: 'We are full until May' });
    expect(await only(world, 'Task')).toMatchObject({
      status: 'rejected',
      statusReason: { text: 'We are full until May' },
    });
  });

  test('leaves what the hospital wrote in its Task where it is, beside our comments', async () => {
    await sourceIsThere(world);
    const note: Json = [{ id: 'n1', text: 'Ring twice', authorString: 'Ward 4' }, { text: 'Speaks Portuguese' }];
    await begins({ note, businessStatus: { text: 'At the front desk' } });
    await sourceAdopts(world, {
      comments: [
        { id: 'c1', at: '2026-02-28T09:00:00-05:00', byName: 'N. Okafor', text: 'We called', visibility: 'shared' },
      ],
    });
    const held = await only(world, 'Task');
    expect(objectsAt(held, 'note').map(({ text }) => text)).toEqual(['Ring twice', 'Speaks Portuguese', 'We called']);
    expect(held.businessStatus).toEqual({ text: 'At the front desk' });
  });

  test('what the hospital changes afterwards is a change of the record', async () => {
    await isAdopted();
    await hospitalHas(world, { ...foodOrder, priority: 'stat' });
    await seen(world);
    const [, , , referral, change] = await feed(world);
    expect(change).toMatchObject({
      op: 'patch',
      type: 'referral',
      id: own(referral?.id ?? ''),
      body: { urgency: 'emergency' },
    });
    expect(await only(world, 'ServiceRequest')).toMatchObject({ priority: 'stat' });
  });

  test('what it changed between the offer and the record is not lost', async () => {
    await sourceIsThere(world);
    await begins();
    await hospitalHas(world, { ...foodOrder, priority: 'stat' }, { ...task, priority: 'stat' });
    await world.poll();
    await sourceAdopts(world);
    const patches = (await feed(world)).filter(({ op }) => op === 'patch');
    const proposed = (await feed(world)).filter(({ op, type }) => op === 'propose' && type === 'referral');
    expect(patches.length + proposed.length).toBe(2);
    expect([...patches, ...proposed].at(-1)?.body ?? {}).toMatchObject({ urgency: 'emergency' });
  });

  test('what the source says otherwise of the order stays with the source', async () => {
    await isAdopted();
    const before = await journalled();
    await sourceMoves(world, 'accepted', { urgency: 'routine', domain: 'housing-instability' });
    expect(await only(world, 'ServiceRequest')).toMatchObject({ ...foodOrder, status: 'active' });
    expect((await written(world, before)).filter((line) => line.includes('ServiceRequest'))).toEqual([]);
    expect(await world.openDecisions()).toEqual([]);
  });

  test('by a client of its own, of whom the source knows: no second patient', async () => {
    await sourceIsThere(world);
    await begins();
    const known = {
      ...aClient(),
      id: 'client-9',
      names: [{ use: 'legal', given: ['Ines'], family: 'Quintero' }],
      birthDate: '1991-09-03',
      identifiers: [],
    };
    await world.accept(
      ['client', known],
      [
        'case',
        {
          id: 'case-9',
          clientId: 'client-9',
          organizationId: 'org-riverside',
          status: 'referred',
          updatedAt: '2026-02-02T10:30:00-05:00',
        },
      ],
    );
    const referral = (await feed(world)).find(({ type }) => type === 'referral')?.body ?? {};
    const { needIds, updatedAt, ...rest } = referral;
    await world.send([
      'referral',
      {
        ...rest,
        updatedAt: '2026-03-01T10:00:00-05:00',
        id: 'referral-9',
        clientId: 'client-9',
        caseId: 'case-9',
        requesterOrganizationId: 'org-hospital',
      },
    ]);
    expect(await world.link('client/client-9#patient')).toMatchObject({ remoteId: 'ines', origin: 'found' });
    expect(await world.link('referral/referral-9#fulfilment')).toMatchObject({ remoteId: 'task-1' });
    await nothingIsDoubled();
  });
});

describe('cancelled by the hospital', () => {
  test('after it was taken over: a change of the record, and nothing is written there', async () => {
    await isAdopted();
    await sourceMoves(world, 'accepted');
    const before = await journalled();
    await hospitalHas(
      world,
      { ...(await only(world, 'Task')), status: 'cancelled', statusReason: { text: 'Has moved away' } },
      { ...foodOrder, status: 'revoked' },
    );
    await seen(world);
    const patches = (await feed(world)).filter(({ op }) => op === 'patch');
    expect(patches).toMatchObject([{ type: 'referral', body: { status: 'cancelled' } }]);
    expect(await written(world, before)).toEqual([]);
    await sourceMoves(world, 'cancelled');
    expect(await world.openDecisions()).toEqual([]);
    expect(await only(world, 'Task')).toMatchObject({ status: 'cancelled' });
  });

  test('after we had completed it: completed stands, and a person is asked', async () => {
    await isAdopted();
    await sourceMoves(world, 'accepted');
    await sourceMoves(world, 'completed', { outcome: { code: 'other', at: '2026-03-05T09:00:00-05:00' } });
    expect(await only(world, 'Task')).toMatchObject({ status: 'completed' });
    await hospitalHas(world, { ...(await only(world, 'Task')), status: 'cancelled' });
    await seen(world);
    expect(await world.openDecisions()).toMatchObject([{ kind: 'status', code: 'status-read' }]);
    expect((await feed(world)).filter(({ op }) => op === 'patch')).toEqual([]);
  });

  test('while we complete it, theirs first: nothing is written over it, and a person is asked', async () => {
    await isAdopted();
    await sourceMoves(world, 'accepted');
    world.beforeNextWrite(() => hospitalHas(world, { ...task, status: 'cancelled' }));
    await sourceMoves(world, 'completed', { outcome: { code: 'other', at: '2026-03-05T09:00:00-05:00' } });
    expect(await only(world, 'Task')).toMatchObject({ status: 'cancelled' });
    expect(await world.openDecisions()).toMatchObject([{ kind: 'status' }]);
  });
});

describe('refused by the source', () => {
  test('the Task is rejected there with its words, and what came with it is taken back', async () => {
    await begins();
    const before = await journalled();
    await sourceRefuses(world, 'referral', 'Outside our county');
    expect(await only(world, 'Task')).toMatchObject({
      status: 'rejected',
      statusReason: { text: 'Outside our county' },
    });
    expect(await written(world, before)).toEqual(['update Task']);
    expect(await ops(world, 4)).toEqual(['withdraw need', 'withdraw case', 'withdraw client']);
    expect(await world.openDecisions()).toEqual([]);
    await seen(world);
    await world.workAgain();
    expect(await written(world, before)).toEqual(['update Task']);
    await nothingIsDoubled();
  });

  test('once the hospital has cancelled it there is nothing to be said', async () => {
    await begins();
    await hospitalHas(world, { ...task, status: 'cancelled' });
    const before = await journalled();
    await sourceRefuses(world, 'referral', 'Outside our county');
    expect(await only(world, 'Task')).toMatchObject({ status: 'cancelled' });
    expect(await written(world, before)).toEqual([]);
    expect(await world.openDecisions()).toEqual([]);
  });

  test('with the reply lost, it is read again and not written twice', async () => {
    await begins();
    const before = await journalled();
    await world.server.strikeOnce('PUT', 'Task/task-1', { drop: 'after-commit' });
    await sourceRefuses(world, 'referral', 'Outside our county');
    expect(await only(world, 'Task')).toMatchObject({ status: 'rejected' });
    expect(await written(world, before)).toEqual(['update Task']);
  });
});

describe('an origin that cannot be', () => {
  const parkedAs = async (name: string) => (await world.link(name)).reason;

  test('that was never offered ties to nothing', async () => {
    await isAdopted();
    const record = {
      ...aReferral(),
      id: 'r-x',
      direction: 'incoming',
      requesterOrganizationId: 'org-hospital',
      origin: { connection: 'general', resourceType: 'Task', id: 'task-77' },
    };
    const owner = (await feed(world)).find(({ type }) => type === 'case')?.id ?? '';
    await world.send(['referral', { ...record, caseId: own(owner), needIds: [], goalIds: [] }]);
    expect(await parkedAs('referral/r-x#fulfilment')).toBe('origin-unknown');
    await nothingIsDoubled();
  });

  test('that another record answers already ties to nothing', async () => {
    await isAdopted();
    const { content } = await world.store.db
      .selectFrom('record')
      .select('content')
      .where('type', '=', 'referral')
      .executeTakeFirstOrThrow();
    await world.send(['referral', { ...content, id: 'r-twin' }]);
    expect(await parkedAs('referral/r-twin#fulfilment')).toBe('origin-taken');
    await nothingIsDoubled();
  });

  test('about another patient than the client is ties to nothing', async () => {
    await sourceIsThere(world);
    await begins();
    const bea = {
      ...ines,
      id: 'bea',
      name: [{ family: 'Lund', given: ['Bea'] }],
      birthDate: '1950-01-01',
      identifier: [{ system: 'urn:oid:1.2.3', value: 'MRN-5' }],
      telecom: [],
    };
    await hospitalHas(world, bea);
    await world.accept([
      'client',
      {
        ...aClient(),
        id: 'client-bea',
        names: [{ use: 'legal', given: ['Bea'], family: 'Lund' }],
        birthDate: '1950-01-01',
        identifiers: [{ kind: 'mrn', system: 'urn:oid:1.2.3', value: 'MRN-5' }],
      },
    ]);
    await world.send([
      'case',
      {
        id: 'case-bea',
        clientId: 'client-bea',
        organizationId: 'org-riverside',
        status: 'referred',
        updatedAt: '2026-02-02T10:30:00-05:00',
      },
    ]);
    const { needIds, updatedAt, ...rest } = (await feed(world)).find(({ type }) => type === 'referral')?.body ?? {};
    await world.send([
      'referral',
      {
        ...rest,
        updatedAt: '2026-03-01T10:00:00-05:00',
        id: 'r-bea',
        clientId: 'client-bea',
        caseId: 'case-bea',
        requesterOrganizationId: 'org-hospital',
        status: 'received',
      },
    ]);
    expect(await parkedAs('referral/r-bea#fulfilment')).toBe('origin-other-patient');
    expect(await only(world, 'Task')).toMatchObject({ status: 'requested' });
  });
});

test('a patient whom a person has denied is not tied to the client again because a record names them', async () => {
  await isAdopted();
  const { id, content } = await world.store.db
    .selectFrom('record')
    .select(['id', 'content'])
    .where('type', '=', 'client')
    .executeTakeFirstOrThrow();
  const asked = { connection: 'general', source: 'county', clientId: id, patient: null, by: 'ida' };
  expect(await relinkPatient(world.store, asked)).toMatchObject({ was: 'ines' });
  await world.work();
  await world.send(['client', { ...content, maritalStatus: 'single', updatedAt: '2026-03-20T09:00:00-05:00' }]);
  await world.workAgain();
  expect(await world.link(`client/${id}#patient`)).toMatchObject({ remoteId: null, reason: 'patient-denied' });
  expect((await world.openDecisions()).find(({ kind }) => kind === 'patient-match')).toMatchObject({
    code: 'patient-denied',
    choices: ['link:ines', 'leave'],
    detail: { candidates: [{ id: 'ines', deniedBy: 'ida' }] },
  });
});
