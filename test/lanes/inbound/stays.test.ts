// Stays and visits that a hospital tells of: offered, kept with the reason where no record can say them, and the clocks that they start before anybody
// has taken them over.

import { beforeEach, describe, expect, test } from '@jest/globals';
import type { JsonObject } from '../../../src/json.ts';
import { keepVisit } from '../../../src/lanes/lanes.ts';
import { sql } from '../../../src/store/store.ts';
import { aCarePlan, aCase } from '../../builders.ts';
import { sweepAt } from '../../clocks/kept.ts';
import { own } from '../../support/adopting.ts';
import { feed, hospitalHas, hospitalShows, ops, sourceRefuses } from '../../support/begun.ts';
import { charting, chartOf, daysAgo, stay } from '../../support/chart.ts';
import { aConnection, identifierSystem } from '../../support/rig.ts';
import { pollEverybody } from '../../support/roster.ts';
import { useWorld } from '../../support/world.ts';

const world = useWorld(charting);
const { clocks, keptFor, looksAt, readAll, rosaIsLinked, shows } = chartOf(world);

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
