// The hospital refers and we perform, at Oracle Health: an order is the referral where it is asked of us or of a listed kind; it is never written, and
// the answer goes as a note (closed-loop B1; ehr-behaviour C25).

import { describe, expect, test } from '@jest/globals';
import { isObject, type JsonObject, objectsAt } from '../../../src/json.ts';
import { uploadRoster } from '../../../src/lanes/lanes.ts';
import {
  feed,
  foodCondition,
  foodOrder,
  hospitalHas,
  hospitalShows,
  ines,
  only,
  ops,
  sourceAdopts,
  sourceIsThere,
  sourceMoves,
  sourceRefuses,
} from '../../support/begun.ts';
import { documentsOf } from '../../support/documents.ts';
import { pollEverybody } from '../../support/roster.ts';
import { useWorld } from '../../support/world.ts';

const world = useWorld({
  vendor: 'oracle',
  inboundTo: 'county',
  task: 'off',
  createPatients: false,
  // As a hospital has it: what cannot wait goes at once all the same.
  documents: { quietMs: 4 * 3_600_000, atMostEveryMs: 24 * 3_600_000, encounter: 'none' },
  polls: {
    types: ['DocumentReference', 'ServiceRequest'],
    performers: ['Organization/7'],
    referralCodes: ['http://snomed.info/sct|467771000124109'],
    documentTypes: ['18842-5'],
    lookBackMs: 90 * 86_400_000,
  },
});

async function begins(order: JsonObject = {}): Promise<void> {
  await hospitalHas(world, ines, foodCondition, { ...foodOrder, ...order });
  await hospitalShows(world, 'ServiceRequest/order-1');
}

async function isAdopted(): Promise<void> {
  await sourceIsThere(world);
  await begins();
  await sourceAdopts(world);
}

const documents = documentsOf(world);

describe('an order', () => {
  test('of a listed kind becomes proposals, once', async () => {
    await begins();
    expect(await ops(world)).toEqual(['propose client', 'propose case', 'propose need', 'propose referral']);
    expect((await feed(world))[3]?.body).toMatchObject({
      origin: { resourceType: 'ServiceRequest', id: 'order-1' },
      status: 'received',
    });
    await hospitalShows(world, 'ServiceRequest/order-1');
    expect((await feed(world)).length).toBe(4);
  });

  test('asked of us becomes proposals, whatever its kind', async () => {
    await begins({ code: { text: 'Something else' }, performer: [{ reference: 'Organization/7' }] });
    expect(await ops(world)).toContain('propose referral');
  });

  test.each([
    ['asked of somebody else', { performer: [{ reference: 'Organization/8' }] }],
    ['of another kind, asked of nobody in particular', { code: { text: 'MRI of the knee' } }],
  ])('%s is none of ours', async (_, order) => {
    await begins(order);
    expect(await feed(world)).toEqual([]);
    expect(await world.store.db.selectFrom('inbound').select(['state', 'reason']).execute()).toMatchObject([
      { state: 'kept', reason: { code: 'inbound-not-ours' } },
    ]);
  });

  test('revoked before anybody answered is taken back', async () => {
    await begins();
    await hospitalHas(world, { ...foodOrder, status: 'revoked' });
    await hospitalShows(world, 'ServiceRequest/order-1');
    expect(await ops(world, 4)).toEqual(['withdraw referral', 'withdraw need', 'withdraw case', 'withdraw client']);
  });
});

const polled = async () => {
  await pollEverybody(world);
  await world.work();
};

test('of a patient who is asked about, it is heard of by the polls alone', async () => {
  await sourceIsThere(world);
  await uploadRoster(world.store, 'general', ['ines']);
  await hospitalHas(world, ines, foodCondition, foodOrder);
  await polled();
  await polled();
  expect(await ops(world)).toEqual(['propose client', 'propose case', 'propose need', 'propose referral']);
  await sourceAdopts(world);
  await hospitalHas(world, { ...foodOrder, status: 'revoked' });
  await polled();
  expect(await ops(world, 4)).toEqual(['patch referral']);
});

describe('taken over', () => {
  test('the answer goes as a note at once, and the order stays as the hospital wrote it', async () => {
    await isAdopted();
    await sourceMoves(world, 'accepted');
    const last = (await documents.filed()).at(-1);
    expect(last?.text).toMatch(/General Hospital.*accepted/is);
    expect(await only(world, 'ServiceRequest')).toMatchObject({ ...foodOrder, status: 'active' });
    expect(await only(world, 'Patient')).toMatchObject({ id: 'ines' });
    expect((await world.server.writes()).some(({ url }) => String(url).includes('ServiceRequest'))).toBe(false);
  });

  test('revoked by the hospital: a change of the record', async () => {
    await isAdopted();
    await hospitalHas(world, { ...foodOrder, status: 'revoked' });
    await hospitalShows(world, 'ServiceRequest/order-1');
    expect((await feed(world)).filter(({ op }) => op === 'patch')).toMatchObject([
      { type: 'referral', body: { status: 'cancelled' } },
    ]);
  });

  test('put on hold by the hospital: the history says so, once, and a person is asked', async () => {
    await isAdopted();
    await hospitalHas(world, { ...foodOrder, status: 'on-hold' });
    await hospitalShows(world, 'ServiceRequest/order-1');
    await hospitalHas(world, { ...foodOrder, status: 'on-hold', priority: 'urgent' });
    await hospitalShows(world, 'ServiceRequest/order-1');
    const told = (await feed(world)).filter(({ op, body }) => op === 'patch' && isObject(body) && 'history' in body);
    expect(told).toHaveLength(1);
    expect(objectsAt(told[0]?.body ?? undefined, 'history').at(-1)).toMatchObject({ reason: 'The order is on hold.' });
    expect(told[0]?.body).not.toHaveProperty('status');
    expect(await world.openDecisions()).toMatchObject([{ kind: 'status', code: 'status-read' }]);
  });

  test('completed by the hospital while it is open here: a person is asked', async () => {
    await isAdopted();
    await hospitalHas(world, { ...foodOrder, status: 'completed' });
    await hospitalShows(world, 'ServiceRequest/order-1');
    expect((await feed(world)).filter(({ op }) => op === 'patch')).toEqual([]);
    expect(await world.openDecisions()).toMatchObject([{ kind: 'status', code: 'status-read' }]);
  });
});

test('a discharge summary is read from its Binary, and withdrawn once it is entered in error', async () => {
  await isAdopted();
  const data = Buffer.from('<html><body><p>Went home.</p></body></html>').toString('base64');
  const summary: JsonObject = {
    resourceType: 'DocumentReference',
    id: 'summary-1',
    status: 'current',
    docStatus: 'final',
    type: { coding: [{ system: 'http://loinc.org', code: '18842-5' }], text: 'Discharge Summary' },
    subject: { reference: 'Patient/ines' },
    date: new Date(Date.now() - 86_400_000).toISOString(),
    content: [{ attachment: { contentType: 'application/xhtml+xml;charset=utf-8', data } }],
  };
  const told = async () => (await feed(world)).filter(({ type }) => type === 'note');
  await hospitalHas(world, summary);
  await hospitalShows(world, 'DocumentReference/summary-1');
  expect(await told()).toMatchObject([{ op: 'propose', body: { text: 'Went home.' } }]);
  await hospitalHas(world, { ...summary, status: 'entered-in-error' });
  await hospitalShows(world, 'DocumentReference/summary-1');
  expect((await told()).at(-1)).toMatchObject({ op: 'withdraw' });
});

describe('refused by the source', () => {
  test('one note says so in the chart of the patient, and the order stays as it is', async () => {
    await begins();
    await sourceRefuses(world, 'referral', 'Outside our county');
    const filed = await documents.filed();
    expect(filed.length).toBe(1);
    expect(filed[0]?.text).toMatch(/food pantry.*declined.*Outside our county/is);
    expect(await only(world, 'DocumentReference')).toMatchObject({ subject: { reference: 'Patient/ines' } });
    expect(await ops(world, 4)).toEqual(['withdraw need', 'withdraw case', 'withdraw client']);
    await world.workAgain();
    expect((await documents.filed()).length).toBe(1);
    expect(await only(world, 'ServiceRequest')).toMatchObject(foodOrder);
    expect(await world.openDecisions()).toEqual([]);
  });
});
