// An id that the server has given to something else: after a restore its sequence runs on, or a person writes one thing over another. What stands
// there is neither taken over nor written to, nothing new points there, and a person is asked once (lanes.md 16).

import { describe, expect, test } from '@jest/globals';
import { type JsonObject, objectsAt, objectsIn } from '../../../src/json.ts';
import { sql } from '../../../src/store/store.ts';
import { aClient, aGoal, aNeed, anAppointment, anOrganization, aService } from '../../builders.ts';
import { caseload } from '../../support/caseload.ts';
import { mrn, rosa } from '../../support/patients.ts';
import { useWorld } from '../../support/world.ts';

const world = useWorld();
const need = 'need/need-food#condition';
const agency = 'organization/org-pantry#organization';
const patient = 'client/client-rosa#patient';
const later = '2026-02-20T10:00:00-05:00';

const changedNeed = () => aNeed({ description: 'Runs out of food in the second week.', updatedAt: later });

async function sendAll(): Promise<void> {
  await world.send(...caseload());
}

/** What a person would leave there who writes over the resource, or another system under the id that is free again. */
async function writtenOver(type: string, own: string, now: (was: JsonObject) => JsonObject): Promise<JsonObject> {
  const was = await world.server.own(type, own);
  const stranger = now(was);
  await world.server.seed({ resourceType: type, id: String(was.id), ...stranger });
  const { body } = await world.server.fhir('GET', `${type}/${was.id}`);
  return body;
}

/** Nothing has been written to it, nothing of it is offered, and there is one question. */
async function staysApart(stranger: JsonObject, name: string, choices: string[]): Promise<void> {
  await world.workAgain();
  const { body } = await world.server.fhir('GET', `${stranger.resourceType}/${stranger.id}`);
  expect(body).toEqual(stranger);
  expect(await world.changes()).toEqual([]);
  expect(await world.openDecisions()).toMatchObject([{ kind: 'remote-gone', code: 'remote-replaced', choices }]);
  expect(await world.link(name)).toMatchObject({ state: 'parked', reason: 'remote-replaced' });
}

describe('another thing under the id of ours, which does not bear our identifier', () => {
  const strangers = () => writtenOver('Organization', `county/${agency}`, () => ({ name: 'Strangers 1' }));
  const newName = () => world.accept(['organization', anOrganization({ name: 'Elm Pantry', updatedAt: later })]);

  test('is not offered to the source and not written over: a person is asked once', async () => {
    await sendAll();
    const stranger = await strangers();
    await staysApart(stranger, agency, ['recreate', 'ours', 'leave']);
    await newName();
    await staysApart(stranger, agency, ['recreate', 'ours', 'leave']);
  });

  test('is not pointed at by anything new, and what is made anew in its place is', async () => {
    await sendAll();
    const stranger = await strangers();
    await world.workAgain();
    await world.send(['service', aService({ id: 'service-2', updatedAt: later })]);
    expect(await world.server.own('HealthcareService', 'county/service/service-2#service')).not.toHaveProperty(
      'providedBy',
    );
    await world.decide('remote-gone', 'recreate');
    await world.work();
    const again = await world.server.own('Organization', `county/${agency}~2`);
    expect(again.id).not.toBe(stranger.id);
    expect(await world.server.own('HealthcareService', 'county/service/service-2#service')).toMatchObject({
      providedBy: { reference: `Organization/${again.id}` },
    });
    const { body } = await world.server.fhir('GET', `Organization/${stranger.id}`);
    expect(body).toEqual(stranger);
  });

  test('answered "ours": it is read and written again, and bears our identifier again', async () => {
    await sendAll();
    const { id } = await strangers();
    await world.workAgain();
    await world.decide('remote-gone', 'ours');
    await newName();
    await world.work();
    expect(await world.server.own('Organization', `county/${agency}`)).toMatchObject({ id, name: 'Elm Pantry' });
    expect(await world.link(agency)).toMatchObject({ state: 'current', generation: 1 });
  });

  test('gone again, with ours back in its place: the question answers itself', async () => {
    await sendAll();
    const ours = await world.server.own('Organization', `county/${agency}`);
    await strangers();
    await world.workAgain();
    await world.server.seed(ours);
    await newName();
    await world.workAgain();
    expect(await world.openDecisions()).toEqual([]);
    expect(await world.server.own('Organization', `county/${agency}`)).toMatchObject({ name: 'Elm Pantry' });
  });

  test('ours, of which somebody has only taken our identifier off, is written on: a person is asked about that alone', async () => {
    await sendAll();
    const { id } = await writtenOver('Organization', `county/${agency}`, ({ identifier: _ours, ...rest }) => rest);
    await world.workAgain();
    expect(await world.openDecisions()).toMatchObject([{ code: 'remote-edit', choices: ['ours', 'theirs'] }]);
    expect(await world.link(agency)).toMatchObject({ state: 'current', remoteId: id });
    await world.decide('conflict', 'ours');
    await newName();
    await world.work();
    expect(await world.server.own('Organization', `county/${agency}`)).toMatchObject({ id, name: 'Elm Pantry' });
  });

  test('ours, which a partner has edited, is offered to the source as ever', async () => {
    await sendAll();
    await writtenOver('Organization', `county/${agency}`, (ours) => ({ ...ours, name: 'Elm Street' }));
    await world.workAgain();
    expect(await world.openDecisions()).toEqual([]);
    expect(await world.changes()).toMatchObject([{ body: { name: 'Elm Street' } }]);
  });
});

describe('another thing under the id of ours, on a day on which very many were lost', () => {
  const massLost = (state: string) =>
    sql`
      insert into mass_change (connection, cause, value, links, held, state)
      values ('general', 'restored-server', to_char(now() at time zone 'UTC', 'YYYY-MM-DD'), 500, 101, ${state})`.execute(
      world.store.db,
    );
  const renamed = () => writtenOver('Organization', `county/${agency}`, () => ({ name: 'Strangers 1' }));
  const notShown = async () => {
    const { id } = await world.server.own('Organization', `county/${agency}`);
    await world.server.faults({ method: 'GET', path: `Organization/${id}`, fault: { status: 404 } });
    await world.workAgain();
  };

  test.each(['go-on', 'stop'])('is a question of its own although "%s" was said of those', async (answer) => {
    await massLost(answer);
    await sendAll();
    await staysApart(await renamed(), agency, ['recreate', 'ours', 'leave']);
    expect(await world.server.all('Organization')).toHaveLength(2);
  });

  test('also where it had been lost before: no answer about the others is about it', async () => {
    await massLost('held');
    await sendAll();
    await notShown();
    expect(await world.openDecisions()).toMatchObject([{ kind: 'mass-change' }]);
    await renamed();
    await world.server.mend();
    await world.workAgain();
    expect(await world.openDecisions()).toMatchObject([
      { kind: 'remote-gone', code: 'remote-replaced', choices: ['recreate', 'ours', 'leave'] },
    ]);
  });

  test('… and asked about alone: the question tells what stands there now', async () => {
    await sendAll();
    await notShown();
    expect(await world.openDecisions()).toMatchObject([{ code: 'remote-gone', choices: ['recreate', 'leave'] }]);
    await renamed();
    await world.server.mend();
    await world.workAgain();
    expect(await world.openDecisions()).toMatchObject([
      { code: 'remote-replaced', choices: ['recreate', 'ours', 'leave'] },
    ]);
  });
});

describe('what a poll has seen under the id of ours', () => {
  test('is held against the same', async () => {
    await sendAll();
    const { subject, id } = await world.server.own('Condition', `county/${need}`);
    await world.server.fhir('PUT', `Condition/${id}`, {
      resourceType: 'Condition',
      id: String(id),
      ...(subject && { subject }),
      category: [
        { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/condition-category', code: 'problem-list-item' }] },
      ],
      code: { text: 'Gout' },
    });
    await world.poll();
    await world.work();
    const { body } = await world.server.fhir('GET', `Condition/${id}`);
    await world.accept(['need', changedNeed()]);
    await staysApart(body, need, ['recreate', 'ours', 'leave']);
  });
});

describe('a thing of ours that is in the chart of a patient whom the client has never been', () => {
  const harold: JsonObject = {
    resourceType: 'Patient',
    id: 'harold',
    name: [{ family: 'Baker', given: ['Harold'] }],
    birthDate: '1944-05-05',
    gender: 'male',
  };
  const intoHis = (was: JsonObject) => ({ ...was, subject: { reference: 'Patient/harold' }, code: { text: 'Gout' } });

  test.each([
    ['with our identifier', intoHis],
    ['without it', (was: JsonObject) => ({ ...intoHis(was), identifier: [] })],
  ])('%s: nothing is taken from it or written to it', async (_title, now) => {
    await sendAll();
    await world.server.seed(harold);
    const stranger = await writtenOver('Condition', `county/${need}`, now);
    await world.accept(['need', changedNeed()]);
    await staysApart(stranger, need, ['recreate', 'leave']);
  });

  async function intoHisWhileThePatient(status: number): Promise<JsonObject> {
    await world.server.seed(harold, { ...harold, ...rosa('rosa', { identifier: [mrn] }) });
    await sendAll();
    const stranger = await writtenOver('Condition', `county/${need}`, intoHis);
    await world.server.faults({ method: 'GET', path: 'Patient/rosa', fault: { status } });
    await world.accept(['goal', aGoal({ statement: 'I want three meals a day.', updatedAt: later })]);
    await world.workAgain();
    return stranger;
  }

  test('is asked about once it can be told that their patient stands; until then the rest of the case goes out, and the lane is tried on', async () => {
    const stranger = await intoHisWhileThePatient(503);
    const lane = 'county.case.case-rosa';
    expect(await world.lane(lane)).toMatchObject({ hasWork: true, reason: 'server-busy' });
    expect(await world.openDecisions()).toEqual([]);
    expect(await world.link(need)).toMatchObject({ state: 'parked', reason: 'remote-replaced' });
    expect(await world.server.own('Goal', 'county/goal/goal-meals#goal')).toMatchObject({
      description: { text: 'I want three meals a day.' },
    });
    await world.server.mend();
    await world.work();
    expect(await world.lane(lane)).toMatchObject({ hasWork: false });
    await staysApart(stranger, need, ['recreate', 'leave']);
  });

  test('is asked about where nobody may see their patient', async () => {
    await intoHisWhileThePatient(403);
    expect(await world.openDecisions()).toContainEqual(
      expect.objectContaining({ kind: 'remote-gone', code: 'remote-replaced', choices: ['recreate', 'leave'] }),
    );
  });

  test('is not forgotten without a word when its record is deleted', async () => {
    await sendAll();
    await world.server.seed(harold);
    const stranger = await writtenOver('Condition', `county/${need}`, intoHis);
    await world.accept(['need', aNeed({ deleted: true, updatedAt: later })]);
    await staysApart(stranger, need, ['recreate', 'leave']);
    await world.decide('remote-gone', 'leave');
    await world.work();
    expect(await world.link(need)).toMatchObject({ retired: true });
    expect((await world.server.fhir('GET', `Condition/${stranger.id}`)).body).toEqual(stranger);
  });
});

describe('an appointment of ours in which another patient takes part too', () => {
  const visit = 'county/appointment/appointment-visit#appointment';
  const mother: JsonObject = {
    resourceType: 'Patient',
    id: 'mother',
    name: [{ family: 'Delgado', given: ['Ines'] }],
    birthDate: '1958-02-02',
    gender: 'female',
  };
  const participantsOf = ({ participant }: JsonObject): JsonObject[] => objectsIn(participant);
  const ofMother: JsonObject = { actor: { reference: 'Patient/mother' }, status: 'accepted' };

  /** The hospital adds her as the first of them. */
  async function addMother(): Promise<JsonObject[]> {
    await sendAll();
    await world.send(['appointment', anAppointment()]);
    await world.server.seed(mother);
    const now = await writtenOver('Appointment', visit, (was) => ({
      ...was,
      participant: [ofMother, ...participantsOf(was)],
    }));
    await world.workAgain();
    return participantsOf(now).slice(1);
  }

  test('is ours still: nobody is asked, and her acceptance is not taken for the client’s', async () => {
    await addMother();
    expect(await world.openDecisions()).toEqual([]);
    expect(await world.changes()).toEqual([]);
    expect(await world.link('appointment/appointment-visit#appointment')).toMatchObject({ state: 'current' });
  });

  test('is written on, and she stays in it', async () => {
    const [client, worker] = await addMother();
    await world.accept(['appointment', anAppointment({ status: 'confirmed', title: 'At noon', updatedAt: later })]);
    await world.workAgain();
    expect(await world.server.own('Appointment', visit)).toMatchObject({
      description: 'At noon',
      participant: [ofMother, { ...client, status: 'accepted' }, { ...worker, status: 'accepted' }],
    });
    expect(await world.openDecisions()).toEqual([]);
  });

  test('… and what the hospital says of the client there is offered', async () => {
    const [client, worker] = await addMother();
    await writtenOver('Appointment', visit, (was) => ({
      ...was,
      participant: [ofMother, { ...client, status: 'accepted' }, { ...worker }],
    }));
    await world.workAgain();
    expect(await world.changes()).toMatchObject([{ type: 'appointment', body: { status: 'confirmed' } }]);
  });

  test('and the client no more is about somebody else: a person is asked', async () => {
    const [, worker] = await addMother();
    const stranger = await writtenOver('Appointment', visit, (was) => ({
      ...was,
      participant: [ofMother, { ...worker }],
    }));
    await staysApart(stranger, 'appointment/appointment-visit#appointment', ['recreate', 'leave']);
  });
});

describe('another record of ours under the id', () => {
  test('is not written over', async () => {
    await sendAll();
    const stranger = await writtenOver('Goal', 'county/goal/goal-meals#goal', (was) => ({
      ...was,
      identifier: [{ system: identifierOf(was).system, value: 'county/goal/goal-9#goal' }],
    }));
    await world.accept(['goal', aGoal({ statement: 'I want three meals a day.', updatedAt: later })]);
    await staysApart(stranger, 'goal/goal-meals#goal', ['recreate', 'leave']);
  });
});

describe('an appointment of ours', () => {
  const visit = 'appointment/appointment-visit#appointment';
  const patientAt = (id: string): JsonObject => ({ actor: { reference: `Patient/${id}` }, status: 'accepted' });
  const sendVisit = async () => {
    await world.send(...caseload(), ['appointment', anAppointment()]);
    await world.server.seed({ resourceType: 'Patient', id: 'mother' });
  };
  const withParticipants = (change: (participants: JsonObject[]) => JsonObject[]) =>
    writtenOver('Appointment', `county/${visit}`, (was) => ({
      ...was,
      participant: change(objectsAt(was, 'participant')),
    }));

  test('to which another patient has been added, before ours, is ours and is written on', async () => {
    await sendVisit();
    const { id } = await withParticipants((participants) => [patientAt('mother'), ...participants]);
    await world.accept(['appointment', anAppointment({ title: 'Visit at home', updatedAt: later })]);
    await world.workAgain();
    const { body } = await world.server.fhir('GET', `Appointment/${id}`);
    expect(body.description).toBe('Visit at home');
    expect(objectsAt(body, 'participant')).toContainEqual(patientAt('mother'));
    expect((await world.openDecisions()).filter(({ kind }) => kind === 'remote-gone')).toEqual([]);
  });

  test('in which another patient stands in the place of ours is not', async () => {
    await sendVisit();
    const stranger = await withParticipants((participants) => [patientAt('mother'), ...participants.slice(1)]);
    await staysApart(stranger, visit, ['recreate', 'leave']);
  });
});

function identifierOf({ identifier }: JsonObject): { system: string } {
  const [first] = Array.isArray(identifier) ? identifier : [];
  return { system: String(Object(first).system) };
}

describe('somebody else under the id of the client', () => {
  const other = { name: [{ family: 'Baker', given: ['Harold'] }], birthDate: '1944-05-05', gender: 'male' };
  const found = rosa('rosa', { identifier: [mrn] });
  const newThings = () =>
    world.accept(
      ['need', aNeed({ id: 'need-2', updatedAt: later })],
      ['client', aClient({ phones: [{ id: 'p1', number: '555-0199' }], updatedAt: later })],
    );

  /** Nothing goes to the chart, nothing comes from it, and nobody is linked. */
  async function nobodyIsLinked(id: string, choices: string[]): Promise<void> {
    const { body } = await world.server.fhir('GET', `Patient/${id}`);
    await world.workAgain();
    expect(await world.openDecisions()).toMatchObject([{ kind: 'patient-match', code: 'patient-replaced', choices }]);
    await newThings();
    await world.workAgain();
    expect((await world.server.fhir('GET', `Patient/${id}`)).body).toEqual(body);
    expect(await world.changes()).toEqual([]);
    expect(await world.server.all('Condition')).toHaveLength(1);
  }

  test('whom we had found: a person is asked, and nothing goes there', async () => {
    await world.server.seed(found);
    await sendAll();
    await world.server.seed({ ...found, ...other, identifier: [] });
    await nobodyIsLinked('rosa', ['link:rosa', 'create', 'again', 'leave']);
  });

  test('whom we had made: a person is asked, and nothing goes there', async () => {
    await sendAll();
    const { id } = await world.server.own('Patient', `county/${patient}`);
    await world.server.seed({ resourceType: 'Patient', id: String(id), ...other });
    await nobodyIsLinked(String(id), [`link:${id}`, 'create', 'again', 'leave']);
  });

  test('… answered "create": the client is made anew, and what is in the old chart is taken back there', async () => {
    await sendAll();
    const { id } = await world.server.own('Patient', `county/${patient}`);
    await world.server.seed({ resourceType: 'Patient', id: String(id), ...other });
    await world.workAgain();
    await world.decide('patient-match', 'create');
    await world.work();
    const made = await world.server.own('Patient', `county/${patient}~2`);
    expect(made.id).not.toBe(id);
    expect(await world.server.own('Condition', `county/${need}~2`)).toMatchObject({
      subject: { reference: `Patient/${made.id}` },
    });
    expect(JSON.stringify((await world.server.own('Condition', `county/${need}`)).verificationStatus)).toContain(
      'entered-in-error',
    );
  });

  test('… answered "link": it is the client all the same, and stays so when its phone changes', async () => {
    await world.server.seed(found);
    await sendAll();
    await world.server.seed({ ...found, ...other });
    await world.workAgain();
    await world.decide('patient-match', 'link:rosa');
    await world.work();
    await world.server.seed({ ...found, ...other, telecom: [{ system: 'phone', value: '555-0100' }] });
    await world.workAgain();
    expect(await world.openDecisions()).toEqual([]);
    expect(await world.link(patient)).toMatchObject({ remoteId: 'rosa', state: 'read' });
  });

  test('with a new family name alone it is the same person: nobody is asked', async () => {
    await world.server.seed(found);
    await sendAll();
    await world.server.seed({ ...found, name: [{ family: 'Ortiz', given: ['Rosa'] }] });
    await world.workAgain();
    expect(await world.openDecisions()).toEqual([]);
    expect(await world.link(patient)).toMatchObject({ remoteId: 'rosa', state: 'read' });
  });
});

describe('a directory entry that was found by its number', () => {
  const npi = '1234567893';
  const elm = {
    resourceType: 'Organization',
    id: 'elm',
    active: true,
    name: 'ELM STREET PANTRY INC',
    identifier: [{ system: 'http://hl7.org/fhir/sid/us-npi', value: npi }],
  };
  const pantry = () => anOrganization({ identifiers: [{ kind: 'npi', value: npi }] });

  test('and is under its id another one by now: a person is asked, and it can be looked for once more', async () => {
    await world.server.seed(elm);
    await world.send(['organization', pantry()]);
    await world.server.seed({ resourceType: 'Organization', id: 'elm', name: 'Strangers 1' }, { ...elm, id: 'elm-2' });
    await world.workAgain();
    expect(await world.openDecisions()).toMatchObject([
      { code: 'remote-replaced', choices: ['recreate', 'ours', 'leave'] },
    ]);
    await world.decide('remote-gone', 'recreate');
    await world.work();
    expect(await world.link(agency)).toMatchObject({ remoteId: 'elm-2', origin: 'found' });
    expect(await world.server.writes()).toEqual([]);
  });

  test('and has another name by now is the same: nobody is asked', async () => {
    await world.server.seed(elm);
    await world.send(['organization', pantry()]);
    await world.server.seed({ ...elm, name: 'Maple Street Pantry' });
    await world.workAgain();
    expect(await world.openDecisions()).toEqual([]);
    expect(await world.link(agency)).toMatchObject({ remoteId: 'elm', state: 'read' });
  });
});
