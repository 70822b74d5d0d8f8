// Who a client is on a server: linked when certain, asked when not, never guessed, never doubled (design section 7 "Patient", lanes.md 18).

import { describe, expect, test } from '@jest/globals';
import { createRunGate, runLane } from '../../../src/lanes/lanes.ts';
import { sql } from '../../../src/store/store.ts';
import { aClient } from '../../builders.ts';
import { caseload } from '../../support/caseload.ts';
import { mrn, rosa, rosasSlot } from '../../support/patients.ts';
import { aConnection } from '../../support/rig.ts';
import { creates, useWorld } from '../../support/world.ts';

const world = useWorld();
const caseLane = 'county.case.case-rosa';

async function sendCase(): Promise<void> {
  await world.send(...caseload());
}

describe('a client who is certainly a patient of the server', () => {
  test.each([
    ['by MRN, birth date and family name', rosa('rosa', { identifier: [mrn] })],
    [
      'by name, birth date, sex and a phone',
      rosa('rosa', { telecom: [{ system: 'phone', value: '+1 518 555 0177' }] }),
    ],
    ['by name, birth date, sex and an address line', rosa('rosa', { address: [{ line: ['48 Larch Avenue'] }] })],
  ])('%s, is linked; the case is sent about that patient, who is never written', async (_how, patient) => {
    await world.server.seed(patient);
    await sendCase();
    expect(await world.link(rosasSlot)).toMatchObject({ origin: 'found', remoteId: 'rosa', state: 'read' });
    expect(await world.server.all('Patient')).toHaveLength(1);
    const goal = await world.server.own('Goal', 'county/goal/goal-meals#goal');
    expect(goal.subject).toEqual({ reference: 'Patient/rosa' });
    await world.send(['client', aClient({ phones: [], updatedAt: '2026-02-20T10:00:00-05:00' })]);
    await world.workAgain();
    expect((await world.server.all('Patient'))[0]).toMatchObject({ meta: { versionId: '1' } });
  });

  test('is not retired when the client record is deleted', async () => {
    await world.server.seed(rosa('rosa', { identifier: [mrn] }));
    await sendCase();
    await world.send(['client', aClient({ deleted: true, updatedAt: '2026-02-20T10:00:00-05:00' })]);
    expect((await world.server.all('Patient'))[0]).toMatchObject({ meta: { versionId: '1' } });
  });
});

describe('a client who may be someone else', () => {
  const lookalikes = [rosa('p1'), rosa('p2', { telecom: [{ system: 'phone', value: '(518) 555-0177' }] })];

  test.each([
    ['two look-alikes', lookalikes, 2],
    ['84: two patients with one MRN', [rosa('rosa', { identifier: [mrn] }), rosa('p2', { identifier: [mrn] })], 2],
    ['the MRN of someone with another birth date', [rosa('rosa', { identifier: [mrn], birthDate: '1991-01-01' })], 1],
    ['name, birth date and sex alone', [rosa()], 1],
    [
      'a patient whom the hospital has replaced',
      [rosa('rosa', { identifier: [mrn], link: [{ other: { reference: 'Patient/x' }, type: 'replaced-by' }] })],
      1,
    ],
  ])('%s: a person is asked with both sides, nothing is created, the case waits', async (_title, patients, count) => {
    await world.server.seed(...patients);
    await sendCase();
    const [question] = await world.openDecisions();
    expect(question).toMatchObject({
      kind: 'patient-match',
      code: 'patient-uncertain',
      detail: { client: { birthDate: '1984-06-17' } },
    });
    expect(question?.detail.candidates).toHaveLength(count);
    expect(question?.choices).toEqual([...patients.map(({ id }) => `link:${id}`), 'create', 'again', 'leave']);
    expect(await world.server.all('Patient')).toHaveLength(count);
    expect(await world.server.all('Goal')).toEqual([]);
    expect(await world.link(rosasSlot)).toMatchObject({ state: 'parked', reason: 'patient-uncertain' });
    expect(await world.link('goal/goal-meals#goal')).toMatchObject({ state: 'waiting' });
    expect(await world.lane(caseLane)).toMatchObject({ waiting: true, hasWork: false });
    expect(await world.lane('county.client.client-rosa')).toMatchObject({ parked: undefined, hasWork: false });
  });

  test('is asked about once, however often the lane runs', async () => {
    await world.server.seed(...lookalikes);
    await sendCase();
    await world.workAgain();
    await world.workAgain();
    expect(await world.store.db.selectFrom('decision').selectAll().execute()).toHaveLength(1);
  });

  test('answered "link:p2": that patient is linked, and the case goes out about them', async () => {
    await world.server.seed(...lookalikes);
    await sendCase();
    await world.decide('patient-match', 'link:p2');
    await world.work();
    expect(await world.server.own('Goal', 'county/goal/goal-meals#goal')).toMatchObject({
      subject: { reference: 'Patient/p2' },
    });
    expect(await world.link(rosasSlot)).toMatchObject({ origin: 'found', state: 'read' });
    expect(await world.server.all('Patient')).toMatchObject([
      { meta: { versionId: '1' } },
      { meta: { versionId: '1' } },
    ]);
    expect(await world.lane(caseLane)).toMatchObject({ waiting: false });
  });

  test('answered while the lane looks for the client anew: the word of the person holds', async () => {
    await world.server.seed(rosa('p1', { identifier: [mrn], birthDate: '1984-06-18' }), rosa('p2'));
    await sendCase();
    expect(await world.openDecisions()).toMatchObject([{ kind: 'patient-match' }]);
    const connection = world.deps.connections.get('general');
    if (connection === undefined) throw new Error('no connection');
    const { client } = connection;
    let isTold = false;
    const told: typeof client = {
      ...client,
      searchAll: async (type, ...rest) => {
        const found = await client.searchAll(type, ...rest);
        if (type === 'Patient' && !isTold) await world.decide('patient-match', 'link:p2');
        isTold ||= type === 'Patient';
        return found;
      },
    };
    await world.accept(['client', aClient({ birthDate: '1984-06-18', updatedAt: '2026-02-20T10:00:00-05:00' })]);
    await world.work({ deps: { connections: new Map([['general', { ...connection, client: told }]]) } });
    expect(await world.link(rosasSlot)).toMatchObject({ remoteId: 'p2' });
    expect(await world.openDecisions()).toEqual([]);
  });

  test('answered "create": one new patient is made, and the case goes out about them', async () => {
    await world.server.seed(...lookalikes);
    await sendCase();
    await world.decide('patient-match', 'create');
    await world.work();
    await world.workAgain();
    expect(await creates(world.server, 'Patient')).toBe(1);
    const { id } = await world.server.own('Patient', 'county/client/client-rosa#patient');
    expect(await world.server.own('Goal', 'county/goal/goal-meals#goal')).toMatchObject({
      subject: { reference: `Patient/${id}` },
    });
  });

  test('answered "leave": nothing goes out, and nobody is asked again while the record stays as it is', async () => {
    await world.server.seed(...lookalikes);
    await sendCase();
    await world.decide('patient-match', 'leave');
    await world.work();
    await world.workAgain();
    expect(await world.openDecisions()).toEqual([]);
    expect(await world.server.all('Patient')).toHaveLength(2);
    expect(await world.server.all('Goal')).toEqual([]);
    expect(await world.link(rosasSlot)).toMatchObject({ state: 'parked', reason: 'patient-left' });
    expect(await world.lane(caseLane)).toMatchObject({ waiting: true });
  });

  test.each([['before an answer'], ['after "leave"']])(
    '%s: a corrected client record is looked at again',
    async (when) => {
      await world.server.seed(...lookalikes);
      await sendCase();
      if (when !== 'before an answer') await world.decide('patient-match', 'leave');
      await world.work();
      await world.server.seed(rosa('p2', { identifier: [mrn], birthDate: '1984-07-16' }));
      await world.send(['client', aClient({ birthDate: '1984-07-16', updatedAt: '2026-02-20T10:00:00-05:00' })]);
      expect(await world.link(rosasSlot)).toMatchObject({ origin: 'found', remoteId: 'p2' });
      expect(await world.openDecisions()).toEqual([]);
    },
  );
});

describe('a client whom the server does not know', () => {
  test('is created where the connection may create patients', async () => {
    await world.server.seed(rosa('other', { birthDate: '1950-01-01' }));
    await sendCase();
    expect(await creates(world.server, 'Patient')).toBe(1);
    expect(await world.link(rosasSlot)).toMatchObject({ origin: 'created', state: 'current' });
  });

  test('is asked about where it may not; "create" is not offered', async () => {
    await world.connect(aConnection(world.server.base, { id: 'careful', createPatients: false }));
    await world.store.db.deleteFrom('connection').where('id', '=', 'general').execute();
    await world.accept(...caseload());
    await world.store.db.deleteFrom('lane').where('connection', '=', 'general').execute();
    await world.work();
    expect(await world.openDecisions()).toMatchObject([{ code: 'patient-not-found', choices: ['again', 'leave'] }]);
    expect(await world.server.all('Patient')).toEqual([]);
    expect(await world.lane(caseLane, 'careful')).toMatchObject({ waiting: true });
  });
});

describe('a patient that we made', () => {
  const later = '2026-02-20T10:00:00-05:00';
  const gone = () => world.accept(['client', aClient({ deleted: true, updatedAt: later })]);

  test('is switched off when the record of its one client is deleted', async () => {
    await sendCase();
    await gone();
    await world.workAgain();
    expect(await world.server.all('Patient')).toMatchObject([{ active: false }]);
  });

  test('is left as it is while another client of ours is that patient: only the link of the one who is deleted ends', async () => {
    await sendCase();
    await world.send(['client', aClient({ id: 'client-2' })]);
    const { remoteId } = await world.link(rosasSlot);
    expect(await world.link('client/client-2#patient')).toMatchObject({ remoteId, origin: 'found' });
    const { length } = await world.server.journal();
    await gone();
    await world.workAgain();
    expect((await world.server.writes(length)).filter(({ url }) => String(url).includes('Patient'))).toEqual([]);
    expect(await world.server.all('Patient')).toMatchObject([{ meta: { versionId: '1' } }]);
    expect(await world.link(rosasSlot)).toMatchObject({ retired: true, reason: 'deleted-record' });
    expect(await world.link('client/client-2#patient')).toMatchObject({ remoteId, retired: false });
    expect(await world.openDecisions()).toEqual([]);
  });
});

describe('twins', () => {
  const twin = (id: string) => aClient({ id });

  test('arriving at once are never doubled: one is created, the other is linked to it or asked about', async () => {
    await world.accept(['client', twin('client-a')], ['client', twin('client-b')]);
    const lanes = ['a', 'b'].map((name) => ({ connection: 'general', subject: `county.client.client-${name}` }));
    await Promise.all(lanes.map((lane) => runLane(world.deps, lane)));
    await world.work();
    expect(await creates(world.server, 'Patient')).toBe(1);
    expect(await world.link('client/client-a#patient')).toMatchObject({
      remoteId: (await world.link('client/client-b#patient')).remoteId,
    });
  });

  test('the second of two waits with a reason while the first may still be invisible to a search', async () => {
    await world.connect(aConnection(world.server.base, { id: 'slow', settleMs: 60_000 }));
    await world.accept(['client', twin('client-a')], ['client', twin('client-b')]);
    await world.run('county.client.client-a', { connection: 'slow' });
    await world.run('county.client.client-b', { connection: 'slow' });
    expect(await world.lane('county.client.client-b', 'slow')).toMatchObject({
      hasWork: true,
      reason: 'twin-in-progress',
    });
    expect(await creates(world.server, 'Patient')).toBe(1);
  });

  const laneOf = (id: string) => ({ connection: 'general', subject: `county.client.${id}` });
  const pass = (seconds: number) =>
    world.store.db
      .updateTable('match_lease')
      .set({ until: sql<Date>`until - ${seconds} * interval '1 second'` })
      .execute();

  function once(action: () => Promise<unknown>): () => Promise<unknown> {
    let isDone = false;
    return async () => {
      if (!isDone) await action();
      isDone = true;
    };
  }

  /** The first one's run, in which something happens after its search and before its create leaves. */
  function firstOne(searched: () => Promise<unknown>, created: () => Promise<unknown>): Promise<void> {
    const lane = world.deps.connections.get('general');
    if (lane === undefined) throw new Error('no connection');
    const client: typeof lane.client = {
      ...lane.client,
      async searchAll(...asked) {
        const result = await lane.client.searchAll(...asked);
        // The last of them, by name.
        if (JSON.stringify(asked).includes('Delgado')) await searched();
        return result;
      },
      async send(request) {
        if (request.method === 'POST') await created();
        return lane.client.send(request);
      },
    };
    const connections = new Map([...world.deps.connections, ['general', { ...lane, client }]]);
    return runLane({ ...world.deps, gate: createRunGate(), connections }, laneOf('client-a'));
  }

  test('one who was made while the search of the other took longer than its leases is found, and not made again', async () => {
    await world.accept(['client', twin('client-a')], ['client', twin('client-b')]);
    await firstOne(
      once(async () => {
        await pass(61);
        await runLane(world.deps, laneOf('client-b'));
      }),
      async () => {},
    );
    await world.work();
    expect(await creates(world.server, 'Patient')).toBe(1);
    expect(await world.link('client/client-a#patient')).toMatchObject({
      remoteId: (await world.link('client/client-b#patient')).remoteId,
    });
  });

  test('a create that is under way keeps the other waiting, however long the search before it took', async () => {
    await world.accept(['client', twin('client-a')], ['client', twin('client-b')]);
    let seen: string | undefined;
    await firstOne(
      once(() => pass(40)),
      async () => {
        await pass(25);
        await runLane({ ...world.deps, gate: createRunGate() }, laneOf('client-b'));
        seen = (await world.lane(laneOf('client-b').subject)).reason;
      },
    );
    expect(seen).toBe('twin-in-progress');
    await world.work();
    expect(await creates(world.server, 'Patient')).toBe(1);
  });

  test('people who share nothing do not wait for each other', async () => {
    await world.connect(aConnection(world.server.base, { id: 'slow', settleMs: 60_000 }));
    const other = aClient({
      id: 'client-b',
      names: [{ use: 'legal', given: ['Ana'], family: 'Ruiz' }],
      identifiers: [],
    });
    await world.accept(['client', twin('client-a')], ['client', other]);
    await world.run('county.client.client-a', { connection: 'slow' });
    await world.run('county.client.client-b', { connection: 'slow' });
    expect(await creates(world.server, 'Patient')).toBe(2);
  });
});

describe('a search for the patient that cannot be believed', () => {
  test.each([
    ['fails', { status: 500 }],
    ['is cut', { truncate: 60 }],
    [
      'says that it is partial',
      {
        status: 200,
        body: {
          resourceType: 'Bundle',
          type: 'searchset',
          entry: [
            {
              resource: { resourceType: 'OperationOutcome', issue: [{ severity: 'warning', code: 'incomplete' }] },
              search: { mode: 'outcome' },
            },
          ],
        },
      },
    ],
  ])('%s: nobody is created because of it', async (_title, fault) => {
    await world.server.seed(rosa('rosa', { identifier: [mrn] }));
    await world.server.faults({ method: 'GET', path: 'Patient', times: 2, nth: 1, fault });
    await sendCase();
    expect(await creates(world.server, 'Patient')).toBe(0);
    expect(await world.link(rosasSlot)).toMatchObject({ origin: 'found', remoteId: 'rosa' });
  });
});
