// The hospital refers and we perform, on a `standard` server: its Task and order become proposals, a record that answers them is tied to its own
// resources, and what we do goes back by its Task (closed-loop B1, B2, B7). Read from the hospital's store and journal.

import { describe, expect, test } from '@jest/globals';
import { listInbound } from '../../../src/http/queries/inbound.ts';
import { listTimeline } from '../../../src/http/queries/timeline.ts';
import { type Json, type JsonObject, objectsAt } from '../../../src/json.ts';
import { proposedId } from '../../../src/lanes/inbound/rows.ts';
import { relinkPatient } from '../../../src/lanes/lanes.ts';
import { parseRecord } from '../../../src/records/records.ts';
import { sql } from '../../../src/store/store.ts';
import { aCase, aClient, aReferral } from '../../builders.ts';
import { sweepAt } from '../../clocks/kept.ts';
import { acceptedOf, own } from '../../support/adopting.ts';
import {
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
import { startReceiver } from '../../support/receiver.ts';
import { aConnection } from '../../support/rig.ts';
import { partnerEdits, useWorld } from '../../support/world.ts';

const world = useWorld({ inboundTo: 'county' });

async function begins(more: JsonObject = {}): Promise<void> {
  await hospitalHas(world, ines, foodCondition, foodOrder, { ...task, ...more });
  await seen(world);
}

/** The same, with security labels: codes with a space between. */
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

async function isAdopted(referral: JsonObject = {}): Promise<void> {
  await sourceIsThere(world);
  await begins();
  await sourceAdopts(world, referral);
}

const journalled = async () => (await world.server.journal()).length;
const statusesOf = async (after: number) =>
  (await world.server.writes(after)).flatMap(({ requestBody, method }) => {
    const body = typeof requestBody === 'string' ? JSON.parse(requestBody) : requestBody;
    const entries = objectsAt(body, 'entry').map(({ resource }) => resource);
    return [body, ...entries].flatMap((one) => (one?.resourceType === 'Task' ? [`${method} ${one.status}`] : []));
  });

/** By name: which of a transaction comes first is no matter here. */
const writtenOfReferrals = async (after: number) =>
  (await written(world, after)).filter((line) => !line.endsWith('Provenance')).toSorted();

/** Whatever happens, the hospital has one of each, and they are its own. */
async function nothingIsDoubled(): Promise<void> {
  expect(await only(world, 'Patient')).toMatchObject({ id: 'ines' });
  expect(await only(world, 'ServiceRequest')).toMatchObject({ id: 'order-1' });
  expect(await only(world, 'Task')).toMatchObject({ id: 'task-1' });
  expect(await only(world, 'Condition')).toMatchObject({ id: 'food-need' });
}

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

describe('the hospital asks to cancel', () => {
  const bser = 'http://hl7.org/fhir/us/bser/CodeSystem/TaskBusinessStatusCS';
  const asking: JsonObject = {
    status: 'in-progress',
    businessStatus: { coding: [{ system: bser, code: '5.2', display: 'Cancellation Requested' }] },
    statusReason: { text: 'She has moved away.' },
  };
  const reason = 'She has moved away.';
  const abort: JsonObject = {
    ...task,
    id: 'abort-1',
    code: { coding: [{ system: 'http://hl7.org/fhir/CodeSystem/task-code', code: 'abort' }] },
    focus: { reference: 'Task/task-1' },
    authoredOn: '2026-03-03T09:00:00-05:00',
    reasonCode: { text: reason },
  };
  const request = { at: '2026-03-03T09:00:00-05:00', reason };

  async function hospitalSays(more: JsonObject, path = 'Task/task-1'): Promise<void> {
    await partnerEdits(world.server, path, (held) => ({ ...held, ...more }));
    await seen(world);
  }
  const told = async () =>
    (await feed(world)).flatMap(({ op, type, body }) => (op === 'patch' && type === 'referral' ? [body] : []));
  const taskOf = async (id: string) => (await world.server.all('Task')).find((one) => one.id === id);

  async function isAccepted(): Promise<void> {
    await isAdopted();
    await sourceMoves(world, 'accepted');
  }

  describe('in the two steps of BSeR', () => {
    test('is told once, changes nothing else, and is answered by cancelled as 6.0', async () => {
      await isAccepted();
      await hospitalSays(asking);
      await hospitalSays({ description: 'Please answer soon' });
      await world.workAgain();
      const asked = (await told()).filter((body) => 'cancelRequest' in body);
      expect(asked).toEqual([{ cancelRequest: { at: expect.any(String), reason } }]);
      expect(await taskOf('task-1')).toMatchObject({
        status: 'in-progress',
        businessStatus: { coding: [{ code: '5.2' }] },
      });
      expect(await world.openDecisions()).toEqual([]);
      await sourceMoves(world, 'cancelled', asked[0]);
      expect(await taskOf('task-1')).toMatchObject({
        status: 'cancelled',
        businessStatus: { coding: [{ system: bser, code: '6.0', display: 'Fulfillment Cancelled' }] },
      });
      await world.workAgain();
      expect(await world.openDecisions()).toEqual([]);
    });

    test('is answered by completed as 7.0, where the work was done already', async () => {
      await isAccepted();
      await hospitalSays(asking);
      await sourceMoves(world, 'completed', {
        outcome: { code: 'other', at: '2026-03-05T09:00:00-05:00', text: 'Done' },
      });
      expect(await taskOf('task-1')).toMatchObject({
        status: 'completed',
        businessStatus: { coding: [{ system: bser, code: '7.0' }] },
      });
      expect(await world.openDecisions()).toEqual([]);
    });

    test('and takes it back: so the source is told, and asked anew it is told anew', async () => {
      await isAccepted();
      const { businessStatus: _none, statusReason: _nothing, ...before } = await only(world, 'Task');
      await hospitalSays(asking);
      const { etag } = await world.server.fhir('GET', 'Task/task-1');
      await world.server.fhir('PUT', 'Task/task-1', before, etag === undefined ? {} : { 'if-match': etag });
      await seen(world);
      expect((await told()).at(-1)).toEqual({ cancelRequest: null });
      await hospitalSays(asking);
      expect((await told()).at(-1)).toMatchObject({ cancelRequest: { reason } });
      expect(await world.openDecisions()).toEqual([]);
    });

    test('of one that has ended changes nothing', async () => {
      await isAccepted();
      await sourceMoves(world, 'completed', {
        outcome: { code: 'other', at: '2026-03-05T09:00:00-05:00', text: 'Done' },
      });
      const before = await feed(world);
      const { status: _asked, ...question } = asking;
      await hospitalSays(question);
      expect(await feed(world)).toEqual(before);
      expect(await taskOf('task-1')).toMatchObject({
        status: 'completed',
        businessStatus: { coding: [{ code: '5.2' }] },
      });
    });

    test('before anybody has answered withdraws nothing: it is said with the proposal, and taken out of it', async () => {
      await begins();
      const { businessStatus: _none, ...before } = await only(world, 'Task');
      await hospitalSays(asking);
      const referrals = async () => (await feed(world)).filter(({ type }) => type === 'referral');
      expect(await referrals()).toMatchObject([
        { op: 'propose', body: { status: 'received' } },
        { op: 'propose', body: { status: 'received', cancelRequest: { reason } } },
      ]);
      const { etag } = await world.server.fhir('GET', 'Task/task-1');
      await world.server.fhir('PUT', 'Task/task-1', before, etag === undefined ? {} : { 'if-match': etag });
      await seen(world);
      expect((await referrals()).at(-1)).toMatchObject({ op: 'propose', body: { status: 'received' } });
      expect((await referrals()).at(-1)?.body).not.toHaveProperty('cancelRequest');
      await hospitalSays(asking);
      await sourceIsThere(world);
      await sourceAdopts(world);
      expect(await told()).toEqual([]);
      await sourceMoves(world, 'cancelled');
      expect(await taskOf('task-1')).toMatchObject({
        status: 'cancelled',
        businessStatus: { coding: [{ code: '6.0' }] },
      });
      expect(await world.openDecisions()).toEqual([]);
    });
  });

  describe('by a Task of its own', () => {
    const askedBy = async (...aborts: readonly JsonObject[]) => {
      await hospitalHas(world, ...aborts);
      await seen(world);
    };

    test('is told once, proposed as nothing, and answered by completed once the source has cancelled', async () => {
      await isAccepted();
      const before = (await feed(world)).length;
      await askedBy(abort, { ...abort, id: 'abort-2', authoredOn: '2026-03-03T10:00:00-05:00' });
      await world.workAgain();
      expect((await feed(world)).slice(before).map(({ op, body }) => [op, body])).toEqual([
        ['patch', { cancelRequest: request }],
      ]);
      // The clock runs before the source has taken it over.
      await sweepAt(world.store, '2026-03-05T13:00:00Z');
      const clocks = world.store.db.selectFrom('clock').select('state').where('rule', '=', 'cancel-answer-48h');
      expect(await clocks.execute()).toEqual([{ state: 'due-soon' }]);
      expect(await taskOf('task-1')).toMatchObject({ status: 'accepted' });
      await sourceMoves(world, 'cancelled', { cancelRequest: request });
      await world.workAgain();
      expect(await taskOf('task-1')).toMatchObject({ status: 'cancelled' });
      expect(await taskOf('abort-1')).toMatchObject({ status: 'completed', reasonCode: { text: reason } });
      expect(await taskOf('abort-2')).toMatchObject({ status: 'completed' });
      expect(await world.openDecisions()).toEqual([]);
    });

    test('is answered by rejected, with the reason, where the referral has been completed instead', async () => {
      await isAccepted();
      await askedBy(abort);
      const outcome = { code: 'other', at: '2026-03-05T09:00:00-05:00', text: 'Done' };
      await sourceMoves(world, 'completed', { cancelRequest: request, outcome });
      expect(await taskOf('task-1')).toMatchObject({ status: 'completed' });
      expect(await taskOf('abort-1')).toMatchObject({
        status: 'rejected',
        statusReason: { text: 'The referral had ended before it could be cancelled.' },
      });
      expect(await world.openDecisions()).toEqual([]);
    });

    test('and takes it back: so the source is told, and nothing is written there', async () => {
      await isAccepted();
      await askedBy(abort);
      const before = await journalled();
      await hospitalSays({ status: 'cancelled' }, 'Task/abort-1');
      expect((await told()).at(-1)).toEqual({ cancelRequest: null });
      await sourceMoves(world, 'in-progress');
      expect(await statusesOf(before)).toEqual(['PUT cancelled', 'PUT in-progress']);
      expect(await world.openDecisions()).toEqual([]);
    });

    test('by somebody else than who refers, as far as that shows, is for a person', async () => {
      const who = (id: string) => ({ reference: `Organization/${id}` });
      await hospitalHas(
        world,
        ...['general', 'other'].map((id) => ({ resourceType: 'Organization', id, active: true, name: id })),
      );
      await sourceIsThere(world);
      await begins({ requester: who('general') });
      await sourceAdopts(world);
      await sourceMoves(world, 'accepted');
      const before = (await feed(world)).length;
      await askedBy({ ...abort, requester: who('other') });
      await world.workAgain();
      expect((await feed(world)).length).toBe(before);
      expect(await world.openDecisions()).toMatchObject([{ kind: 'inbound', code: 'cancel-asked-by-another' }]);
    });

    test.each([
      ['about another Task', { focus: { reference: 'Task/task-9' } }],
      ['that has ended', { status: 'completed' }],
      ['that is a draft', { status: 'draft' }],
    ])('%s is none', async (_, changed) => {
      await isAccepted();
      const before = (await feed(world)).length;
      await askedBy({ ...abort, ...changed });
      expect((await feed(world)).length).toBe(before);
      expect(await taskOf('abort-1')).toMatchObject({ status: 'requested', ...changed });
    });

    test('before anybody has answered is said with the proposal, and is no referral', async () => {
      await begins();
      await askedBy(abort);
      const referrals = (await feed(world)).filter(({ type }) => type === 'referral');
      expect(referrals.at(-1)?.body).toMatchObject({ status: 'received', cancelRequest: request });
      expect(new Set(referrals.map(({ id }) => id)).size).toBe(1);
      const kept = await world.store.db.selectFrom('inbound').selectAll().where('remote_id', '=', 'abort-1').execute();
      expect(kept).toMatchObject([{ state: 'kept', reason: { code: 'inbound-cancel-asked' } }]);
    });
  });
});

describe('a platform that we refer to passes it on', () => {
  /** Our order and Task, and what the platform makes of them. */
  async function refers() {
    await world.send(...directoryAndClient(), ['case', aCase()], ['referral', outgoing()]);
    const { remoteId: patient } = await world.link('client/client-rosa#patient');
    const { remoteId: order } = await world.link('referral/referral-pantry#request');
    const { remoteId: whole } = await world.link('referral/referral-pantry#fulfilment');
    return parts(String(patient), `ServiceRequest/${order}`, `Task/${whole}`);
  }

  const outgoing = (more: JsonObject = {}) => aReferral({ needIds: [], goalIds: [], ...more });

  function parts(patient: string, order: string, whole: string) {
    const subject = { reference: `Patient/${patient}` };
    const filler = {
      ...foodOrder,
      id: 'filler-1',
      intent: 'filler-order',
      subject,
      basedOn: [{ reference: order }],
      reasonReference: [],
    };
    const part: JsonObject = {
      ...task,
      id: 'part-1',
      for: subject,
      focus: { reference: 'ServiceRequest/filler-1' },
      partOf: [{ reference: whole }],
    };
    return { patient, whole, order, filler, part };
  }

  const keptTasks = async () => {
    const { items } = await listInbound(world.store, { state: 'kept', source: 'county', limit: 100 });
    const lines = items.map((item) => {
      const { resourceType, id, reason } = item as { resourceType: string; id: string; reason: { code: string } };
      return `${resourceType}/${id} ${reason.code}`;
    });
    return lines.filter((line) => line.startsWith('Task'));
  };

  const told = async () => {
    const subjects = ['county.case.case-rosa', 'county.client.client-rosa'];
    const sideOf = () => 'partner' as const;
    const teller = { source: 'county', sideOf, subjects };
    const { items } = await listTimeline(world.store, { ...teller, kind: 'seen', limit: 100 });
    return items.flatMap(({ text, why }) => (why?.code === 'inbound-sub-task' ? [text] : []));
  };

  /** Nothing of ours has changed, and nobody was asked. */
  async function isLeftAlone(before: number): Promise<void> {
    expect(await feed(world)).toEqual([]);
    expect(await world.openDecisions()).toEqual([]);
    expect(await written(world, before)).toEqual([]);
  }

  test.each([
    ['to anybody', () => ({}), 'Offers a part of referral referral-pantry to whoever takes it'],
    [
      'to an organization that we know',
      async () => ({
        owner: { reference: `Organization/${(await world.link('organization/org-pantry#organization')).remoteId}` },
      }),
      'Passed a part of referral referral-pantry on to organization org-pantry',
    ],
    [
      'to somebody whom we do not know',
      () => ({ owner: { reference: 'Organization/77', display: 'Harbor Kitchen' } }),
      'Passed a part of referral referral-pantry on to Harbor Kitchen',
    ],
    [
      'to somebody whom we do not know, for the community',
      () => ({ owner: { reference: 'Organization/77' }, code: { coding: [{ code: 'community-resource' }] } }),
      'Passed a part of referral referral-pantry on to Organization/77',
    ],
  ])('%s: it is kept as a part of ours, and the timeline tells of it', async (_, more, text) => {
    const { filler, part } = await refers();
    const before = await journalled();
    await hospitalHas(world, filler, { ...part, ...(await more()) });
    await seen(world);
    expect(await keptTasks()).toEqual(['Task/part-1 inbound-sub-task']);
    expect(await told()).toEqual([`${text}: Task/part-1 is requested there.`]);
    await hospitalHas(world, { ...part, ...(await more()), status: 'completed' });
    await seen(world);
    expect(await told()).toEqual([`${text}: Task/part-1 is completed there.`]);
    await isLeftAlone(before);
  });

  test('in several parts, of which one is passed on further: none is offered, and what our own Task says counts', async () => {
    const { filler, part, whole } = await refers();
    const first = { ...(await only(world, 'Task')) };
    await hospitalHas(
      world,
      filler,
      { ...part, partOf: [{ reference: `${world.deps.connections.get('general')?.config.baseUrl}/${whole}` }] },
      { ...part, id: 'part-2', focus: { reference: 'ServiceRequest/unseen' } },
      {
        ...part,
        id: 'part-1-1',
        partOf: [{ reference: 'Task/part-1' }],
        focus: { reference: 'ServiceRequest/unseen' },
      },
    );
    await seen(world);
    expect(await keptTasks()).toEqual([
      'Task/part-1 inbound-sub-task',
      'Task/part-1-1 inbound-sub-task',
      'Task/part-2 inbound-sub-task',
    ]);
    expect(await feed(world)).toEqual([]);
    await hospitalHas(world, { ...first, status: 'accepted' });
    await seen(world);
    expect(await feed(world)).toMatchObject([{ op: 'patch', type: 'referral', body: { status: 'accepted' } }]);
    expect(await world.openDecisions()).toEqual([]);
  });

  test.each([
    ['whose order is based on ours', false],
    ['that is about our own order', true],
  ])('a Task %s is a part of ours too, though it names no Task', async (_, isAboutOurs) => {
    const { filler, part, order } = await refers();
    const focus = { reference: isAboutOurs ? order : 'ServiceRequest/filler-1' };
    await hospitalHas(world, filler, { ...part, partOf: [], focus });
    await seen(world);
    expect(await keptTasks()).toEqual(['Task/part-1 inbound-sub-task']);
    expect(await feed(world)).toEqual([]);
  });

  test('about a copy of the patient that the platform has made: no client is offered', async () => {
    const { filler, part } = await refers();
    const copy = { reference: 'Patient/ines' };
    await hospitalHas(world, ines, { ...filler, subject: copy }, { ...part, for: copy });
    await seen(world);
    expect(await keptTasks()).toEqual(['Task/part-1 inbound-sub-task']);
    expect(await feed(world)).toEqual([]);
    await hospitalHas(world, { ...part, id: 'part-2', for: copy, owner: { reference: 'Organization/77' } });
    await seen(world);
    expect(await keptTasks()).toContain('Task/part-2 inbound-sub-task');
  });

  test('before we know what came of our create: it waits, and is a part of ours then', async () => {
    await world.send(...directoryAndClient(), ['case', aCase()]);
    const { remoteId: patient } = await world.link('client/client-rosa#patient');
    await world.accept(['referral', outgoing()]);
    await world.server.faults({ method: 'POST', nth: 1, fault: { drop: 'after-commit' } });
    await world.run('county.case.case-rosa');
    const [order, whole] = [await only(world, 'ServiceRequest'), await only(world, 'Task')];
    const { filler, part } = parts(String(patient), `ServiceRequest/${order.id}`, `Task/${whole.id}`);
    // About somebody else's copy of the patient nothing waits for it; it is known by our identifier on the Task there.
    await hospitalHas(world, ines, filler, part, { ...part, id: 'part-2', for: { reference: 'Patient/ines' } });
    await world.poll();
    await world.run(`county.client.${proposedId('general', 'client', 'Patient', 'ines')}`);
    expect(await keptTasks()).toEqual(['Task/part-2 inbound-sub-task']);
    await expect(world.link('referral/referral-pantry#fulfilment')).rejects.toThrow('no link');
    await world.work();
    await seen(world);
    expect(await keptTasks()).toEqual(['Task/part-1 inbound-sub-task', 'Task/part-2 inbound-sub-task']);
    expect(await feed(world)).toEqual([]);
  });

  test('where nobody is offered what begins there: it is kept for whose it is, and no operator is told to say who', async () => {
    await world.connect(aConnection(world.server.base));
    const { filler, part } = await refers();
    await hospitalHas(world, filler, part);
    await seen(world);
    expect(await keptTasks()).toEqual(['Task/part-1 inbound-sub-task']);
    expect(await world.alerts()).toEqual([]);
  });

  test('to us: it is a referral to us like any other', async () => {
    const { filler, part } = await refers();
    const { remoteId: us } = await world.link('organization/org-riverside#organization');
    await hospitalHas(world, filler, { ...part, owner: { reference: `Organization/${us}` } });
    await seen(world);
    expect(await ops(world)).toEqual(['propose referral']);
    expect((await feed(world))[0]?.body).toMatchObject({
      origin: { resourceType: 'Task', id: 'part-1' },
      direction: 'incoming',
      clientId: 'client-rosa',
      caseId: 'case-rosa',
    });
  });

  test('to us, and then to somebody else: it is taken back', async () => {
    const { filler, part } = await refers();
    const { remoteId: us } = await world.link('organization/org-riverside#organization');
    await hospitalHas(world, filler, { ...part, owner: { reference: `Organization/${us}` } });
    await seen(world);
    await hospitalHas(world, { ...part, owner: { reference: 'Organization/77' } });
    await seen(world);
    expect(await ops(world)).toEqual(['propose referral', 'withdraw referral']);
    expect(await told()).toEqual([
      'Passed a part of referral referral-pantry on to Organization/77: Task/part-1 is requested there.',
    ]);
  });

  test('what came of it is read where it is on this server, whatever order it is based on; no other is asked', async () => {
    const { filler } = await refers();
    let asked = 0;
    const other = await startReceiver({ onReceived: () => (asked += 1) });
    try {
      const done = {
        resourceType: 'Procedure',
        id: 'done-1',
        status: 'completed',
        basedOn: [{ reference: 'ServiceRequest/filler-1' }],
        subject: filler.subject,
        outcome: { coding: [{ system: 'http://snomed.info/sct', code: '385670004' }], text: 'Two of four weeks' },
      };
      const named = (reference: string) => ({
        type: { coding: [{ code: 'resulting-activity' }] },
        valueReference: { reference },
      });
      await hospitalHas(world, filler, done);
      await hospitalHas(world, {
        ...(await only(world, 'Task')),
        status: 'completed',
        output: [named('Procedure/done-1'), named(`${other.url}/Procedure/done-2`)],
      });
      await seen(world);
      const [change] = await feed(world);
      expect(change?.body).toMatchObject({
        status: 'completed',
        outcome: { code: 'partly-received', text: 'Two of four weeks', confirmedBy: 'partner' },
      });
      expect(asked).toBe(0);
    } finally {
      await other.stop();
    }
  });
});

describe('behind a platform that passes on what a hospital asks', () => {
  const platform = { reference: 'Organization/platform' };
  const filler: JsonObject = {
    ...foodOrder,
    id: 'filler-1',
    intent: 'filler-order',
    basedOn: [{ reference: 'ServiceRequest/order-1' }],
  };

  /** Asked of us by the platform. */
  async function part(more: JsonObject = {}): Promise<JsonObject> {
    const { remoteId: us } = await world.link('organization/org-riverside#organization');
    return {
      ...task,
      id: 'part-1',
      focus: { reference: 'ServiceRequest/filler-1' },
      partOf: [{ reference: 'Task/task-1' }],
      owner: { reference: `Organization/${us}` },
      requester: { display: 'Platform' },
      ...more,
    };
  }

  const offered = async () =>
    (
      await world.store.db
        .selectFrom('inbound')
        .select('remote_id')
        .where('type', '=', 'referral')
        .where('state', '=', 'proposed')
        .execute()
    ).map(({ remote_id }) => remote_id);

  /** The hospital's Task, of somebody else or of nobody, and the platform's own, which is ours to do. */
  async function isAsked(whole: JsonObject): Promise<void> {
    await sourceIsThere(world);
    await hospitalHas(world, ines, foodCondition, foodOrder, { ...task, ...whole }, filler, await part());
    await seen(world);
  }

  test.each([
    ['of the platform', { owner: platform }],
    ['of nobody', {}],
  ])('we are asked once, whichever is seen first, where the hospital has a Task %s', async (_, whole) => {
    await isAsked(whole);
    expect(await offered()).toEqual(['part-1']);
    expect(await ops(world)).toEqual(['propose client', 'propose case', 'propose need', 'propose referral']);
    await hospitalHas(world, { ...task, ...whole, id: 'task-2' });
    await seen(world);
    await hospitalHas(world, await part({ id: 'part-2', partOf: [{ reference: 'Task/task-2' }] }));
    await seen(world);
    expect((await offered()).toSorted()).toEqual(['part-1', 'part-2']);
    await seen(world);
    await world.workAgain();
    expect((await offered()).toSorted()).toEqual(['part-1', 'part-2']);
    expect(await world.openDecisions()).toEqual([]);
  });

  test('nor are we asked what the platform passes on to another, though nobody owns the Task of the hospital', async () => {
    await sourceIsThere(world);
    await hospitalHas(
      world,
      ines,
      foodCondition,
      foodOrder,
      task,
      await part({ owner: { reference: 'Organization/77' } }),
    );
    await seen(world);
    expect(await feed(world)).toEqual([]);
    expect(await world.openDecisions()).toEqual([]);
  });

  test.each([
    ['a draft', { status: 'draft' }],
    ['an error', { status: 'entered-in-error' }],
    ['a question to the patient', { code: { coding: [{ code: 'make-contact' }] } }],
  ])('%s passes nothing on', async (_, more) => {
    await sourceIsThere(world);
    await hospitalHas(world, ines, foodCondition, foodOrder, task, await part({ owner: platform, ...more }));
    await seen(world);
    expect(await offered()).toEqual(['task-1']);
  });

  test('we answer the platform, with what its order points at, and never the hospital', async () => {
    await isAsked({ owner: platform });
    await sourceAdopts(world);
    const before = await journalled();
    await sourceMoves(world, 'accepted', { decidedAt: '2026-03-02T09:00:00-05:00' });
    await sourceMoves(world, 'in-progress');
    await sourceMoves(world, 'completed', {
      outcome: { code: 'service-received', at: '2026-03-05T09:00:00-05:00', confirmedBy: 'client' },
    });
    const done = await only(world, 'Procedure');
    expect(done).toMatchObject({ basedOn: [{ reference: 'ServiceRequest/filler-1' }] });
    const held = new Map((await world.server.all('Task')).map((one) => [one.id, one]));
    expect(held.get('part-1')).toMatchObject({
      status: 'completed',
      output: [{ valueReference: { reference: `Procedure/${done.id}` } }],
      partOf: [{ reference: 'Task/task-1' }],
    });
    expect(held.get('task-1')).toMatchObject({ status: 'requested', meta: { versionId: '1' } });
    for (const order of await world.server.all('ServiceRequest'))
      expect(order).toMatchObject({ meta: { versionId: '1' } });
    expect(await writtenOfReferrals(before)).toEqual(['create Procedure', 'update Task', 'update Task', 'update Task']);
    expect(await world.openDecisions()).toEqual([]);
  });

  test('a cancelled Task of the hospital changes nothing; that of the platform takes it back', async () => {
    await isAsked({ owner: platform });
    await hospitalHas(world, { ...task, owner: platform, status: 'cancelled' }, { ...foodOrder, status: 'revoked' });
    await seen(world);
    expect(await ops(world, 4)).toEqual([]);
    await hospitalHas(world, await part({ status: 'cancelled' }));
    await seen(world);
    expect(await ops(world, 4)).toEqual(['withdraw referral', 'withdraw need', 'withdraw case', 'withdraw client']);
    expect(await offered()).toEqual([]);
  });
});

describe('passed on by us', () => {
  /** A referral of ours to a partner that carries out a part of the one that the hospital made to us. */
  async function passesOn(id: string, more: JsonObject = {}): Promise<JsonObject> {
    const { content } = await world.store.db
      .selectFrom('record')
      .select('content')
      .where('type', '=', 'referral')
      .where(sql<boolean>`content ->> 'direction' = 'incoming'`)
      .executeTakeFirstOrThrow();
    return aReferral({
      id,
      clientId: String(content.clientId),
      caseId: String(content.caseId),
      needIds: [],
      goalIds: [],
      partOfId: String(content.id),
      ...more,
    });
  }

  const made = async (id: string) => ({
    order: await world.server.own('ServiceRequest', `county/referral/${id}#request`),
    task: await world.server.own('Task', `county/referral/${id}#fulfilment`),
  });

  async function isOurs(): Promise<void> {
    await isAdopted();
    await world.send(...directoryAndClient().slice(0, 4));
  }

  test('in several parts: each order and Task says what it carries out, and the hospital hears of it from us alone', async () => {
    await isOurs();
    const before = await journalled();
    await world.send(['referral', await passesOn('part-1')], ['referral', await passesOn('part-2')]);
    for (const id of ['part-1', 'part-2']) {
      const { order, task: asked } = await made(id);
      expect(order).toMatchObject({ intent: 'filler-order', basedOn: [{ reference: 'ServiceRequest/order-1' }] });
      expect(asked).toMatchObject({ intent: 'order', partOf: [{ reference: 'Task/task-1' }] });
    }
    await seen(world);
    await world.workAgain();
    expect(await writtenOfReferrals(before)).toEqual([
      'create ServiceRequest',
      'create ServiceRequest',
      'create Task',
      'create Task',
    ]);
    expect((await feed(world)).length).toBe(4);
    await hospitalHas(world, { ...(await made('part-1')).task, status: 'completed' });
    await seen(world);
    expect(await ops(world, 4)).toEqual(['patch referral']);
    const whole = (await world.server.all('Task')).find(({ id }) => id === 'task-1');
    expect(whole).toMatchObject({ status: 'requested', meta: { versionId: '1' } });
    expect(await world.openDecisions()).toEqual([]);
  });

  test('what a partner or anybody else makes of it is a part of ours', async () => {
    await isOurs();
    await world.send(['referral', await passesOn('part-1')]);
    const { task: asked } = await made('part-1');
    await hospitalHas(
      world,
      { ...task, id: 'part-of-part', partOf: [{ reference: `Task/${asked.id}` }] },
      { ...task, id: 'part-of-whole', partOf: [{ reference: 'Task/task-1' }] },
    );
    await seen(world);
    expect((await feed(world)).length).toBe(4);
  });

  test('of what answers nothing there yet: it goes out at once, and says what it carries out when that is tied', async () => {
    await sourceIsThere(world);
    await world.accept(...directoryAndClient().slice(0, 4));
    await begins();
    const proposals = await feed(world);
    const [whole, ...others] = acceptedOf(proposals).toSorted(([type]) => (type === 'referral' ? -1 : 1));
    const { id, clientId, caseId } = whole?.[1] ?? {};
    const ids = { clientId: String(clientId), caseId: String(caseId), partOfId: String(id) };
    await world.send(...others, ['referral', aReferral({ id: 'part-1', ...ids, needIds: [], goalIds: [] })]);
    const { order, task: asked } = await made('part-1');
    expect(order).toMatchObject({ intent: 'filler-order' });
    expect(order).not.toHaveProperty('basedOn');
    expect(asked).not.toHaveProperty('partOf');
    expect(await world.link('referral/part-1#fulfilment')).toMatchObject({ state: 'current' });
    await world.send(...(whole === undefined ? [] : [whole]));
    expect((await made('part-1')).order).toMatchObject({ basedOn: [{ reference: 'ServiceRequest/order-1' }] });
    expect((await made('part-1')).task).toMatchObject({ partOf: [{ reference: 'Task/task-1' }] });
  });

  test('of what its source has deleted since, or of another client: it names nothing', async () => {
    await isOurs();
    const part = await passesOn('part-1');
    const other = await passesOn('part-other', { clientId: 'client-rosa', caseId: 'case-rosa' });
    await world.send(['client', aClient()], ['case', aCase()], ['referral', part], ['referral', other]);
    expect((await made('part-1')).order).toHaveProperty('basedOn');
    expect((await made('part-other')).order).not.toHaveProperty('basedOn');
    expect((await made('part-other')).task).not.toHaveProperty('partOf');
    await world.send([
      'referral',
      { id: String(part.partOfId), updatedAt: '2026-03-04T09:00:00-05:00', deleted: true },
    ]);
    expect((await made('part-1')).order).not.toHaveProperty('basedOn');
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
