// A record that moves to another case or client: what it has on a server goes with it. It is never made a second time, and never left in the chart of a
// client whose it is not (lanes.md 9, 16, 17). Told by the server's own store and journal.

import { beforeEach, describe, expect, test } from '@jest/globals';
import { isObject } from '../../../src/json.ts';
import { relinkPatient } from '../../../src/lanes/lanes.ts';
import { sql } from '../../../src/store/store.ts';
import { aCase, aClient, aConsent, aGoal, aNeed, anAppointment, aReferral } from '../../builders.ts';
import { directoryAndClient, type Item } from '../../support/caseload.ts';
import { aConnection } from '../../support/rig.ts';
import { creates, partnerEdits, useWorld } from '../../support/world.ts';

const world = useWorld();
const later = '2026-02-20T10:00:00-05:00';
const name = 'goal/goal-meals#goal';
const rosas = 'county.case.case-rosa';

/** Another client, whom the same server knows as another patient. */
const lee: Item = [
  'client',
  aClient({
    id: 'client-lee',
    names: [{ use: 'legal', given: ['Lee'], family: 'Okonkwo' }],
    birthDate: '1970-05-05',
    identifiers: [],
    phones: [],
  }),
];
const leesCase: Item = ['case', aCase({ id: 'case-lee', clientId: 'client-lee' })];
const secondCase: Item = ['case', aCase({ id: 'case-two' })];

const toSecondCase: Parameters<typeof aGoal>[0] = { caseId: 'case-two', updatedAt: later };
const toLee: Parameters<typeof aGoal>[0] = {
  clientId: 'client-lee',
  caseId: 'case-lee',
  needIds: [],
  updatedAt: later,
};

const move = (change: Parameters<typeof aGoal>[0]) => world.accept(['goal', aGoal(change)]);

/** Rosa's case is on the server, and the case or client that the goal is to move to. */
async function begin(...items: readonly Item[]): Promise<void> {
  await world.send(...directoryAndClient(), ['case', aCase()], ['need', aNeed()], ['goal', aGoal()], ...items);
}

/** By the family name in whose chart they are, the goals that stand there. */
async function goals(): Promise<[string, string][]> {
  const patients = new Map(
    (await world.server.all('Patient')).map(({ id, name: names }) => [
      `Patient/${id}`,
      String(Array.isArray(names) && isObject(names[0]) ? names[0].family : ''),
    ]),
  );
  const standing = (await world.server.all('Goal')).filter(
    ({ lifecycleStatus }) => lifecycleStatus !== 'entered-in-error',
  );
  return standing.map(({ id, subject }): [string, string] => [
    patients.get(String(isObject(subject) ? subject.reference : '')) ?? 'nobody',
    String(id),
  ]);
}

async function charts(): Promise<string[]> {
  return (await goals()).map(([family]) => family).sort();
}

/** Nothing is left to do, nobody is asked, and a second look writes nothing. */
async function expectRest(): Promise<void> {
  const { length } = await world.server.journal();
  await world.workAgain();
  expect(await world.server.writes(length)).toEqual([]);
  const open = await world.store.db.selectFrom('lane').select('subject').whereRef('done', '<', 'wanted').execute();
  expect(open).toEqual([]);
  expect((await world.openDecisions()).filter(({ topic }) => topic.includes(name))).toEqual([]);
}

async function sendingTimePasses(): Promise<void> {
  await sql`update operation set send_before = send_before - interval '10 minutes', missed_at = missed_at - interval '10 minutes'`.execute(
    world.store.db,
  );
}

describe.each([true, false])('on a server with conditional creates: %s', (conditionalCreate) => {
  beforeEach(() => world.server.settings({ conditionalCreate }));

  test('to another case of the client: it stays the same resource', async () => {
    await begin(secondCase);
    const before = await goals();
    await move({ ...toSecondCase, statement: 'Food every day.' });
    await world.work();
    expect(await goals()).toEqual(before);
    expect(await creates(world.server, 'Goal')).toBe(1);
    expect(await world.server.own('Goal', `county/${name}`)).toMatchObject({
      description: { text: 'Food every day.' },
    });
    await expectRest();
  });

  test('to another client: it is taken back in the chart where it was, and made in the other', async () => {
    await begin(lee, leesCase);
    expect(await charts()).toEqual(['Delgado']);
    await move(toLee);
    await world.work();
    expect(await charts()).toEqual(['Okonkwo']);
    expect(await creates(world.server, 'Goal')).toBe(2);
    expect(await world.link(name)).toMatchObject({ generation: 2, state: 'current' });
    await expectRest();
  });
});

describe('to another client', () => {
  test('whom the server does not know yet: it leaves the wrong chart at once', async () => {
    await begin();
    await move(toLee);
    await world.work();
    expect(await charts()).toEqual([]);
    await world.send(lee, leesCase);
    expect(await charts()).toEqual(['Okonkwo']);
    await expectRest();
  });

  test('an appointment: it is not rewritten to the other, but made anew', async () => {
    await begin(lee, leesCase, ['appointment', anAppointment()]);
    await world.send(['appointment', anAppointment({ clientId: 'client-lee', caseId: 'case-lee', updatedAt: later })]);
    const lees = (await world.link('client/client-lee#patient')).remoteId;
    const [old, anew] = await world.server.all('Appointment');
    expect(old).toMatchObject({ status: 'entered-in-error' });
    expect(JSON.stringify(old)).not.toContain(`Patient/${lees}"`);
    expect(anew).toMatchObject({ status: 'booked', participant: [{ actor: { reference: `Patient/${lees}` } }, {}] });
    await expectRest();
  });

  test('while the case stays the one that it was in', async () => {
    await begin(lee);
    await move({ ...toLee, caseId: 'case-rosa' });
    await world.work();
    expect(await charts()).toEqual(['Okonkwo']);
  });

  test('and back again: each time there is one, in the right chart', async () => {
    await begin(lee, leesCase);
    await move(toLee);
    await world.work();
    await move({ updatedAt: '2026-02-21T10:00:00-05:00' });
    await world.work();
    expect(await charts()).toEqual(['Delgado']);
    expect(await world.link(name)).toMatchObject({ generation: 3 });
    await expectRest();
  });

  test('and back before anybody has looked: nothing is written', async () => {
    await begin(lee, leesCase);
    const { length } = await world.server.journal();
    await move(toLee);
    await move({ updatedAt: '2026-02-21T10:00:00-05:00' });
    await world.work();
    expect(await world.server.writes(length)).toEqual([]);
  });

  test('with all of the case, as the source has merged the two: each is once in the chart of whom is left', async () => {
    await begin(lee, leesCase, ['goal', aGoal({ ...toLee, id: 'goal-rent', updatedAt: '2026-02-03T09:30:00-05:00' })]);
    await world.send(
      ['goal', aGoal({ id: 'goal-rent', updatedAt: later })],
      ['case', aCase({ id: 'case-lee', updatedAt: later, deleted: true })],
      ['client', aClient({ id: 'client-lee', updatedAt: later, deleted: true })],
    );
    expect(await charts()).toEqual(['Delgado', 'Delgado']);
    await expectRest();
  });

  test('who has not agreed: it is taken back, and goes out when they agree', async () => {
    const organization = { source: 'county', id: 'org-pantry' };
    await world.connect(aConnection(world.server.base, { basis: 'consent', organization }));
    await begin(['consent', aConsent()], lee, leesCase);
    expect(await charts()).toEqual(['Delgado']);
    const { length } = await world.server.journal();
    await move({ ...toLee, statement: 'CANARY' });
    await world.work();
    expect(await charts()).toEqual([]);
    expect(JSON.stringify(await world.server.writes(length))).not.toContain('CANARY');
    await world.send(['consent', aConsent({ id: 'consent-lee', clientId: 'client-lee', updatedAt: later })]);
    expect(await charts()).toEqual(['Okonkwo']);
  });

  test('in the case of somebody who has agreed: that is no consent of theirs', async () => {
    const organization = { source: 'county', id: 'org-pantry' };
    await world.connect(aConnection(world.server.base, { basis: 'consent', organization }));
    await begin(['consent', aConsent()], lee);
    await move({ ...toLee, caseId: 'case-rosa' });
    await world.work();
    expect(await charts()).toEqual([]);
  });

  test('what a person was asked about the chart before is moot', async () => {
    await begin(lee, leesCase);
    await askAboutGoal();
    await move(toLee);
    await world.work();
    expect(await charts()).toEqual(['Okonkwo']);
    await expectRest();
  });
});

describe('to another case', () => {
  beforeEach(() => world.server.settings({ conditionalCreate: false }));

  test('a record that had none', async () => {
    await begin(['consent', aConsent()]);
    expect(await world.server.all('Consent')).toHaveLength(1);
    await world.send(['consent', aConsent({ caseId: 'case-rosa', updatedAt: later })]);
    expect(await world.server.all('Consent')).toHaveLength(1);
    expect(await creates(world.server, 'Consent')).toBe(1);
  });

  test('deleted, and entered again there: the one that was taken back stays so', async () => {
    await begin(secondCase);
    await world.send(['goal', aGoal({ deleted: true, updatedAt: later })]);
    expect(await charts()).toEqual([]);
    await move({ ...toSecondCase, updatedAt: '2026-02-21T10:00:00-05:00' });
    await world.work();
    expect(await charts()).toEqual(['Delgado']);
    expect(await world.link(name)).toMatchObject({ generation: 2, state: 'current' });
    await expectRest();
  });

  test('withdrawn with its move: it is taken back', async () => {
    await begin(secondCase);
    await move({ ...toSecondCase, deleted: true });
    await world.work();
    expect(await charts()).toEqual([]);
  });

  test('what a person was asked is asked there, and their answer counts', async () => {
    await begin(secondCase);
    await askAboutGoal();
    await move({ ...toSecondCase, statement: 'Ours.' });
    await world.work();
    const asked = await world.store.db.selectFrom('decision').select('subject').where('state', '=', 'open').execute();
    expect(asked).toEqual([{ subject: 'county.case.case-two' }]);
    await world.decide('conflict', 'ours');
    await world.work();
    expect(await world.server.own('Goal', `county/${name}`)).toMatchObject({
      description: { text: 'Ours.', coding: [{ code: '1078229009' }] },
    });
  });

  test('a partner who gets what belongs to referrals keeps nothing that belongs to none any more', async () => {
    const shared = { share: 'referrals', organization: { source: 'county', id: 'org-pantry' } } as const;
    await world.connect(aConnection(world.server.base, shared));
    await begin(['referral', aReferral()]);
    expect(await charts()).toEqual(['Delgado']);
    await move({ ...toLee });
    await world.work();
    expect(await charts()).toEqual([]);
  });
});

describe('while its old lane is at work', () => {
  beforeEach(() => world.server.settings({ transactions: false, conditionalCreate: false }));

  test('a create that is on its way is found again by the new lane, when it can no longer arrive', async () => {
    await world.send(...directoryAndClient(), ['case', aCase()], secondCase, ['need', aNeed()]);
    await world.accept(['goal', aGoal()]);
    world.beforeNextWrite(() => move(toSecondCase));
    await world.work({ tries: 2 });
    // The server has it; nobody looks for it before the request must have ended.
    expect(await charts()).toEqual(['Delgado']);
    await expect(world.link(name)).rejects.toThrow('no link');
    await sendingTimePasses();
    await world.work();
    expect(await charts()).toEqual(['Delgado']);
    expect(await creates(world.server, 'Goal')).toBe(1);
    await expectRest();
  });

  test('one for the client before is taken back', async () => {
    await world.send(...directoryAndClient(), ['case', aCase()], ['need', aNeed()], lee, leesCase);
    await world.accept(['goal', aGoal()]);
    world.beforeNextWrite(() => move(toLee));
    await world.work({ tries: 2 });
    await sendingTimePasses();
    await world.work();
    expect(await charts()).toEqual(['Okonkwo']);
    await expectRest();
  });

  test('one whose request was lost is made by the new lane', async () => {
    await world.send(...directoryAndClient(), ['case', aCase()], secondCase, ['need', aNeed()]);
    await world.server.strikeOnce('POST', 'Goal', { drop: 'before-commit' });
    await world.accept(['goal', aGoal()]);
    await world.run(rosas);
    await move(toSecondCase);
    await sendingTimePasses();
    await world.work();
    await sendingTimePasses();
    await world.work();
    expect(await charts()).toEqual(['Delgado']);
    expect(await creates(world.server, 'Goal')).toBe(1);
  });

  test('an update that is on its way is no word of the other side', async () => {
    await begin(secondCase);
    await world.accept(['goal', aGoal({ statement: 'Food every day.', updatedAt: later })]);
    world.beforeNextWrite(() => move({ ...toSecondCase, updatedAt: '2026-02-21T10:00:00-05:00', statement: 'Food.' }));
    await world.work({ tries: 2 });
    await sendingTimePasses();
    await world.work();
    expect(await world.server.own('Goal', `county/${name}`)).toMatchObject({ description: { text: 'Food.' } });
    expect(await world.changes()).toEqual([]);
    await expectRest();
  });

  test.each([
    ['with versions', {}],
    ['without versions', { versions: false }],
  ])(
    'what it made, and did not get to take back before the record came home, is no word of the other side, on a server %s',
    async (_title, settings) => {
      await world.server.settings({ transactions: false, ...settings });
      await world.send(...directoryAndClient(), lee, ['case', aCase()], leesCase, ['need', aNeed()]);
      await world.server.faults(
        { method: 'POST', path: 'Goal', nth: 1, fault: { drop: 'after-commit' } },
        { method: 'PUT', path: 'Goal', nth: 1, fault: { drop: 'before-commit' } },
      );
      await world.accept(['goal', aGoal()]);
      await world.run(rosas);
      await move(toLee);
      await sendingTimePasses();
      await world.run('county.case.case-lee');
      await world.accept(['goal', aGoal({ statement: 'Food.', updatedAt: '2026-02-21T10:00:00-05:00' })]);
      await sendingTimePasses();
      await world.work();
      expect(await world.changes()).toEqual([]);
      expect(await world.server.own('Goal', `county/${name}`)).toMatchObject({ description: { text: 'Food.' } });
      expect(await charts()).toEqual(['Delgado']);
      await expectRest();
    },
  );

  test('what else it has sent is not made twice', async () => {
    await world.send(...directoryAndClient(), ['case', aCase()], secondCase);
    await world.accept(['need', aNeed()], ['goal', aGoal()]);
    world.beforeNextWrite(() => move(toSecondCase));
    await world.work({ tries: 2 });
    await sendingTimePasses();
    await world.work();
    await sendingTimePasses();
    await world.work();
    expect(await world.server.all('Condition')).toHaveLength(1);
    expect(await charts()).toEqual(['Delgado']);
    await expectRest();
  });
});

/** The partner takes away what says the domain, which is ours to say: a person is asked. */
async function askAboutGoal(): Promise<void> {
  const { id, description } = await world.server.own('Goal', `county/${name}`);
  const text = isObject(description) ? description.text : undefined;
  await partnerEdits(world.server, `Goal/${id}`, (goal) => ({ ...goal, description: { text: text ?? '' } }));
  await world.workAgain();
  expect(await world.openDecisions()).toMatchObject([{ kind: 'conflict', code: 'remote-edit' }]);
}

describe('a client whom its source has found to be a duplicate', () => {
  const merged = { ...lee[1], mergedInto: 'client-rosa', updatedAt: later };
  const leesGoal: Item = ['goal', aGoal({ ...toLee, id: 'goal-lee', updatedAt: '2026-02-19T10:00:00-05:00' })];

  test('is told of once: what to send, and that the patient made for it stays', async () => {
    await begin(lee, leesCase, leesGoal);
    const { length } = await world.server.journal();
    await world.send(['client', merged]);
    await world.workAgain();
    const { remoteId } = await world.link('client/client-lee#patient');
    expect(await world.openDecisions()).toMatchObject([
      {
        kind: 'client-duplicate',
        code: 'client-duplicate',
        choices: ['noted'],
        detail: { mergedInto: 'client-rosa', patient: remoteId, madeByUs: true },
      },
    ]);
    expect((await world.openDecisions())[0]?.detail.written).toContainEqual(
      expect.objectContaining({ resourceType: 'Goal', slot: 'goal/goal-lee#goal' }),
    );
    await world.decide('client-duplicate', 'noted');
    await world.workAgain();
    expect(await world.openDecisions()).toEqual([]);
    expect(await world.server.writes(length)).toEqual([]);
  });

  test('has what is sent again under the other client in that chart, and the patient made for it untouched', async () => {
    await begin(lee, leesCase, leesGoal);
    await world.send(['client', merged]);
    await world.send(
      ['case', aCase({ id: 'case-lee', clientId: 'client-rosa', updatedAt: later })],
      ['goal', aGoal({ id: 'goal-lee', caseId: 'case-lee', needIds: [], updatedAt: later })],
    );
    expect((await goals()).map(([family]) => family)).toEqual(['Delgado', 'Delgado']);
    const patient = await world.server.own('Patient', 'county/client/client-lee#patient');
    expect(patient).toMatchObject({ meta: { versionId: '1' } });
  });

  test('is no more when the source takes that back', async () => {
    await begin(lee, leesCase);
    await world.send(['client', merged]);
    await world.send(['client', { ...lee[1], updatedAt: '2026-02-21T10:00:00-05:00' }]);
    expect(await world.openDecisions()).toEqual([]);
  });

  test('gets no patient of its own, and its case waits with that reason', async () => {
    await begin(['client', merged], leesCase);
    expect(await creates(world.server, 'Patient')).toBe(1);
    expect(await world.link('client/client-lee#patient')).toMatchObject({
      state: 'parked',
      reason: 'client-duplicate',
    });
    expect(await world.link('case/case-lee#episode')).toMatchObject({ state: 'waiting', reason: 'client-duplicate' });
    expect(await world.openDecisions()).toMatchObject([{ kind: 'client-duplicate', detail: { patient: null } }]);
  });

  test('of one who is said to be a duplicate of it, over others: neither counts, and that is told', async () => {
    const into = (id: string, mergedInto: string, family: string): Item => [
      'client',
      aClient({ id, mergedInto, names: [{ use: 'legal', given: ['Lee'], family }], identifiers: [], phones: [] }),
    ];
    const ring = [into('client-a', 'client-b', 'Ames'), into('client-b', 'client-c', 'Byrd')];
    await begin(...ring, into('client-c', 'client-a', 'Cole'), into('client-d', 'client-a', 'Dorn'), [
      'case',
      aCase({ id: 'case-lee', clientId: 'client-a' }),
    ]);
    expect(await creates(world.server, 'Patient')).toBe(4);
    expect(await world.link('case/case-lee#episode')).toMatchObject({ state: 'current' });
    expect(await world.link('client/client-d#patient')).toMatchObject({ state: 'parked', reason: 'client-duplicate' });
    const told = await world.openDecisions();
    expect(told.map(({ kind, code, detail }) => [kind, code, detail.mergedInto]).sort()).toEqual([
      ['client-duplicate', 'client-duplicate-ring', 'client-a'],
      ['client-duplicate', 'client-duplicate-ring', 'client-b'],
      ['client-duplicate', 'client-duplicate-ring', 'client-c'],
    ]);

    const { length } = await world.server.journal();
    const last = { ...into('client-c', 'client-a', 'Cole')[1], mergedInto: undefined, updatedAt: later };
    await world.accept(['client', JSON.parse(JSON.stringify(last))]);
    await world.workAgain();
    const left = await world.openDecisions();
    expect(left.map(({ code, detail }) => [code, detail.mergedInto]).sort()).toEqual([
      ['client-duplicate', 'client-b'],
      ['client-duplicate', 'client-c'],
    ]);
    expect(await world.server.writes(length)).toEqual([]);
  });

  test('is nothing to see to where both are one patient already', async () => {
    await begin();
    const { id } = await world.server.own('Patient', 'county/client/client-rosa#patient');
    await world.send(lee);
    await relinkPatient(world.store, {
      connection: 'general',
      source: 'county',
      clientId: 'client-lee',
      patient: String(id),
      by: 'ida',
    });
    await world.decide('patient-relinked', 'noted');
    await world.send(['client', merged]);
    expect(await world.openDecisions()).toEqual([]);
  });
});
