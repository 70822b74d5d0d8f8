// Patients whom the hospital merges, and patients whom nobody may see, on a server that follows R4: the link follows the survivor, what was in
// the old chart stays, and a person is told (design section 7, "Patient").

import { describe, expect, test } from '@jest/globals';
import type { JsonObject } from '../../../src/json.ts';
import { raiseWanted } from '../../../src/lanes/lanes.ts';
import { patientOf } from '../../../src/lanes/patients/patient-of.ts';
import { sql } from '../../../src/store/store.ts';
import { aClient, aGoal, anAppointment } from '../../builders.ts';
import { caseload, caseWithReferral, directoryAndClient } from '../../support/caseload.ts';
import { mrn, rosa, rosasSlot } from '../../support/patients.ts';
import { creates, deletedThere, useWorld } from '../../support/world.ts';

const world = useWorld();
const goalName = 'county/goal/goal-meals#goal';
const clientLane = 'county.client.client-rosa';

/** Rosa, with the number that makes it certain. */
const known = (id: string, overrides: JsonObject = {}): JsonObject => rosa(id, { identifier: [mrn], ...overrides });

const replacedBy = (id: string): JsonObject => ({
  active: false,
  link: [{ type: 'replaced-by', other: { reference: `Patient/${id}` } }],
});

async function sendCase(): Promise<void> {
  await world.server.seed(known('old'));
  await world.send(...caseload());
  expect(await world.link(rosasSlot)).toMatchObject({ remoteId: 'old' });
}

const another = { birthDate: '1950-01-01', name: [{ family: 'Baker', given: ['Ann'] }], identifier: [] };

describe('a linked patient who was merged into another', () => {
  test('the link follows the survivor, and a person is told what had been written to the old chart', async () => {
    await sendCase();
    await world.server.seed(known('new'), known('old', replacedBy('new')));
    await world.workAgain();
    expect(await world.link(rosasSlot)).toMatchObject({
      generation: 2,
      remoteId: 'new',
      origin: 'found',
      state: 'read',
    });
    expect(await world.openDecisions()).toMatchObject([
      { kind: 'patient-merged', choices: ['noted'], detail: { was: 'old', now: 'new' } },
    ]);
    const goal = await world.server.own('Goal', goalName);
    expect((await world.openDecisions())[0]?.detail.written).toContainEqual(
      expect.objectContaining({ resourceType: 'Goal', id: goal.id, takenBack: false }),
    );

    const { length } = await world.server.journal();
    await world.decide('patient-merged', 'noted');
    await world.workAgain();
    expect([await world.openDecisions(), await world.server.writes(length)]).toEqual([[], []]);
    expect(await world.link(rosasSlot)).toMatchObject({ generation: 2, remoteId: 'new' });
  });

  test('an appointment in the old chart stays there, until the server itself names the new patient', async () => {
    await sendCase();
    await world.send(['appointment', anAppointment()]);
    await world.server.seed(known('new'), known('old', replacedBy('new')));
    await world.workAgain();
    const named = async (title: string, updatedAt: string) => {
      await world.send(['appointment', anAppointment({ title, updatedAt })]);
      const [visit, ...others] = await world.server.all('Appointment');
      expect([visit, others]).toMatchObject([{ status: 'booked', description: title }, []]);
      return visit === undefined ? undefined : patientOf(visit);
    };
    expect(await named('Visit at home', '2026-02-20T10:00:00-05:00')).toBe('old');
    const [visit] = await world.server.all('Appointment');
    const rewritten = JSON.stringify(visit).replaceAll('Patient/old', 'Patient/new');
    await world.server.seed(JSON.parse(rewritten));
    await world.workAgain();
    expect(await named('Visit at noon', '2026-02-21T10:00:00-05:00')).toBe('new');
    expect((await world.openDecisions()).map(({ kind }) => kind)).toEqual(['patient-merged']);
    expect(await world.changes()).toEqual([]);
  });

  test('what is in the old chart stays there untouched, and is updated there; new things go to the new chart', async () => {
    await sendCase();
    await world.server.seed(known('new'), known('old', replacedBy('new')));
    const { length } = await world.server.journal();
    await world.workAgain();
    await world.workAgain();
    expect(await world.server.writes(length)).toEqual([]);
    await world.send(
      ['goal', aGoal({ statement: 'I want three meals a day.', updatedAt: '2026-02-20T10:00:00-05:00' })],
      ['goal', aGoal({ id: 'goal-2', updatedAt: '2026-02-20T10:00:00-05:00' })],
    );
    expect(await world.server.own('Goal', goalName)).toMatchObject({
      subject: { reference: 'Patient/old' },
      meta: { versionId: '2' },
    });
    expect(await world.server.own('Goal', 'county/goal/goal-2#goal')).toMatchObject({
      subject: { reference: 'Patient/new' },
    });
    expect(await world.openDecisions()).toHaveLength(1);
  });

  test('a server that moves the chart itself is agreed with, without a word', async () => {
    await sendCase();
    await world.server.seed(known('new'), known('old', replacedBy('new')));
    await world.workAgain();
    const goal = await world.server.own('Goal', goalName);
    await world.server.fhir('PUT', `Goal/${goal.id}`, { ...goal, subject: { reference: 'Patient/new' } });
    const { length } = await world.server.journal();
    await world.workAgain();
    expect(await world.server.writes(length)).toEqual([]);
    expect(await world.openDecisions()).toHaveLength(1);
    expect(await world.link('goal/goal-meals#goal')).toMatchObject({ generation: 1, state: 'current' });
  });

  test('… also where the moved chart is seen before the merge is', async () => {
    await sendCase();
    await world.server.seed(known('new'), known('old', replacedBy('new')));
    const goal = await world.server.own('Goal', goalName);
    await world.server.fhir('PUT', `Goal/${goal.id}`, { ...goal, subject: { reference: 'Patient/new' } });
    const lane = { connection: 'general', subject: 'county.case.case-rosa' };
    await world.store.tx((trx) => raiseWanted(trx, [lane], { reread: true }));
    await world.run(lane.subject);
    expect(await world.link('goal/goal-meals#goal')).toMatchObject({ state: 'parked', reason: 'remote-replaced' });
    expect(await world.openDecisions()).toEqual([]);
    await world.work();
    expect(await world.openDecisions()).toMatchObject([{ kind: 'patient-merged' }]);
    expect(await world.link('goal/goal-meals#goal')).toMatchObject({ generation: 1, state: 'current' });
    const decisions = await world.store.db.selectFrom('decision').select('kind').execute();
    expect(decisions).toEqual([{ kind: 'patient-merged' }]);
  });

  test('merged twice over: the link goes to the last', async () => {
    await sendCase();
    await world.server.seed(known('last'), known('new', replacedBy('last')), known('old', replacedBy('new')));
    await world.workAgain();
    expect(await world.link(rosasSlot)).toMatchObject({ remoteId: 'last' });
  });

  test('into one who is plainly somebody else: nobody is linked, a person is asked, and nothing is sent', async () => {
    await sendCase();
    await world.server.seed(known('new', another), known('old', replacedBy('new')));
    const { length } = await world.server.journal();
    await world.workAgain();
    await world.workAgain();
    expect(await world.openDecisions()).toMatchObject([
      {
        kind: 'patient-match',
        code: 'patient-merged-elsewhere',
        choices: ['link:new', 'leave'],
        detail: {
          was: 'old',
          mergedInto: 'new',
          candidates: [{ id: 'new', differ: ['birth date', 'family name', 'given name'] }],
        },
      },
    ]);
    expect(await world.link(rosasSlot)).toMatchObject({
      remoteId: null,
      state: 'parked',
      reason: 'patient-merged-elsewhere',
    });
    await world.send(['goal', aGoal({ id: 'goal-2', updatedAt: '2026-02-20T10:00:00-05:00' })]);
    expect(await world.server.writes(length)).toEqual([]);
  });

  test('… answered "link": the survivor is the client, and what was written stays in the chart', async () => {
    await sendCase();
    await world.server.seed(known('new', another), known('old', replacedBy('new')));
    await world.workAgain();
    await world.decide('patient-match', 'link:new');
    const { length } = await world.server.journal();
    await world.work();
    await world.workAgain();
    expect(await world.link(rosasSlot)).toMatchObject({ remoteId: 'new' });
    expect(await world.server.writes(length)).toEqual([]);
  });

  test('round in a circle: the client is looked for again, and a person is told', async () => {
    await sendCase();
    await world.server.seed(known('new', replacedBy('old')), known('old', replacedBy('new')));
    await world.workAgain();
    expect((await world.openDecisions()).map(({ kind }) => kind).sort()).toEqual(['patient-match', 'patient-merged']);
    expect(await world.link(rosasSlot)).toMatchObject({ state: 'parked' });
  });

  test('while the survivor cannot be read: nothing is decided, the lane tries again', async () => {
    await sendCase();
    await world.server.seed(known('new'), known('old', replacedBy('new')));
    await world.server.faults({ path: 'Patient/new', times: 1, nth: 1, fault: { status: 503 } });
    await world.workAgain();
    expect(await world.link(rosasSlot)).toMatchObject({ remoteId: 'new' });
  });
});

describe('a linked patient whom the server has lost, and whom we had found', () => {
  async function lost(): Promise<void> {
    await world.server.seed(known('old'));
    await world.send(...directoryAndClient());
    await deletedThere(world.server, 'Patient/old');
    await world.workAgain();
  }

  test('is a question: nothing new goes to that chart, and nobody is made', async () => {
    await lost();
    expect(await world.openDecisions()).toMatchObject([
      { kind: 'remote-gone', code: 'remote-gone', choices: ['again', 'leave'], detail: { id: 'old' } },
    ]);
    await world.accept(...caseWithReferral());
    await world.workAgain();
    expect(await world.link(rosasSlot)).toMatchObject({ remoteId: 'old', state: 'parked', retired: false });
    expect(await world.link('goal/goal-meals#goal')).toMatchObject({ state: 'waiting', reason: 'remote-gone' });
    expect([await world.server.all('Patient'), await world.server.all('Goal')]).toEqual([[], []]);
    expect(await world.openDecisions()).toHaveLength(1);
  });

  test('answered "again": the client is looked for once more, and what waited goes to whom is found', async () => {
    await lost();
    await world.send(...caseWithReferral());
    await world.server.seed(known('new'));
    await world.decide('remote-gone', 'again');
    await world.work();
    expect(await world.link(rosasSlot)).toMatchObject({ remoteId: 'new', origin: 'found', generation: 2 });
    expect(await world.server.own('Goal', goalName)).toMatchObject({ subject: { reference: 'Patient/new' } });
  });

  test('answered "again", and nobody is found: nobody is made unasked, whatever the record says by then', async () => {
    await lost();
    await world.decide('remote-gone', 'again');
    await world.work();
    await world.accept(['client', aClient({ phones: [], updatedAt: '2026-02-20T10:00:00-05:00' })]);
    await world.workAgain();
    expect(await world.server.all('Patient')).toEqual([]);
    expect(await world.openDecisions()).toMatchObject([
      { kind: 'patient-match', code: 'patient-not-found', choices: ['create', 'again', 'leave'] },
    ]);
    await world.decide('patient-match', 'create');
    await world.work();
    expect(await creates(world.server, 'Patient')).toBe(1);
    expect(await world.openDecisions()).toEqual([]);
  });

  test('answered "leave": nobody is asked again, and what is new about the client waits', async () => {
    await lost();
    await world.decide('remote-gone', 'leave');
    await world.work();
    await world.accept(...caseWithReferral());
    await world.workAgain();
    expect(await world.openDecisions()).toEqual([]);
    expect(await world.link('goal/goal-meals#goal')).toMatchObject({ state: 'waiting', reason: 'remote-left' });
  });

  test('shown again as the same: the question closes, and what waited goes there', async () => {
    await lost();
    await world.send(...caseWithReferral());
    await world.server.seed(known('old'));
    await world.workAgain();
    expect(await world.openDecisions()).toEqual([]);
    expect(await world.link(rosasSlot)).toMatchObject({ remoteId: 'old', generation: 1, state: 'read' });
    expect(await world.server.own('Goal', goalName)).toMatchObject({ subject: { reference: 'Patient/old' } });
  });

  test('with somebody else under the id by then: it is asked who the client is', async () => {
    await lost();
    await world.server.seed(known('old', another));
    await world.workAgain();
    expect(await world.openDecisions()).toMatchObject([{ kind: 'patient-match', code: 'patient-replaced' }]);
    expect(await world.link(rosasSlot)).toMatchObject({ remoteId: null, state: 'parked', reason: 'patient-replaced' });
  });

  test('on a day on which very many are lost: all stay linked under one question, and a server that was ill ends it', async () => {
    await world.server.seed(known('old'));
    await world.send(...directoryAndClient());
    await sql`
      insert into mass_change (connection, cause, value, links, held)
      values ('general', 'restored-server', to_char(now() at time zone 'UTC', 'YYYY-MM-DD'), 500, 100)`.execute(
      world.store.db,
    );
    await world.server.faults({ method: 'GET', path: 'Patient/old', fault: { status: 404 } });
    await world.workAgain();
    await world.workAgain();
    expect(await world.openDecisions()).toMatchObject([
      { kind: 'mass-change', choices: ['go-on', 'stop'], detail: { held: 101, sample: [rosasSlot] } },
    ]);
    expect(await world.alerts()).toMatchObject([{ code: 'mass-change', count: 1 }]);
    expect(await world.link(rosasSlot)).toMatchObject({ remoteId: 'old', retired: false });
    await world.server.mend();
    await world.workAgain();
    expect([await world.openDecisions(), await world.alerts()]).toEqual([[], []]);
    expect(await world.link(rosasSlot)).toMatchObject({ remoteId: 'old', generation: 1, state: 'read' });
  });
});

describe('a survivor whom the server does not name', () => {
  test.each<[string, JsonObject]>([
    ['by a number alone', { identifier: { system: 'urn:oid:1.2.3', value: 'MRN-1' } }],
    ['on another server, under the id of somebody here', { reference: 'https://other.example.org/fhir/Patient/77' }],
  ])('%s: the client is looked for again, and nobody is taken for the survivor', async (_what, other) => {
    await sendCase();
    await world.server.seed(
      known('77', another),
      known('old', { active: false, link: [{ type: 'replaced-by', other }] }),
    );
    await world.workAgain();
    expect((await world.openDecisions()).map(({ kind }) => kind).sort()).toEqual(['patient-match', 'patient-merged']);
    expect(await world.link(rosasSlot)).toMatchObject({ remoteId: null, state: 'parked' });
    expect((await world.openDecisions()).find(({ kind }) => kind === 'patient-match')).toMatchObject({
      detail: { candidates: [{ id: 'old' }] },
    });
  });

  test('nor makes a patient of ours anew who was merged so', async () => {
    await world.send(...directoryAndClient());
    const ours = await world.server.own('Patient', 'county/client/client-rosa#patient');
    const other = { identifier: { system: 'urn:oid:1.2.3', value: 'MRN-1' } };
    await world.server.seed({ ...ours, active: false, link: [{ type: 'replaced-by', other }] });
    await world.workAgain();
    expect(await world.openDecisions()).toContainEqual(expect.objectContaining({ kind: 'patient-match' }));
    expect(await creates(world.server, 'Patient')).toBe(1);
  });

  test('by a reference to one version: that patient is followed', async () => {
    await sendCase();
    const link = [{ type: 'replaced-by', other: { reference: 'Patient/new/_history/1' } }];
    await world.server.seed(known('new'), known('old', { active: false, link }));
    await world.workAgain();
    expect(await world.link(rosasSlot)).toMatchObject({ remoteId: 'new' });
  });
});

describe('a linked patient whom the hospital switches off', () => {
  test('is a question, once, and what depends on the client waits', async () => {
    await sendCase();
    await world.server.seed(known('old', { active: false }));
    const { length } = await world.server.journal();
    await world.workAgain();
    await world.accept(['goal', aGoal({ id: 'goal-2', updatedAt: '2026-02-20T10:00:00-05:00' })]);
    await world.workAgain();
    expect(await world.openDecisions()).toMatchObject([
      { kind: 'patient-match', code: 'patient-inactive', choices: ['link:old', 'again', 'leave'] },
    ]);
    expect(await world.server.writes(length)).toEqual([]);
    expect(await world.link('goal/goal-2#goal')).toMatchObject({ state: 'waiting' });
    await world.decide('patient-match', 'link:old');
    await world.workAgain();
    await world.workAgain();
    expect(await world.openDecisions()).toEqual([]);
    expect(await world.link(rosasSlot)).toMatchObject({ remoteId: 'old', generation: 2 });
    expect(await world.server.own('Goal', 'county/goal/goal-2#goal')).toMatchObject({
      subject: { reference: 'Patient/old' },
    });
    expect(await world.link('goal/goal-meals#goal')).toMatchObject({ generation: 1, state: 'current' });
  });

  test('… answered "again": is shown beside another who may be the client', async () => {
    await sendCase();
    await world.server.seed(known('old', { active: false }), known('new'));
    await world.workAgain();
    await world.decide('patient-match', 'again');
    await world.work();
    expect(await world.openDecisions()).toMatchObject([
      {
        kind: 'patient-match',
        detail: { candidates: expect.arrayContaining([expect.objectContaining({ id: 'new' })]) },
      },
    ]);
  });
});

describe('a client who was linked, and is looked for again by the word of a person', () => {
  test.each<[string, JsonObject]>([
    ['switched off and renamed', { active: false, name: [{ family: 'DONOTUSE' }], identifier: [] }],
    ['somebody else by now', another],
  ])('where nobody is found is not made unasked; the patient was %s', async (_title, now) => {
    await sendCase();
    await world.server.seed(known('old', now));
    const { length } = await world.server.journal();
    await world.workAgain();
    await world.decide('patient-match', 'again');
    await world.work();
    await world.accept(['client', aClient({ phones: [], updatedAt: '2026-02-20T10:00:00-05:00' })]);
    await world.workAgain();
    expect(await world.server.writes(length)).toEqual([]);
    expect(await world.openDecisions()).toMatchObject([
      { kind: 'patient-match', code: 'patient-not-found', choices: ['create', 'again', 'leave'] },
    ]);
    expect(await world.link(rosasSlot)).toMatchObject({ remoteId: null, state: 'parked', reason: 'patient-not-found' });
    await world.decide('patient-match', 'create');
    await world.work();
    const made = await world.server.own('Patient', 'county/client/client-rosa#patient~2');
    expect(await world.server.own('Goal', `${goalName}~2`)).toMatchObject({
      subject: { reference: `Patient/${made.id}` },
    });
    expect(await world.server.own('Goal', goalName)).toMatchObject({ lifecycleStatus: 'entered-in-error' });
    expect(await world.openDecisions()).toEqual([]);
  });

  test('… nor after "leave", when the client record changes', async () => {
    await sendCase();
    await world.server.seed(known('old', { active: false, name: [{ family: 'DONOTUSE' }], identifier: [] }));
    await world.workAgain();
    await world.decide('patient-match', 'leave');
    await world.work();
    await world.send(['client', aClient({ phones: [], updatedAt: '2026-02-20T10:00:00-05:00' })]);
    expect(await world.openDecisions()).toMatchObject([{ code: 'patient-not-found' }]);
    expect(await creates(world.server, 'Patient')).toBe(0);
  });
});

describe('a merge that the hospital takes back', () => {
  const married = { identifier: [], name: [{ family: 'Delgado', given: ['Rosa Maria'] }], birthDate: '1984-06-18' };

  async function unmerged(): Promise<void> {
    await sendCase();
    await world.server.seed(known('new', married), known('old', replacedBy('new')));
    await world.workAgain();
    await world.send(['goal', aGoal({ id: 'goal-2', updatedAt: '2026-02-20T10:00:00-05:00' })]);
    expect(await world.link(rosasSlot)).toMatchObject({ remoteId: 'new' });
    await world.server.seed(known('old'));
  }

  test('is a question about the two, and nothing is sent until it is answered', async () => {
    await unmerged();
    const { length } = await world.server.journal();
    await world.workAgain();
    await world.accept(
      ['client', aClient({ phones: [], updatedAt: '2026-02-21T10:00:00-05:00' })],
      ['goal', aGoal({ id: 'goal-3', updatedAt: '2026-02-21T10:00:00-05:00' })],
    );
    await world.workAgain();
    expect((await world.openDecisions()).find(({ kind }) => kind === 'patient-match')).toMatchObject({
      code: 'patient-unmerged',
      choices: ['link:old', 'link:new', 'leave'],
    });
    expect(await world.server.writes(length)).toEqual([]);
  });

  test.each(['old', 'new'])('… answered "link:%s": all that is in force is in that chart', async (id) => {
    await unmerged();
    await world.workAgain();
    await world.decide('patient-match', `link:${id}`);
    await world.work();
    await world.workAgain();
    const goals = (await world.server.all('Goal')).filter(
      ({ lifecycleStatus }) => lifecycleStatus !== 'entered-in-error',
    );
    expect(goals).toMatchObject([
      { subject: { reference: `Patient/${id}` } },
      { subject: { reference: `Patient/${id}` } },
    ]);
    expect((await world.openDecisions()).map(({ kind }) => kind)).toEqual(['patient-merged']);
  });

  test('is no question while the former patient cannot be read, or is switched off', async () => {
    await unmerged();
    await world.server.faults({ path: 'Patient/old', times: 1, nth: 1, fault: { status: 403 } });
    await world.workAgain();
    expect((await world.openDecisions()).map(({ kind }) => kind)).toEqual(['patient-merged']);
    await world.server.seed(known('old', { active: false }));
    await world.workAgain();
    expect((await world.openDecisions()).map(({ kind }) => kind)).toEqual(['patient-merged']);
  });
});

test('a survivor of another given name and birth date is a question: siblings are the usual wrong merge', async () => {
  await sendCase();
  await world.server.seed(known('new', { name: [{ family: 'Delgado', given: ['Ana'] }], birthDate: '1986-01-01' }));
  await world.server.seed(known('old', replacedBy('new')));
  await world.workAgain();
  expect(await world.openDecisions()).toMatchObject([{ kind: 'patient-match', code: 'patient-merged-elsewhere' }]);
});

describe('a linked patient whom nobody may see', () => {
  const refusal = {
    resourceType: 'OperationOutcome',
    issue: [{ severity: 'error', code: 'security', diagnostics: 'Rosa Delgado' }],
  };

  test('parks the lane with a reason that names nobody; it is not asked again by itself', async () => {
    await sendCase();
    await world.server.faults({ path: 'Patient/old', fault: { status: 403, body: refusal } });
    await world.workAgain();
    expect(await world.lane(clientLane)).toMatchObject({ parked: 'patient-restricted', hasWork: false });
    const stored = await world.store.db.selectFrom('lane').select('parked').where('subject', '=', clientLane).execute();
    expect(JSON.stringify(stored)).not.toContain('Delgado');
    const { length } = await world.server.journal();
    await world.run(clientLane);
    expect(await world.server.journal(length)).toEqual([]);
  });

  test('is asked for again by an operator', async () => {
    await sendCase();
    await world.server.faults({ path: 'Patient/old', times: 1, nth: 1, fault: { status: 403, body: refusal } });
    await world.workAgain();
    const lane = { connection: 'general', subject: clientLane };
    await world.store.tx((trx) => raiseWanted(trx, [lane], { reread: true, unpark: true }));
    await world.work();
    expect(await world.lane(clientLane)).toMatchObject({ parked: undefined });
    expect(await world.link(rosasSlot)).toMatchObject({ state: 'read', reason: 'read-only-patient' });
  });
});
