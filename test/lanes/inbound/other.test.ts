// What else the hospital holds of a linked patient: offered where a record can say it, kept with the reason where none can, and a discharge or an
// emergency visit starts the clocks before anybody has taken it over.

import { beforeEach, describe, expect, test } from '@jest/globals';
import { isObject, type JsonObject, objectsAt } from '../../../src/json.ts';
import { keepVisit, refuseChange, relinkPatient } from '../../../src/lanes/lanes.ts';
import { sql } from '../../../src/store/store.ts';
import { aCarePlan, aCase, aClient, anAppointment, anOrganization, aReferral } from '../../builders.ts';
import { sweepAt } from '../../clocks/kept.ts';
import { own } from '../../support/adopting.ts';
import { feed, hospitalHas, hospitalShows, ops, sourceRefuses } from '../../support/begun.ts';
import { caseload, directoryAndClient, type Item } from '../../support/caseload.ts';
import { rosaOnFile } from '../../support/patients.ts';
import { aConnection, identifierSystem } from '../../support/rig.ts';
import { pollEverybody } from '../../support/roster.ts';
import { partnerEdits, useWorld } from '../../support/world.ts';

const world = useWorld({
  inboundTo: 'county',
  createPatients: false,
  organization: { source: 'county', id: 'org-hospital' },
  polls: {
    types: ['DocumentReference'],
    performers: [],
    referralCodes: [],
    documentTypes: ['18842-5', '34111-5'],
    lookBackMs: 90 * 86_400_000,
  },
});

const page = `<!DOCTYPE html><html><head><title>x</title><style>p{}</style></head><body><h1>Hospital&nbsp;course</h1>
<!-- <p>not this</p> --><p>Blood pressure &lt; 140
&amp; stable</p><script>if (1 < 2) alert("<p>")</script><ul><li>Rest</li><li>Fluids</li></ul></body></html>`;

const started = Date.now();
const daysAgo = (days: number) => new Date(started - days * 86_400_000).toISOString().replace(/\.\d+/, '');

async function rosaIsLinked(...more: readonly Item[]): Promise<void> {
  await hospitalHas(world, rosaOnFile);
  await world.send(...caseload(), ...more);
}

function stay(overrides: JsonObject = {}): JsonObject {
  const actCode = 'http://terminology.hl7.org/CodeSystem/v3-ActCode';
  const open: JsonObject = {
    resourceType: 'Encounter',
    id: 'stay-1',
    status: 'in-progress',
    class: { system: actCode, code: 'IMP' },
    subject: { reference: 'Patient/rosa' },
    period: { start: daysAgo(2) },
    serviceProvider: { display: 'General Hospital' },
  };
  return { ...open, ...overrides };
}

async function shows(...resources: readonly JsonObject[]): Promise<void> {
  await hospitalHas(world, ...resources);
  await hospitalShows(world, ...resources.map(({ resourceType, id }) => `${resourceType}/${id}`));
}

const keptFor = async () =>
  (
    await world.store.db
      .selectFrom('inbound')
      .select(['resource_type', 'state', 'reason'])
      .orderBy('noted_at')
      .execute()
  ).map(({ resource_type: type, state, reason }) => `${type} ${state}${reason === null ? '' : ` ${reason.code}`}`);

async function clocks(): Promise<string[]> {
  await sweepAt(world.store, new Date().toISOString());
  const rows = await world.store.db.selectFrom('clock').selectAll().orderBy('rule').execute();
  return rows.map(
    ({ type, rule, state, due_at: due }) => `${type} ${rule} ${state} ${due?.toISOString().slice(0, 10)}`,
  );
}

/** All of every patient is asked for, as it is once a day. */
async function readAll(): Promise<void> {
  await world.store.db.updateTable('poll').set({ full_at: null }).execute();
  await pollEverybody(world);
  await world.work();
}

/** Requests for this resource alone. */
const looksAt = async (path: string): Promise<number> =>
  (await world.server.journal()).filter(({ method, url }) => method === 'GET' && String(url).endsWith(`/${path}`))
    .length;

const suppressed = {
  resourceType: 'Bundle',
  type: 'searchset',
  total: 0,
  entry: [
    {
      search: { mode: 'outcome' },
      resource: {
        resourceType: 'OperationOutcome',
        issue: [{ severity: 'warning', code: 'suppressed', details: { coding: [{ code: 'suppressed' }] } }],
      },
    },
  ],
};
const bundle = { resourceType: 'Bundle', type: 'searchset', total: 0 };

describe('a hospital stay', () => {
  test('is offered once, in the open case of the client, and its end is a change of the offer', async () => {
    await rosaIsLinked();
    await shows(stay());
    const offered = (await feed(world)).at(-1);
    expect(offered).toMatchObject({
      op: 'propose',
      type: 'hospitalStay',
      body: {
        origin: { connection: 'general', resourceType: 'Encounter', id: 'stay-1' },
        clientId: 'client-rosa',
        caseId: 'case-rosa',
        kind: 'inpatient',
        hospitalName: 'General Hospital',
        source: 'adt',
      },
    });
    const count = (await feed(world)).length;
    await shows(stay());
    expect((await feed(world)).length).toBe(count);
    await shows(stay({ status: 'finished', period: { start: daysAgo(2), end: daysAgo(1) } }));
    expect(await ops(world, count)).toEqual(['propose hospitalStay']);
    expect((await feed(world)).at(-1)?.body).toHaveProperty('dischargedAt');
  });

  test('taken over is tied to the Encounter, and the discharge is a change of the record', async () => {
    await rosaIsLinked();
    await shows(stay());
    const { id = '', body = {} } = (await feed(world)).at(-1) ?? {};
    await world.send([
      'hospitalStay',
      {
        ...body,
        id: own(id),
        updatedAt: '2026-03-01T10:00:00-05:00',
        admittedAt: '2026-02-27T10:00:00-05:00',
        knownAt: '2026-02-28T10:00:00-05:00',
      },
    ]);
    expect(await world.link(`hospitalStay/${own(id)}#stay`)).toMatchObject({ remoteId: 'stay-1', retired: false });
    await shows(stay({ status: 'finished', period: { start: daysAgo(2), end: daysAgo(1) } }));
    const last = (await feed(world)).at(-1);
    expect(last).toMatchObject({ op: 'patch', type: 'hospitalStay', id: own(id) });
    expect(last?.body).toHaveProperty('dischargedAt');
    expect((await world.server.writes()).some(({ url }) => String(url).includes('Encounter'))).toBe(false);
  });

  test('of an emergency brings the review of the plan forward, and its end starts the week after discharge, before it is taken over', async () => {
    await rosaIsLinked(['carePlan', aCarePlan({ activatedAt: '2026-02-04T09:00:00-05:00' })]);
    const before = (await clocks()).find((line) => line.includes('plan-review'));
    const emergency = { code: 'EMER', system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode' };
    await shows(stay({ class: emergency, status: 'finished', period: { start: daysAgo(1), end: daysAgo(0) } }));
    const after = await clocks();
    expect(after.find((line) => line.includes('plan-review'))).toBeDefined();
    expect(after.find((line) => line.includes('discharge-follow-up'))).toMatch(
      /hospitalStay discharge-follow-up-7d running/,
    );
    expect(before).toBeDefined();
    await hospitalHas(world, stay({ class: emergency, status: 'entered-in-error' }));
    await hospitalShows(world, 'Encounter/stay-1');
    expect((await clocks()).find((line) => line.includes('discharge-follow-up'))).toBeUndefined();
    expect((await feed(world)).at(-1)).toMatchObject({ op: 'withdraw', type: 'hospitalStay' });
  });

  test('of a client with several cases runs its clock once, in the oldest open one, whichever was worked out last', async () => {
    const closed = aCase({
      id: 'case-before',
      status: 'closed',
      openedOn: '2024-01-01',
      closedOn: '2025-03-01',
      closeReason: 'goals-met',
    });
    await rosaIsLinked(['case', closed], ['case', aCase({ id: 'case-later', openedOn: '2026-02-20' })]);
    await shows(stay({ status: 'finished', period: { start: daysAgo(2), end: daysAgo(1) } }));
    const followUps = async () => {
      await sweepAt(world.store, new Date().toISOString());
      await sweepAt(world.store, new Date().toISOString());
      const rows = await world.store.db.selectFrom('clock').selectAll().where('type', '=', 'hospitalStay').execute();
      return rows.map(({ subject, state }) => `${subject} ${state}`);
    };
    expect(await followUps()).toEqual(['county.case.case-rosa running']);
    await world.accept(['case', { ...closed, updatedAt: '2026-03-05T09:00:00-05:00' }]);
    expect(await followUps()).toEqual(['county.case.case-rosa running']);
    await world.accept([
      'case',
      aCase({
        status: 'closed',
        closedOn: '2026-03-04',
        closeReason: 'goals-met',
        updatedAt: '2026-03-05T10:00:00-05:00',
      }),
    ]);
    expect(await followUps()).toEqual(['county.case.case-later running']);
  });

  test('that its source refuses runs no clock, and is not offered again before somebody says so', async () => {
    await rosaIsLinked();
    const discharged = stay({ status: 'finished', period: { start: daysAgo(2), end: daysAgo(1) } });
    await shows(discharged);
    await sourceRefuses(world, 'hospitalStay', 'That was somebody else.');
    const followUp = async () => (await clocks()).filter((line) => line.includes('discharge-follow-up'));
    expect(await followUp()).toEqual([]);
    const count = (await feed(world)).length;
    await shows({ ...discharged, period: { start: daysAgo(3), end: daysAgo(1) } });
    expect(await ops(world, count)).toEqual([]);
    await world.decide('refused-change', 'again');
    expect(await ops(world, count)).toEqual(['propose hospitalStay']);
    expect(await followUp()).toEqual([expect.stringMatching(/running/)]);
  });

  test('that is planned is offered once it has begun, and starts no clock before', async () => {
    await rosaIsLinked();
    const running = await clocks();
    await shows(stay({ status: 'planned', period: { start: daysAgo(-20) } }));
    expect(await keptFor()).toEqual(['Encounter kept inbound-planned']);
    expect(await feed(world)).toEqual([]);
    expect(await clocks()).toEqual(running);
    await shows(stay());
    expect(await ops(world, 0)).toEqual(['propose hospitalStay']);
    await shows(stay({ status: 'planned' }));
    expect(await ops(world, 1)).toEqual(['withdraw hospitalStay']);
  });

  test('taken over, that the hospital cancels or calls an error, is a question that says so, and no change of the record', async () => {
    await rosaIsLinked();
    await shows(stay());
    const { id = '', body = {} } = (await feed(world)).at(-1) ?? {};
    const times = { admittedAt: '2026-02-27T10:00:00-05:00', knownAt: '2026-02-28T10:00:00-05:00' };
    await world.send(['hospitalStay', { ...body, ...times, id: own(id), updatedAt: '2026-03-01T10:00:00-05:00' }]);
    const count = (await feed(world)).length;
    for (const status of ['cancelled', 'entered-in-error']) {
      await shows(stay({ status }));
      expect(await world.openDecisions()).toMatchObject([
        { code: 'remote-taken-back', detail: { status }, choices: ['noted'] },
      ]);
    }
    expect(await ops(world, count)).toEqual([]);
  });

  test('that only a message tells of is offered, tied and kept up to date, and never looked for on the server', async () => {
    await rosaIsLinked();
    const connection = world.deps.connections.get('general');
    if (connection === undefined) throw new Error('no connection');
    const told = async (visit: JsonObject) => {
      await keepVisit(world.store, { config: connection.config, identifierSystem }, 'rosa', visit);
      await world.work();
    };
    const visit = { ...stay(), id: 'adt-7' };
    await told(visit);
    const { id = '', body = {}, type } = (await feed(world)).at(-1) ?? {};
    expect(type).toBe('hospitalStay');
    const times = { admittedAt: '2026-02-27T10:00:00-05:00', knownAt: '2026-02-28T10:00:00-05:00' };
    await world.accept(['hospitalStay', { ...body, ...times, id: own(id), updatedAt: '2026-03-01T10:00:00-05:00' }]);
    await world.workAgain();
    await told({ ...visit, status: 'finished', period: { start: daysAgo(2), end: daysAgo(1) } });
    expect((await feed(world)).at(-1)).toMatchObject({ op: 'patch', type: 'hospitalStay', id: own(id) });
    expect(await world.openDecisions()).toEqual([]);
    expect((await world.server.journal()).some(({ url }) => String(url).includes('Encounter/adt-7'))).toBe(false);
  });

  test.each([
    ['a visit to a clinic', { class: { code: 'AMB' } }, 'inbound-no-stay'],
    [
      'one that was over long ago',
      { status: 'finished', period: { start: '2020-01-01T10:00:00Z', end: '2020-01-03T10:00:00Z' } },
      'inbound-past',
    ],
    ['one that was cancelled', { status: 'cancelled' }, 'inbound-cancelled'],
  ])('%s is kept, and not offered', async (_, changed, code) => {
    await rosaIsLinked();
    await shows(stay(changed));
    expect(await keptFor()).toEqual([`Encounter kept ${code}`]);
    expect(await feed(world)).toEqual([]);
  });

  describe('that is missing in the answers of the hospital', () => {
    beforeEach(async () => {
      const types = ['Encounter'] as const;
      const polls = { types, performers: [], referralCodes: [], documentTypes: [], lookBackMs: 90 * 86_400_000 };
      await world.connect(aConnection(world.server.base, { createPatients: false, polls }));
      await rosaIsLinked();
      await hospitalHas(world, stay({ status: 'finished', period: { start: daysAgo(2), end: daysAgo(1) } }));
      await readAll();
      expect(await keptFor()).toEqual(['Encounter proposed']);
    });

    test('is looked at by its id, and is a question when it has been deleted, which ends when it is there again', async () => {
      const count = (await feed(world)).length;
      expect((await world.server.fhir('DELETE', 'Encounter/stay-1')).status).toBe(204);
      await readAll();
      await readAll();
      expect(await keptFor()).toEqual(['Encounter proposed inbound-gone']);
      expect(await world.openDecisions()).toMatchObject([{ kind: 'inbound', topic: 'inbound:Encounter/stay-1' }]);
      expect(await ops(world, count)).toEqual([]);
      expect(await looksAt('Encounter/stay-1')).toBe(1);
      await hospitalHas(world, stay({ status: 'finished', period: { start: daysAgo(2), end: daysAgo(1) } }));
      await readAll();
      expect(await keptFor()).toEqual(['Encounter proposed']);
      expect(await world.openDecisions()).toEqual([]);
    });

    test.each<[string, JsonObject[], number]>([
      ['is there', [], 1],
      ['nobody like us may see now', [{ method: 'GET', path: 'Encounter/stay-1$', fault: { status: 403 } }], 1],
      ['cannot be shown now', [{ method: 'GET', path: 'Encounter/stay-1$', fault: { status: 503 }, times: 1 }], 2],
    ])('and %s stands as it was offered, and is looked at once a day', async (_name, faults, looks) => {
      const missing = { method: 'GET', path: 'Encounter$', fault: { status: 200, body: bundle } };
      await world.server.faults(missing, ...faults);
      await readAll();
      await world.work();
      await readAll();
      expect(await keptFor()).toEqual(['Encounter proposed']);
      expect(await looksAt('Encounter/stay-1')).toBe(looks);
      expect((await clocks()).find((line) => line.includes('discharge-follow-up'))).toContain('running');
      await sql`update seen set absent_since = now() - interval '25 hours', seen_at = now() - interval '24 hours'`.execute(
        world.store.db,
      );
      await world.server.fhir('DELETE', 'Encounter/stay-1');
      await world.server.mend();
      await readAll();
      expect(await keptFor()).toEqual(['Encounter proposed inbound-gone']);
    });

    test.each<[string, JsonObject]>([
      ['a refusal', { status: 403 }],
      ['a cut answer', { truncate: 300 }],
      ['nothing, with a warning that parts are suppressed', { status: 200, body: suppressed }],
    ])('because the answer is %s is not even looked for', async (_name, fault) => {
      await world.server.faults({ method: 'GET', path: 'Encounter$', fault });
      await world.store.db.updateTable('poll').set({ full_at: null }).execute();
      await pollEverybody(world);
      await world.work({ tries: 2 });
      expect(await looksAt('Encounter/stay-1')).toBe(0);
      expect(await keptFor()).toEqual(['Encounter proposed']);
    });
  });
});

describe('a document of the hospital', () => {
  const base64 = (text: string) => Buffer.from(text).toString('base64');
  const summary = (overrides: JsonObject = {}): JsonObject => ({
    resourceType: 'DocumentReference',
    id: 'summary-1',
    status: 'current',
    docStatus: 'final',
    type: { coding: [{ system: 'http://loinc.org', code: '18842-5' }], text: 'Discharge summary' },
    subject: { reference: 'Patient/rosa' },
    date: daysAgo(1),
    author: [{ display: 'Dr. Lena Aster' }],
    custodian: { display: 'General Hospital' },
    content: [
      { attachment: { contentType: 'text/plain', title: 'Summary', data: base64('Went home.\r\nWalks well.') } },
    ],
    context: { period: { start: daysAgo(4), end: daysAgo(1) } },
    ...overrides,
  });
  const offered = async () => (await feed(world)).at(-1)?.body ?? {};
  const section = (body: JsonObject, code: string) =>
    (Array.isArray(body.sections) ? body.sections : []).find((one) => isObject(one) && one.code === code);

  /** The source's own record of what it was offered last. */
  const adopted = async (changed: JsonObject = {}): Promise<string> => {
    const { id = '', body = {} } = (await feed(world)).at(-1) ?? {};
    const times = { occurredAt: '2026-02-27T10:00:00-05:00', signedAt: '2026-02-28T10:00:00-05:00' };
    const more = { authorId: 'worker-okafor', updatedAt: '2026-03-01T10:00:00-05:00' };
    await world.send(['note', { ...body, ...times, ...more, id: own(id), ...changed }]);
    return own(id);
  };

  test('that a case manager needs is offered once, as a note with what it says, who wrote it, and where', async () => {
    await rosaIsLinked();
    await shows(summary());
    expect((await feed(world)).at(-1)).toMatchObject({ op: 'propose', type: 'note' });
    expect(await offered()).toMatchObject({
      origin: { connection: 'general', resourceType: 'DocumentReference', id: 'summary-1' },
      clientId: 'client-rosa',
      caseId: 'case-rosa',
      kind: 'discharge-planning',
      status: 'signed',
      signedAt: daysAgo(1),
      occurredAt: daysAgo(4),
      text: 'Went home.\nWalks well.',
      sections: [
        { code: 'document', text: 'Discharge summary' },
        { code: 'author', text: 'Dr. Lena Aster' },
        { code: 'hospital', text: 'General Hospital' },
      ],
    });
    expect(await offered()).not.toHaveProperty('authorId');
    const count = (await feed(world)).length;
    await shows(summary());
    await world.workAgain();
    expect((await feed(world)).length).toBe(count);
    const amended = { contentType: 'text/plain', data: base64('Went home by bus.') };
    await shows(summary({ docStatus: 'amended', content: [{ attachment: amended }] }));
    expect(await ops(world, count)).toEqual(['propose note']);
    expect(await offered()).toMatchObject({ text: 'Went home by bus.', status: 'amended' });
  });

  test('labelled there comes with the label; what it does not say is left out, and the hospital is the one whose server it is', async () => {
    await rosaIsLinked(['organization', anOrganization({ id: 'org-hospital', name: 'St. Anne', kind: 'hospital' })]);
    const { author: _, custodian: __, context: ___, ...rest } = summary();
    await shows({ ...rest, meta: { security: [{ code: 'ETH' }] } });
    const body = await offered();
    expect(body).toMatchObject({ sensitivity: ['substance-use-part2'], occurredAt: daysAgo(1) });
    expect(section(body, 'hospital')).toEqual({ code: 'hospital', text: 'St. Anne' });
    expect(section(body, 'author')).toBeUndefined();
  });

  test.each([
    [
      'HTML is told without its markup',
      [{ contentType: 'text/html; charset=utf-8', data: base64(page) }],
      'Hospital course\n\nBlood pressure < 140 & stable\n\n- Rest\n- Fluids',
    ],
    [
      'of several forms the plainest is read',
      [
        { contentType: 'application/pdf', data: 'eA==' },
        { contentType: 'text/html', data: base64('<p>no</p>') },
        { contentType: 'text/plain', data: base64('yes\u0000\u0007') },
      ],
      'yes',
    ],
    [
      'PDF has no text: the title and what it is are told',
      [{ contentType: 'application/pdf', title: 'Summary.pdf', data: 'eA==' }],
      "Discharge summary\n(Its text stands in the hospital's record only.)",
    ],
    [
      'on another server it is not fetched',
      [{ contentType: 'text/plain', url: 'https://elsewhere.example.org/Binary/b1' }],
      "Discharge summary\n(Its text stands in the hospital's record only.)",
    ],
    [
      'a text that is too long for a note ends with the words that say so',
      [{ contentType: 'text/plain', data: base64('🙂'.repeat(15_000)) }],
      expect.stringMatching(/^(?:🙂)+\n\(The rest stands in the hospital's record only\.\)$/u),
    ],
  ])('%s', async (_, attachments, text) => {
    await rosaIsLinked();
    await shows(summary({ content: attachments.map((attachment) => ({ attachment })) }));
    expect((await offered()).text).toEqual(text);
    await adopted();
    expect(await world.openDecisions()).toEqual([]);
  });

  test('a PDF is named beside what is said of it', async () => {
    await rosaIsLinked();
    await shows(summary({ content: [{ attachment: { contentType: 'application/pdf', title: 'Summary.pdf' } }] }));
    expect(section(await offered(), 'attachment')).toEqual({
      code: 'attachment',
      text: 'Summary.pdf (application/pdf)',
    });
  });

  test('taken over is tied to it: nothing is written there, not even an addendum, and no clock of a note runs', async () => {
    await rosaIsLinked();
    await shows(summary());
    const before = (await world.server.journal()).length;
    const addendum = {
      id: 'add-1',
      kind: 'addendum',
      text: 'Told her daughter.',
      authorId: 'worker-okafor',
      signedAt: '2026-02-28T12:00:00-05:00',
    };
    const id = await adopted({ status: 'amended', addenda: [addendum] });
    expect(await world.link(`note/${id}#note`)).toMatchObject({ remoteId: 'summary-1', retired: false });
    await world.workAgain();
    expect(await world.server.writes(before)).toEqual([]);
    expect((await clocks()).filter((line) => line.startsWith('note'))).toEqual([]);
    expect(await world.openDecisions()).toEqual([]);
    const count = (await feed(world)).length;
    await shows(summary({ status: 'entered-in-error' }));
    expect(await ops(world, count)).toEqual(['patch note']);
    expect((await offered()).status).toBe('entered-in-error');
  });

  test('that the hospital amends after it was taken over is a change of the record, whose text stands', async () => {
    await rosaIsLinked();
    await shows(summary());
    await adopted();
    const before = (await world.server.journal()).length;
    const count = (await feed(world)).length;
    const content = [{ attachment: { contentType: 'text/plain', data: base64('Quite another.') } }];
    await shows(summary({ docStatus: 'amended', content }));
    expect((await feed(world)).slice(count)).toMatchObject([
      { op: 'patch', type: 'note', body: { status: 'amended' } },
    ]);
    expect(await world.server.writes(before)).toEqual([]);
    expect(await world.openDecisions()).toEqual([]);
  });

  test('that a newer edition replaces is taken back, and the newer one says which', async () => {
    await rosaIsLinked();
    await shows(summary());
    const { id = '' } = (await feed(world)).at(-1) ?? {};
    const count = (await feed(world)).length;
    const target = { reference: 'DocumentReference/summary-1' };
    const newer = summary({ id: 'summary-2', relatesTo: [{ code: 'replaces', target }] });
    await shows({ ...newer, docStatus: 'preliminary' });
    expect(await ops(world, count)).toEqual([]);
    await shows(newer);
    expect((await ops(world, count)).sort()).toEqual(['propose note', 'withdraw note']);
    const proposal = (await feed(world)).slice(count).find(({ op }) => op === 'propose');
    expect(section(proposal?.body ?? {}, 'replaces')).toEqual({ code: 'replaces', text: id });
    expect(await keptFor()).toEqual(['DocumentReference withdrawn inbound-superseded', 'DocumentReference proposed']);
  });

  test.each([
    [
      'of a type that is not listed',
      { type: { coding: [{ system: 'http://loinc.org', code: '11506-3' }] } },
      'inbound-document-type',
    ],
    ['without a type', { type: {} }, 'inbound-document-type'],
    ['of long ago', { date: daysAgo(40) }, 'inbound-past'],
    ['without any time', { date: 'once', context: {} }, 'inbound-unreadable'],
    ['that is not final', { docStatus: 'preliminary' }, 'inbound-draft'],
    ['that was superseded', { status: 'superseded' }, 'inbound-superseded'],
    ['entered in error', { status: 'entered-in-error ' }, 'inbound-cancelled'],
    ['whose text was', { docStatus: 'entered-in-error' }, 'inbound-cancelled'],
    [
      'of ours, of which nobody knows yet that it was filed',
      { content: [{ attachment: { contentType: 'text/plain', data: base64('Note\n\nRef CB-0123456789BC v1\n') } }] },
      'inbound-own-document',
    ],
  ])('%s is kept, and not offered', async (_, changed, code) => {
    await rosaIsLinked();
    await shows(summary(changed));
    expect(await keptFor()).toEqual([`DocumentReference kept ${code}`]);
    expect(await feed(world)).toEqual([]);
  });

  test('that quotes a note of ours is offered all the same', async () => {
    await rosaIsLinked();
    const quoted = 'The agency writes:\nRef CB-0123456789BC v1\nShe goes home today.';
    await shows(summary({ content: [{ attachment: { contentType: 'text/plain', data: base64(quoted) } }] }));
    expect(await ops(world)).toEqual(['propose note']);
  });

  test('that its source refuses is not offered again', async () => {
    await rosaIsLinked();
    await shows(summary());
    const count = (await feed(world)).length;
    await sourceRefuses(world, 'note', 'Not ours.');
    await shows(summary({ date: daysAgo(0) }));
    expect(await ops(world, count)).toEqual([]);
  });
});

describe('beside stays', () => {
  const concept = (system: string, code: string) => ({ coding: [{ system, code }] });
  const sdoh = 'http://hl7.org/fhir/us/sdoh-clinicalcare/CodeSystem/SDOHCC-CodeSystemTemporaryCodes';
  const subject = { reference: 'Patient/rosa' };

  test('needs, goals and plans are offered as far as a record can say them, and nothing there is written', async () => {
    await rosaIsLinked();
    const before = (await world.server.journal()).length;
    await shows(
      {
        resourceType: 'Condition',
        id: 'c1',
        category: [concept(sdoh, 'transportation-insecurity')],
        code: { text: 'No way to the clinic' },
        subject,
      },
      {
        resourceType: 'Condition',
        id: 'c2',
        category: [concept('http://terminology.hl7.org/CodeSystem/condition-category', 'problem-list-item')],
        code: { text: 'Asthma' },
        subject,
      },
      {
        resourceType: 'Goal',
        id: 'g1',
        lifecycleStatus: 'active',
        category: [concept(sdoh, 'transportation-insecurity')],
        description: { text: 'Gets to every visit' },
        startDate: '2026-02-01',
        subject,
      },
      { resourceType: 'CarePlan', id: 'p1', status: 'active', intent: 'plan', title: 'Discharge plan', subject },
      {
        resourceType: 'CarePlan',
        id: 'p2',
        status: 'active',
        intent: 'plan',
        text: { status: 'generated', div: '<div xmlns="http://www.w3.org/1999/xhtml">Words alone</div>' },
        subject,
      },
      {
        resourceType: 'DocumentReference',
        id: 'd1',
        status: 'current',
        type: { text: 'Summary' },
        subject,
        content: [{ attachment: { contentType: 'text/plain', data: 'eA==' } }],
      },
    );
    expect((await ops(world)).sort()).toEqual(['propose carePlan', 'propose goal', 'propose need']);
    expect((await keptFor()).sort()).toEqual([
      'CarePlan kept inbound-unreadable',
      'CarePlan proposed',
      'Condition kept inbound-unreadable',
      'Condition proposed',
      'DocumentReference kept inbound-document-type',
      'Goal proposed',
    ]);
    expect(await world.server.writes(before)).toEqual([]);
  });

  test('of a patient whom no client is, nothing is kept: it is nobody of ours', async () => {
    await rosaIsLinked();
    await hospitalHas(world, { ...rosaOnFile, id: 'stranger' });
    await shows(stay({ subject: { reference: 'Patient/stranger' } }));
    expect(await keptFor()).toEqual([]);
  });

  test('of a client without an open case it is kept, and not offered', async () => {
    await hospitalHas(world, rosaOnFile);
    await world.send(...directoryAndClient());
    await shows(stay());
    expect(await keptFor()).toEqual(['Encounter kept inbound-no-case']);
    expect(await ops(world)).toEqual([]);
    // It is offered as soon as there is one.
    await world.send(['case', aCase()]);
    expect(await ops(world)).toEqual(['propose hospitalStay']);
  });

  test('offered and taken back because the case was closed, it is offered again when that is reopened', async () => {
    await rosaIsLinked();
    await shows(stay());
    const closed = { status: 'closed', closedOn: '2026-03-04', closeReason: 'goals-met' } as const;
    await world.accept(['case', aCase({ ...closed, updatedAt: '2026-03-05T10:00:00-05:00' })]);
    await world.workAgain();
    expect(await keptFor()).toEqual(['Encounter withdrawn inbound-no-case']);
    await world.send(['case', aCase({ updatedAt: '2026-03-06T10:00:00-05:00' })]);
    expect(await ops(world)).toEqual(['propose hospitalStay', 'withdraw hospitalStay', 'propose hospitalStay']);
  });
});

describe('a client who was taken for the wrong patient', () => {
  const right: JsonObject = { ...rosaOnFile, id: 'right', identifier: [] };
  const atRight = { subject: { reference: 'Patient/right' } };
  const food = {
    coding: [
      {
        system: 'http://hl7.org/fhir/us/sdoh-clinicalcare/CodeSystem/SDOHCC-CodeSystemTemporaryCodes',
        code: 'food-insecurity',
      },
    ],
  };
  const subject = { reference: 'Patient/rosa' };
  const need: JsonObject = {
    resourceType: 'Condition',
    id: 'c1',
    category: [food],
    code: { text: 'Nothing to eat' },
    subject,
  };
  const goal: JsonObject = {
    resourceType: 'Goal',
    id: 'g1',
    lifecycleStatus: 'active',
    category: [food],
    description: { text: 'Eats every day' },
    subject,
  };
  const summary: JsonObject = {
    resourceType: 'DocumentReference',
    id: 'd1',
    status: 'current',
    type: { coding: [{ system: 'http://loinc.org', code: '18842-5' }] },
    date: daysAgo(1),
    content: [{ attachment: { contentType: 'text/plain', data: Buffer.from('Went home.').toString('base64') } }],
    subject,
  };
  const order: JsonObject = {
    resourceType: 'ServiceRequest',
    id: 'order-1',
    status: 'active',
    intent: 'order',
    code: { text: 'A food pantry' },
    authoredOn: daysAgo(1),
    subject,
  };
  const task: JsonObject = {
    resourceType: 'Task',
    id: 'task-1',
    status: 'requested',
    intent: 'order',
    code: { coding: [{ system: 'http://hl7.org/fhir/CodeSystem/task-code', code: 'fulfill' }] },
    focus: { reference: 'ServiceRequest/order-1' },
    for: subject,
    authoredOn: daysAgo(1),
  };

  async function is(patient: string | null, clientId = 'client-rosa'): Promise<void> {
    await relinkPatient(world.store, { connection: 'general', source: 'county', clientId, patient, by: 'ida' });
    await world.work();
  }

  /** What stands in the feed: whose it is said to be, by `type origin`. */
  async function offers(): Promise<Record<string, unknown>> {
    const last = new Map((await feed(world)).map((one) => [`${one.type} ${one.id}`, one]));
    const standing = [...last.values()].filter(({ op }) => op === 'propose');
    const named = standing.map(({ type, body }) => {
      const origin = isObject(body.origin) ? body.origin : {};
      return [`${type} ${origin.id}`, type === 'client' ? body.id : body.clientId] as const;
    });
    return Object.fromEntries(named.toSorted());
  }

  test('is offered nothing of that patient any more, whatever is seen of the right one, and all of it when it was the right one', async () => {
    await rosaIsLinked();
    await hospitalHas(world, right);
    await shows(stay(), need, goal, summary);
    const all = { 'goal g1': 'client-rosa', 'hospitalStay stay-1': 'client-rosa', 'need c1': 'client-rosa' };
    const before = { ...all, 'note d1': 'client-rosa' };
    expect(await offers()).toEqual(before);
    await is('right');
    expect(await offers()).toEqual({});
    await shows(stay({ ...atRight, id: 'stay-2' }));
    await world.workAgain();
    expect(await offers()).toEqual({ 'hospitalStay stay-2': 'client-rosa' });
    await is('rosa');
    expect(await offers()).toEqual(before);
  });

  test('has a referral about that patient offered as of somebody who is not known, until it turns out that it is the client', async () => {
    await rosaIsLinked();
    await hospitalHas(world, right, order);
    await shows(task);
    expect(await offers()).toEqual({ 'referral task-1': 'client-rosa' });
    await is('right');
    await shows(
      { ...order, ...atRight, id: 'order-2' },
      { ...task, id: 'task-2', for: atRight.subject, focus: { reference: 'ServiceRequest/order-2' } },
    );
    const { 'client rosa': stranger, ...rest } = await offers();
    expect(stranger).toMatch(/^general\./);
    expect(rest).toEqual({ 'case task-1': stranger, 'referral task-1': stranger, 'referral task-2': 'client-rosa' });
    const cases = (await feed(world)).flatMap(({ type, body }) => (type === 'referral' ? [body.caseId] : []));
    expect(new Set(cases)).toEqual(new Set(['case-rosa', expect.stringMatching(/^general\./)]));
    await is('rosa');
    expect(Object.keys(await offers())).toEqual(['case task-2', 'client right', 'referral task-1', 'referral task-2']);
    expect(await offers()).toMatchObject({ 'referral task-1': 'client-rosa' });
  });

  test('leaves what is of that patient to the client who is, with its clock', async () => {
    await rosaIsLinked(
      [
        'client',
        aClient({ id: 'client-b', identifiers: [], names: [{ use: 'legal', given: ['Bea'], family: 'Other' }] }),
      ],
      ['case', aCase({ id: 'case-b', clientId: 'client-b' })],
    );
    await hospitalHas(world, right);
    await shows(stay({ status: 'finished', period: { start: daysAgo(2), end: daysAgo(1) } }));
    const followUps = async () => {
      await sweepAt(world.store, new Date().toISOString());
      const rows = await world.store.db.selectFrom('clock').selectAll().where('type', '=', 'hospitalStay').execute();
      return rows.map(({ subject: lane }) => lane);
    };
    expect(await followUps()).toEqual(['county.case.case-rosa']);
    await is('right');
    await shows(stay({ ...atRight, id: 'stay-2' }));
    expect(await followUps()).toEqual([]);
    await is('rosa', 'client-b');
    expect(await offers()).toEqual({ 'hospitalStay stay-1': 'client-b', 'hospitalStay stay-2': 'client-rosa' });
    expect(await followUps()).toEqual(['county.case.case-b']);
  });

  test('and one whose patient was merged into another: what was offered of the old chart stands, and can be taken over', async () => {
    await rosaIsLinked();
    await shows(stay());
    const { id = '', body = {} } = (await feed(world)).at(-1) ?? {};
    await hospitalHas(
      world,
      { ...rosaOnFile, id: 'new' },
      { ...rosaOnFile, active: false, link: [{ type: 'replaced-by', other: { reference: 'Patient/new' } }] },
    );
    await world.workAgain();
    expect(await world.link('client/client-rosa#patient')).toMatchObject({ remoteId: 'new' });
    await shows(stay({ id: 'stay-2', subject: { reference: 'Patient/new' } }));
    await world.workAgain();
    expect(await offers()).toEqual({ 'hospitalStay stay-1': 'client-rosa', 'hospitalStay stay-2': 'client-rosa' });
    expect(await ops(world)).toEqual(['propose hospitalStay', 'propose hospitalStay']);
    const times = { admittedAt: '2026-02-27T10:00:00-05:00', knownAt: '2026-02-28T10:00:00-05:00' };
    await world.send(['hospitalStay', { ...body, ...times, id: own(id), updatedAt: '2026-03-01T10:00:00-05:00' }]);
    expect(await world.link(`hospitalStay/${own(id)}#stay`)).toMatchObject({ remoteId: 'stay-1' });
  });
});

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
