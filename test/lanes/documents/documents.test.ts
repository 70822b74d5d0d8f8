// The readable document of a case: one series on the server, each edition filed once, taken back when it must be (lanes.md 12, closed-loop
// B8). Here on a server that takes documents and amends them; what it holds is read from its own store.

import { describe, expect, test } from '@jest/globals';
import type { JsonObject } from '../../../src/json.ts';
import {
  aCarePlan,
  aCase,
  aConsent,
  aCoverage,
  aGoal,
  aNeed,
  aNote,
  anAppointment,
  anAssessment,
  anIntervention,
  anOrganization,
  aWorker,
} from '../../builders.ts';
import { caseload, caseWithReferral, directoryAndClient } from '../../support/caseload.ts';
import { documentsOf } from '../../support/documents.ts';
import { aConnection } from '../../support/rig.ts';
import { useWorld } from '../../support/world.ts';

const byDocument = {
  routes: {
    appointment: 'document',
    assessment: 'document',
    carePlan: 'document',
    case: 'off',
    coverage: 'read',
    goal: 'document',
    intervention: 'document',
    need: 'document',
    referral: 'document',
  },
  documents: { quietMs: 4 * 3_600_000, atMostEveryMs: 24 * 3_600_000, encounter: 'none' },
} as const;

const world = useWorld(byDocument);
const { filed, sendCase, timePasses } = documentsOf(world);

const achieved = aGoal({ updatedAt: '2026-02-20T09:00:00-05:00', statement: 'I want food on every day of the month.' });

describe('the first edition', () => {
  test('of an active plan is filed at once, in the chart of the patient, and nothing goes natively beside it', async () => {
    await sendCase();
    const [document, ...more] = await filed();
    expect(more).toEqual([]);
    expect(document).toMatchObject({ status: 'current', docStatus: 'final', edition: 1 });
    expect(document?.text).toContain('Delgado');
    expect(document?.text).toContain('Enough food at home');
    const [patient] = await world.server.all('Patient');
    const [stored] = await world.server.all('DocumentReference');
    expect(stored).toMatchObject({
      subject: { reference: `Patient/${patient?.id}` },
      type: { coding: [{ system: 'http://loinc.org', code: '18776-5' }] },
    });
    for (const type of ['CarePlan', 'Goal', 'Condition', 'ServiceRequest', 'Task'])
      expect(await world.server.all(type)).toEqual([]);
  });

  test('is what each record that it tells of points at', async () => {
    await sendCase();
    for (const name of ['carePlan/plan-rosa#plan', 'goal/goal-meals#goal', 'referral/referral-pantry#request'])
      expect(await world.link(name)).toMatchObject({ state: 'current', reason: 'document-current', remoteId: null });
    const [document] = await filed();
    expect(await world.link('case/case-rosa#document')).toMatchObject({ state: 'current', remoteId: document?.id });
  });

  test('tells of appointments, scores, work and what is authorized, although coverages are only read', async () => {
    const authorized = aCoverage({
      caseId: 'case-rosa',
      authorizations: [{ id: 'a1', service: 'Home health aide', status: 'approved', unitsApproved: 40, unit: 'hour' }],
    });
    await world.accept(
      ['coverage', authorized],
      ['coverage', { ...authorized, id: 'coverage-hiv', sensitivity: ['hiv'], planName: 'Ryan White plan' }],
      ['assessment', anAssessment()],
      ['intervention', anIntervention()],
      ['appointment', anAppointment({ startsAt: '2099-03-09T10:00:00-04:00' })],
    );
    await sendCase();
    const [document] = await filed();
    for (const told of [
      'Home health aide (medicaid): approved',
      'Hunger Vital Sign',
      'Benefits assistance',
      'Home visit',
    ])
      expect(document?.text).toContain(told);
    expect(document?.text).not.toContain('Ryan White');
    for (const type of ['Coverage', 'Observation', 'QuestionnaireResponse', 'Procedure', 'Appointment'])
      expect(await world.server.all(type)).toEqual([]);
  });

  test('waits for a quiet time when nothing in it is urgent, and the lane says when it looks again', async () => {
    await world.send(...directoryAndClient(), ['case', aCase()], ['need', aNeed()]);
    expect(await filed()).toEqual([]);
    expect(await world.link('need/need-food#condition')).toMatchObject({ state: 'due', reason: 'document-quiet' });
    const { nextLookAt } = await world.lane('county.case.case-rosa');
    expect(Number(nextLookAt) - Date.now()).toBeGreaterThan(3.9 * 3_600_000);
    await timePasses(4);
    await world.work();
    expect(await filed()).toMatchObject([{ edition: 1 }]);
  });

  test('waits for the patient, and goes when the patient is linked', async () => {
    await world.send(...caseWithReferral());
    expect(await filed()).toEqual([]);
    expect(await world.link('carePlan/plan-rosa#plan')).toMatchObject({ state: 'waiting' });
    await world.send(...directoryAndClient());
    expect(await filed()).toMatchObject([{ edition: 1 }]);
  });

  test('is waited for while the case has not come, by what would go in it or by itself, and goes when it has', async () => {
    const withoutCase = caseWithReferral().filter(([type]) => type !== 'case');
    await world.connect(
      aConnection(world.server.base, { ...byDocument, routes: { ...byDocument.routes, note: 'document' } }),
    );
    await world.send(...withoutCase, ['note', aNote()]);
    const names = ['need/need-food#condition', 'carePlan/plan-rosa#plan', 'note/note-visit#note'];
    const links = () => Promise.all(names.map((name) => world.link(name)));
    const waiting = { state: 'waiting', reason: 'waits-for-record', remoteId: null };
    expect(await links()).toMatchObject(names.map(() => waiting));
    const row = await world.store.db
      .selectFrom('link')
      .select('reason')
      .where('id', '=', 'need-food')
      .executeTakeFirst();
    expect(row?.reason?.text).toBe('Waits for case/case-rosa#document, which its source has not sent yet.');
    const awaited = world.store.db.selectFrom('waiting').select('slot').where('type', '=', 'case');
    expect(await awaited.execute()).toContainEqual({ slot: 'document' });
    await world.send(...directoryAndClient());
    expect(await links()).toMatchObject(names.map(() => waiting));
    expect(await world.server.all('DocumentReference')).toEqual([]);
    await world.send(['case', aCase()]);
    expect(await links()).toMatchObject(names.map(() => ({ state: 'current', reason: 'document-current' })));
    expect(await awaited.execute()).not.toContainEqual({ slot: 'document' });
  });

  test('does not exist where the case has nothing to tell', async () => {
    await world.send(...directoryAndClient(), ['case', aCase()]);
    expect(await filed()).toEqual([]);
  });
});

describe('a second pass', () => {
  test('reads the document and writes nothing', async () => {
    await sendCase();
    const before = (await world.server.writes()).length;
    const [document] = await filed();
    await world.workAgain();
    expect(await world.server.writes()).toHaveLength(before);
    const reads = (await world.server.journal()).filter(
      ({ method, url }) => method === 'GET' && String(url).endsWith(`DocumentReference/${document?.id}`),
    );
    expect(reads.length).toBeGreaterThan(0);
  });
});

describe('a later edition', () => {
  test('waits until the day is over and the case is quiet, then amends the same document', async () => {
    await sendCase();
    const [first] = await filed();
    await world.send(['goal', achieved]);
    expect(await filed()).toEqual([first]);
    expect(await world.link('goal/goal-meals#goal')).toMatchObject({ state: 'due' });
    await timePasses(24);
    await world.work();
    const [second, ...more] = await filed();
    expect(more).toEqual([]);
    expect(second).toMatchObject({ id: first?.id, docStatus: 'amended', edition: 2 });
    expect(second?.text).toContain('on every day of the month');
  });

  test('does not wait when a record that the one before told of is withdrawn', async () => {
    await sendCase();
    await world.send(['goal', aGoal({ updatedAt: '2026-02-20T09:00:00-05:00', deleted: true })]);
    const [second] = await filed();
    expect(second).toMatchObject({ edition: 2 });
    expect(second?.text).not.toContain('food on the table');
  });

  test('goes as a new document where the server does not let the first one be amended', async () => {
    await sendCase();
    await world.accept(['goal', achieved]);
    await timePasses(24);
    await world.server.strikeOnce('PUT', 'DocumentReference', {
      status: 422,
      body: { resourceType: 'OperationOutcome', issue: [] },
    });
    await world.work();
    expect((await filed()).map(({ edition }) => edition).sort()).toEqual([1, 2]);
    expect(await world.lane('county.case.case-rosa')).toMatchObject({ hasWork: false, parked: undefined });
  });

  test('that says what the last one said does not exist', async () => {
    await sendCase();
    await world.accept(['goal', aGoal({ updatedAt: '2026-02-20T09:00:00-05:00' })]);
    await timePasses(48);
    await world.work();
    expect(await filed()).toMatchObject([{ edition: 1 }]);
  });
});

describe('of an edition whose reply is lost there is one', () => {
  const accidents: [string, JsonObject][] = [
    ['after the server filed it', { drop: 'after-commit' }],
    ['before the server did anything', { drop: 'before-commit' }],
    ['and 503 is said after it was filed', { status: 503, at: 'after-commit' }],
  ];

  test.each(accidents)('%s: a first one, found by its marker', async (_title, fault) => {
    await world.server.strikeOnce('POST', 'DocumentReference', fault);
    await sendCase();
    expect(await filed()).toMatchObject([{ edition: 1 }]);
    await world.workAgain();
    expect(await filed()).toHaveLength(1);
  });

  test.each(accidents)('%s: an amendment', async (_title, fault) => {
    await sendCase();
    await world.accept(['goal', achieved]);
    await timePasses(24);
    await world.server.strikeOnce('PUT', 'DocumentReference', fault);
    await world.work();
    expect(await filed()).toMatchObject([{ edition: 2 }]);
    const { writes } = { writes: await world.server.writes() };
    await world.workAgain();
    expect(await world.server.writes()).toHaveLength(writes.length);
    expect(await world.link('case/case-rosa#document')).toMatchObject({ state: 'current' });
  });
});

describe('what may not be told', () => {
  test('is in no edition while no consent names it, and joins when one does', async () => {
    const secret = aNeed({ id: 'need-secret', description: 'CANARY-SECRET', sensitivity: ['mental-health'] });
    await world.connect(
      aConnection(world.server.base, { ...byDocument, organization: { source: 'county', id: 'org-pantry' } }),
    );
    await world.send(...caseload(), ['need', secret]);
    expect((await filed())[0]?.text).not.toContain('CANARY-SECRET');
    expect(await world.link('need/need-secret#condition')).toMatchObject({ state: 'withheld' });
    await world.accept(['consent', aConsent({ sensitivity: ['mental-health'] })]);
    await timePasses(24);
    await world.work();
    expect((await filed())[0]?.text).toContain('CANARY-SECRET');
  });

  test('is taken back when its consent is revoked: nothing of it stands, the rest is filed anew, and a person learns of it', async () => {
    const secret = aNeed({ id: 'need-secret', description: 'CANARY-SECRET', sensitivity: ['mental-health'] });
    const consent = aConsent({ sensitivity: ['mental-health'] });
    await world.connect(
      aConnection(world.server.base, { ...byDocument, organization: { source: 'county', id: 'org-pantry' } }),
    );
    await world.send(...directoryAndClient(), ['consent', consent], ...caseWithReferral(), ['need', secret]);
    expect((await filed())[0]?.text).toContain('CANARY-SECRET');
    const revoked = {
      status: 'revoked',
      revokedAt: '2026-03-01T09:00:00-05:00',
      updatedAt: '2026-03-01T09:00:00-05:00',
    };
    await world.send(['consent', aConsent({ sensitivity: ['mental-health'], ...revoked } as never)]);
    const all = await filed();
    expect(all.filter(({ text }) => text.includes('CANARY-SECRET'))).toEqual([]);
    expect(all).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ status: 'entered-in-error', edition: 2 }),
        expect.objectContaining({ status: 'current', edition: 3 }),
      ]),
    );
    expect(await world.openDecisions()).toContainEqual(
      expect.objectContaining({ kind: 'recalled', code: 'document-recalled', choices: ['done'] }),
    );
  });

  test('is at once the name of a member of the care team whose organization is labelled', async () => {
    const counselor = { id: 'm1', workerId: 'worker-counselor', name: 'CANARY-COUNSELOR', role: 'Counselor' };
    const organization = anOrganization({ id: 'org-house', name: 'Maple House' });
    await world.accept(
      ['organization', organization],
      ['worker', aWorker({ id: 'worker-counselor', organizationId: 'org-house' })],
      ['case', aCase({ careTeam: [counselor], updatedAt: '2026-02-20T09:00:00-05:00' })],
    );
    await sendCase();
    expect((await filed())[0]?.text).toContain('CANARY-COUNSELOR');
    const labelled = { sensitivity: ['domestic-violence'], updatedAt: '2026-03-01T09:00:00-05:00' };
    await world.send(['organization', { ...organization, ...labelled }]);
    expect(await filed()).toMatchObject([{ status: 'current', docStatus: 'amended', edition: 2 }]);
    expect((await filed())[0]?.text).not.toContain('CANARY-COUNSELOR');
  });

  test('is everything once the case is deleted', async () => {
    await sendCase();
    await world.send(['case', aCase({ updatedAt: '2026-03-01T09:00:00-05:00', deleted: true })]);
    expect(await filed()).toMatchObject([{ status: 'entered-in-error', edition: 2 }]);
    expect((await filed())[0]?.text).not.toContain('Enough food at home');
  });
});

describe('a document that is gone from the server', () => {
  test('is asked about and not filed again by itself; "recreate" files the next edition', async () => {
    await sendCase();
    const [document] = await filed();
    await world.server.fhir('DELETE', `DocumentReference/${document?.id}`);
    await world.workAgain();
    expect(await filed()).toEqual([]);
    await world.accept(['carePlan', aCarePlan({ title: 'Food, always', updatedAt: '2026-03-01T09:00:00-05:00' })]);
    await timePasses(48);
    await world.work();
    expect(await filed()).toEqual([]);
    await world.decide('remote-gone', 'recreate');
    await world.work();
    expect(await filed()).toMatchObject([{ status: 'current', edition: 2 }]);
  });
});
