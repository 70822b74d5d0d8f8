// "Wrong patient": a person says who a client is. What was in the wrong chart is taken back there and made anew in the right one, and a
// person is told what it was (lanes.md 17). No Patient is ever written.

import { describe, expect, test } from '@jest/globals';
import { reason } from '../../../src/errors.ts';
import type { JsonObject } from '../../../src/json.ts';
import { openDecision } from '../../../src/lanes/decisions/decisions.ts';
import { relinkPatient, requirePatient } from '../../../src/lanes/lanes.ts';
import { patientOf } from '../../../src/lanes/patients/patient-of.ts';
import { aClient, aGoal, anAppointment } from '../../builders.ts';
import { caseload, caseTypes } from '../../support/caseload.ts';
import { mrn, rosa, rosasSlot } from '../../support/patients.ts';
import { creates, useWorld } from '../../support/world.ts';

const world = useWorld();
const goalName = 'county/goal/goal-meals#goal';
const chartTypes = [...caseTypes, 'Appointment'];

/** Rosa is linked to Patient/wrong, and her case is in that chart. Patient/right is there too. */
async function sendCaseToWrongChart(): Promise<void> {
  await world.server.seed(rosa('wrong', { identifier: [mrn] }), rosa('right', { birthDate: '1984-07-16' }));
  await world.send(...caseload(), ['appointment', anAppointment()]);
  expect(await world.link(rosasSlot)).toMatchObject({ remoteId: 'wrong' });
}

/** Nothing in it makes another person of her. */
const newPhone = aClient({
  phones: [{ id: 'p1', number: '(518) 555-0199', kind: 'voice' }],
  updatedAt: '2026-02-20T10:00:00-05:00',
});

function say(patient: string | null) {
  const asked = { connection: 'general', source: 'county', clientId: 'client-rosa', patient, by: 'ida' };
  return relinkPatient(world.store, { ...asked, note: 'the other Rosa' });
}

/** What is in force on the server, by the patient that it names. */
async function inForce(): Promise<Record<string, string[]>> {
  const found: Record<string, string[]> = {};
  for (const type of chartTypes) {
    for (const resource of await world.server.all(type)) {
      if (isEnteredInError(resource)) continue;
      const name = `Patient/${patientOf(resource)}`;
      found[name] = [...(found[name] ?? []), type];
    }
  }
  return found;
}

function isEnteredInError({ status, lifecycleStatus, verificationStatus }: JsonObject): boolean {
  return [status, lifecycleStatus, JSON.stringify(verificationStatus ?? '')].some((value) =>
    String(value).includes('entered-in-error'),
  );
}

describe('a client who turns out to be another patient', () => {
  test('everything in the wrong chart is marked entered in error and made anew in the right one', async () => {
    await sendCaseToWrongChart();
    const before = await inForce();
    const answer = await say('right');
    await world.work();
    expect(answer).toMatchObject({ was: 'wrong', now: 'right' });
    expect(answer.written.map(({ resourceType }) => resourceType).sort()).toEqual(before['Patient/wrong']?.toSorted());
    expect(await inForce()).toEqual({ 'Patient/right': before['Patient/wrong'] });
    expect(await world.link(rosasSlot)).toMatchObject({
      generation: 2,
      remoteId: 'right',
      origin: 'found',
      state: 'read',
    });
    expect(await world.link('goal/goal-meals#goal')).toMatchObject({ generation: 2, state: 'current' });
    expect(await world.server.own('Goal', `${goalName}~2`)).toMatchObject({ subject: { reference: 'Patient/right' } });
    expect(await world.server.own('Goal', goalName)).toMatchObject({ subject: { reference: 'Patient/wrong' } });
  });

  test('what points at each other does so in the new chart too', async () => {
    await sendCaseToWrongChart();
    await say('right');
    await world.work();
    const goal = await world.server.own('Goal', `${goalName}~2`);
    const plan = await world.server.own('CarePlan', 'county/carePlan/plan-rosa#plan~2');
    expect(plan.goal).toEqual([{ reference: `Goal/${goal.id}` }]);
  });

  test('an appointment names the patient among its participants: it is not rewritten, but made anew', async () => {
    await sendCaseToWrongChart();
    await say('right');
    await world.work();
    const name = 'county/appointment/appointment-visit#appointment';
    const [old, anew] = [
      await world.server.own('Appointment', name),
      await world.server.own('Appointment', `${name}~2`),
    ];
    expect(old).toMatchObject({ status: 'entered-in-error', participant: [patientActor('wrong'), {}] });
    expect(anew).toMatchObject({ status: 'booked', participant: [patientActor('right'), {}] });
  });

  test('neither patient is written, and a second pass writes nothing', async () => {
    await sendCaseToWrongChart();
    await say('right');
    await world.work();
    const { length } = await world.server.journal();
    await world.workAgain();
    expect(await world.server.writes(length)).toEqual([]);
    for (const patient of await world.server.all('Patient'))
      expect(patient).toMatchObject({ meta: { versionId: '1' } });
  });

  test('a person is told what had been written to the wrong chart, with ids and times, and nothing more', async () => {
    await sendCaseToWrongChart();
    const { id } = await world.server.own('Goal', goalName);
    const { written } = await say('right');
    expect(await world.openDecisions()).toMatchObject([
      {
        kind: 'patient-relinked',
        code: 'patient-relinked',
        choices: ['noted'],
        detail: { was: 'wrong', now: 'right', madeByUs: false },
      },
    ]);
    expect(written).toContainEqual({
      resourceType: 'Goal',
      id,
      slot: 'goal/goal-meals#goal',
      at: expect.stringMatching(/^20\d\d-/),
      takenBack: false,
    });
    expect(JSON.stringify(await world.openDecisions())).not.toMatch(/Delgado|1984/);
    await world.decide('patient-relinked', 'noted');
    await world.work();
    expect(await world.openDecisions()).toEqual([]);
  });

  test('who said so, and why, is kept', async () => {
    await sendCaseToWrongChart();
    await say('right');
    const rows = await world.store.db.selectFrom('decision').selectAll().where('state', '=', 'decided').execute();
    expect(rows).toMatchObject([{ choice: 'link:right', decided_by: 'ida', note: 'the other Rosa', topic: 'patient' }]);
  });

  test('said twice: nothing changes the second time', async () => {
    await sendCaseToWrongChart();
    await say('right');
    await world.work();
    const { length } = await world.server.journal();
    expect(await say('right')).toEqual({ was: 'right', now: 'right', written: [] });
    await world.work();
    expect(await world.server.writes(length)).toEqual([]);
    expect(await world.link(rosasSlot)).toMatchObject({ generation: 2 });
  });

  test('said while a plan is about to be sent: that plan is not sent', async () => {
    await sendCaseToWrongChart();
    await world.accept([
      'goal',
      aGoal({ statement: 'I want three meals a day.', updatedAt: '2026-02-20T10:00:00-05:00' }),
    ]);
    world.beforeNextWrite(async () => {
      await say('right');
    });
    await world.work();
    expect(Object.keys(await inForce())).toEqual(['Patient/right']);
  });

  test('and back again: each chart holds what is in force for it', async () => {
    await sendCaseToWrongChart();
    const before = await inForce();
    await say('right');
    await world.work();
    await say('wrong');
    await world.work();
    expect(await inForce()).toEqual(before);
    expect(await world.link(rosasSlot)).toMatchObject({ generation: 3, remoteId: 'wrong' });
  });
});

describe('what the server does not let us take back', () => {
  test('is given to a person, and made in the right chart all the same', async () => {
    await sendCaseToWrongChart();
    const { id } = await world.server.own('Goal', goalName);
    const refusal = { resourceType: 'OperationOutcome', issue: [{ severity: 'error', code: 'business-rule' }] };
    await world.server.settings({ transactions: false });
    await world.store.db.updateTable('connection').set({ capabilities: null, capabilities_at: null }).execute();
    await world.server.faults(
      { method: 'PUT', path: `Goal/${id}`, fault: { status: 422, body: refusal } },
      { method: 'POST', path: '$', fault: { status: 422, body: refusal } },
    );
    await say('right');
    await world.work();
    const misfiled = (await world.openDecisions()).find(({ kind }) => kind === 'misfiled');
    expect(misfiled).toMatchObject({
      code: 'misfiled',
      detail: { resourceType: 'Goal', id, patient: 'Patient/wrong' },
      choices: ['done'],
    });
    expect(await world.link('goal/goal-meals#goal')).toMatchObject({ generation: 2, state: 'current' });
    const puts = (await world.server.journal()).filter(
      ({ method, url }) => method === 'PUT' && String(url).includes(`Goal/${id}`),
    );
    expect(puts).toHaveLength(1);

    const { length } = await world.server.journal();
    await world.decide('misfiled', 'done');
    await world.workAgain();
    expect((await world.openDecisions()).map(({ kind }) => kind)).toEqual(['patient-relinked']);
    expect(await world.server.writes(length)).toEqual([]);
  });
});

describe('a client who is nobody there', () => {
  test('is unlinked: the wrong chart is cleared, nothing new goes out, nobody is looked for or asked again', async () => {
    await sendCaseToWrongChart();
    expect(await say(null)).toMatchObject({ was: 'wrong', now: null });
    await world.work();
    await world.workAgain();
    expect(await inForce()).toEqual({});
    expect(await world.link(rosasSlot)).toMatchObject({ state: 'parked', reason: 'patient-left', remoteId: null });
    for (const name of ['goal/goal-meals#goal', 'appointment/appointment-visit#appointment'])
      expect(await world.link(name)).toMatchObject({ generation: 2, state: 'waiting' });
    expect(await world.openDecisions()).toMatchObject([{ kind: 'patient-relinked', code: 'patient-unlinked' }]);
  });

  test('is asked about no more what the two sides say of that patient', async () => {
    await sendCaseToWrongChart();
    const key = { type: 'client', id: 'client-rosa', slot: 'patient' } as const;
    const lane = { connection: 'general', subject: 'county.client.client-rosa', source: 'county' };
    await world.store.tx(async (trx) => {
      for (const kind of ['conflict', 'remote-gone'] as const)
        await openDecision(trx, lane, {
          kind,
          topic: kind,
          key,
          reason: reason('merge-conflict', { element: 'telecom', target: 'client/client-rosa#patient' }),
          detail: { element: 'telecom', ours: null, theirs: null, patch: {} },
          choices: [{ choose: 'ours', effect: 'x' }],
        });
    });
    await say(null);
    expect((await world.openDecisions()).map(({ kind }) => kind)).toEqual(['patient-relinked']);
  });

  test('is looked for again when the client record changes', async () => {
    await sendCaseToWrongChart();
    await say(null);
    await world.work();
    await world.send([
      'client',
      aClient({ identifiers: [], birthDate: '1984-07-16', updatedAt: '2026-02-20T10:00:00-05:00' }),
    ]);
    expect(await world.openDecisions()).toContainEqual(expect.objectContaining({ kind: 'patient-match' }));
  });

  test('is asked about, not linked again, when the record changes and the denied patient is the certain hit', async () => {
    await sendCaseToWrongChart();
    await say(null);
    await world.work();
    await world.send(['client', newPhone]);
    await world.workAgain();
    expect(await world.openDecisions()).toContainEqual(
      expect.objectContaining({
        kind: 'patient-match',
        code: 'patient-denied',
        choices: ['link:wrong', 'create', 'again', 'leave'],
        detail: expect.objectContaining({ candidates: [expect.objectContaining({ id: 'wrong', deniedBy: 'ida' })] }),
      }),
    );
    expect(await world.link(rosasSlot)).toMatchObject({ remoteId: null, state: 'parked', reason: 'patient-denied' });
    expect(await inForce()).toEqual({});
  });

  test('… and answered "it is that one": the word of the later person holds', async () => {
    await sendCaseToWrongChart();
    await say(null);
    await world.work();
    await world.send(['client', newPhone]);
    await world.decide('patient-match', 'link:wrong');
    await world.work();
    expect(Object.keys(await inForce())).toEqual(['Patient/wrong']);
  });

  test('may be said to be somebody later', async () => {
    await sendCaseToWrongChart();
    await say(null);
    await world.work();
    await say('right');
    await world.work();
    expect(Object.keys(await inForce())).toEqual(['Patient/right']);
  });
});

test('a patient that we made ourselves stays as it is, and the person is told that it is ours', async () => {
  await world.send(...caseload());
  expect(await creates(world.server, 'Patient')).toBe(1);
  await world.server.seed(rosa('right'));
  await say('right');
  await world.work();
  const ours = await world.server.own('Patient', 'county/client/client-rosa#patient');
  expect(ours).toMatchObject({ meta: { versionId: '1' } });
  expect(await world.openDecisions()).toMatchObject([{ detail: { madeByUs: true, was: ours.id } }]);
  expect(Object.keys(await inForce())).toEqual(['Patient/right']);
});

test('a question about who the client is ends with the word', async () => {
  await world.server.seed(rosa('p1'), rosa('p2'));
  await world.send(...caseload());
  expect(await world.openDecisions()).toMatchObject([{ kind: 'patient-match' }]);
  expect(await say('p2')).toEqual({ was: null, now: 'p2', written: [] });
  await world.work();
  expect(await world.openDecisions()).toEqual([]);
  expect(Object.keys(await inForce())).toEqual(['Patient/p2']);
});

describe('what is refused', () => {
  test('a client that the source does not have', async () => {
    await expect(say('p1')).rejects.toMatchObject({ code: 'record-unknown' });
  });

  test.each([
    ['that is not there', 'nobody', 'patient-unknown', undefined],
    ['that was merged away', 'old', 'patient-merged', undefined],
    ['whom we may not see', 'p1', 'patient-restricted', { status: 403, body: outcome('security') }],
    ['while the server is down', 'p1', 'patient-unreadable', { status: 503 }],
  ])('a patient %s', async (_what, id, code, fault) => {
    const link = [{ type: 'replaced-by', other: { reference: 'Patient/p1' } }];
    await world.server.seed(rosa('p1'), rosa('old', { active: false, link }));
    if (fault !== undefined) await world.server.faults({ path: 'Patient', fault });
    const connection = world.deps.connections.get('general');
    if (connection === undefined) throw new Error('no connection');
    await expect(requirePatient(connection, id)).rejects.toMatchObject({ code });
  });

  test('nobody who is there as named', async () => {
    await world.server.seed(rosa('p1'));
    const connection = world.deps.connections.get('general');
    if (connection === undefined) throw new Error('no connection');
    await expect(requirePatient(connection, 'p1')).resolves.toBeUndefined();
  });
});

function patientActor(id: string): JsonObject {
  return { actor: { reference: `Patient/${id}` } };
}

function outcome(code: string): JsonObject {
  return { resourceType: 'OperationOutcome', issue: [{ severity: 'error', code }] };
}
