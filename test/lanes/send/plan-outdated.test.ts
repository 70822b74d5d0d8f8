// Between plan and send everything that the plan was made from is checked again: what changed meanwhile stops the old plan (lanes.md 7).

import { describe, expect, test } from '@jest/globals';
import { reason } from '../../../src/errors.ts';
import type { LaneDeps } from '../../../src/lanes/lanes.ts';
import { setPaused } from '../../../src/lanes/lanes.ts';
import { aConsent, aGoal, anOrganization } from '../../builders.ts';
import { caseload, caseWithReferral, directoryAndClient } from '../../support/caseload.ts';
import { rosa } from '../../support/patients.ts';
import { aConnection } from '../../support/rig.ts';
import { useStoreClock } from '../../support/store-clock.ts';
import { partnerEdits, useWorld } from '../../support/world.ts';

const world = useWorld();
const timeIs = useStoreClock(world);
const lane = 'county.case.case-rosa';
const extension = { url: 'https://hospital.example.org/sister', valueString: 'Told by her sister.' };
const organization = { source: 'county', id: 'org-pantry' };

/** Does something once, when a plan has been made and its intents are about to be stored. */
function betweenPlanAndSend(action: () => Promise<unknown>): Partial<LaneDeps> {
  let isPlanned = false;
  let isDone = false;
  const { store, newId } = world.deps;
  return {
    newId: () => {
      isPlanned = true;
      return newId();
    },
    store: {
      ...store,
      once: async (statement) => {
        if (isPlanned && !isDone) {
          isDone = true;
          await action();
        }
        return store.once(statement);
      },
    },
  };
}

async function writesAfter(position: number): Promise<string> {
  const entries = await world.server.journal(position);
  return entries
    .filter(({ method }) => method !== 'GET')
    .map(({ requestBody }) => JSON.stringify(requestBody))
    .join('\n');
}

describe('when it happens between plan and send', () => {
  test('a pause: nothing leaves until the connection is resumed', async () => {
    await world.send(...directoryAndClient());
    await world.accept(...caseWithReferral());
    const before = (await world.server.journal()).length;
    await world.run(lane, {
      deps: betweenPlanAndSend(() => setPaused(world.store, 'general', reason('connection-paused', { why: '' }))),
    });
    expect(await writesAfter(before)).toBe('');
    await setPaused(world.store, 'general', undefined);
    await world.work();
    expect(await world.server.all('Goal')).toHaveLength(1);
  });

  test('a withdrawal of consent: nothing of the old plan leaves (G17)', async () => {
    await world.connect(aConnection(world.server.base, { basis: 'consent', organization }));
    await world.send(...directoryAndClient(), ['consent', aConsent()]);
    await world.accept(...caseWithReferral());
    const before = (await world.server.journal()).length;
    const revoked = aConsent({
      status: 'revoked',
      revokedAt: '2026-02-20T10:00:00-05:00',
      updatedAt: '2026-02-20T10:00:00-05:00',
    });
    await world.run(lane, { deps: betweenPlanAndSend(() => world.accept(['consent', revoked])) });
    await world.work();
    expect(await writesAfter(before)).not.toMatch(/food on the table|Weekly groceries/);
    expect(await world.server.all('Goal')).toEqual([]);
    expect(await world.link('goal/goal-meals#goal')).toMatchObject({ state: 'withheld' });
  });

  test('the client, recalled by a write whose reply was lost, is made anew: what goes out about the first follows to the second', async () => {
    await world.connect(aConnection(world.server.base, { basis: 'consent', organization }));
    await world.send(...directoryAndClient(), ['consent', aConsent()]);
    const client = 'county.client.client-rosa';
    const revoked = { status: 'revoked', revokedAt: '2026-02-20T10:00:00-05:00' } as const;
    await world.server.faults(
      { method: 'POST', path: '$', fault: { drop: 'after-commit' } },
      { method: 'GET', path: 'Patient', nth: 2, fault: { status: 503 } },
    );
    await world.accept(['consent', aConsent({ ...revoked, updatedAt: revoked.revokedAt })]);
    await world.run(client);
    await world.server.control('DELETE', 'faults');
    await world.accept(['consent', aConsent({ updatedAt: '2026-02-20T11:00:00-05:00' })], ...caseWithReferral());
    const first = await world.link('client/client-rosa#patient');
    await world.run(lane, { deps: betweenPlanAndSend(() => world.run(client)) });
    await world.work();
    const second = await world.link('client/client-rosa#patient');
    expect([first, second]).toMatchObject([{ generation: 1 }, { generation: 2, retired: false }]);
    const about = async (type: string) => JSON.stringify(await world.server.all(type));
    for (const type of ['EpisodeOfCare', 'Goal', 'ServiceRequest', 'Task'])
      expect(await about(type)).toContain(`"Patient/${second.remoteId}"`);
  });

  test('a label of what only this run has read: nothing of the old plan leaves', async () => {
    await world.send(...directoryAndClient());
    await world.accept(...caseWithReferral());
    const labelled = anOrganization({ sensitivity: ['domestic-violence'], updatedAt: '2026-02-20T10:00:00-05:00' });
    await world.run(lane, { deps: betweenPlanAndSend(() => world.accept(['organization', labelled])) });
    await world.work();
    expect(await world.server.all('Goal')).toHaveLength(1);
    expect([...(await world.server.all('ServiceRequest')), ...(await world.server.all('Task'))]).toEqual([]);
  });

  test('the last day of a consent ends: nothing of the old plan leaves', async () => {
    await timeIs('2026-03-03T12:00:00Z');
    await world.connect(aConnection(world.server.base, { basis: 'consent', organization }));
    await world.send(...directoryAndClient(), ['consent', aConsent({ period: { to: '2026-03-03' } })]);
    await world.accept(...caseWithReferral());
    const before = (await world.server.journal()).length;
    await timeIs('2026-03-04T04:59:59Z');
    await world.run(lane, { deps: betweenPlanAndSend(() => timeIs('2026-03-04T05:00:00Z')) });
    await world.work();
    expect(await writesAfter(before)).not.toMatch(/food on the table|Weekly groceries/);
    expect(await world.server.all('Goal')).toEqual([]);
    expect(await world.link('goal/goal-meals#goal')).toMatchObject({ state: 'withheld' });
  });

  test('another mapping becomes active: what leaves is made by the new one', async () => {
    await world.send(...directoryAndClient());
    await world.accept(...caseWithReferral());
    const before = (await world.server.journal()).length;
    const remap = () =>
      world.remap('goal.yaml', (text) =>
        text.replace('startDate: { from: startsOn }', 'startDate: { first: [{ from: dueOn }, { from: startsOn }] }'),
      );
    await world.run(lane, { deps: betweenPlanAndSend(remap) });
    expect(await writesAfter(before)).not.toContain('"startDate":"2026-02-03"');
    expect(await world.server.own('Goal', 'county/goal/goal-meals#goal')).toMatchObject({ startDate: '2026-05-31' });
  });

  test('the client is linked to another patient by a person: the case goes out about that one', async () => {
    await world.server.seed(rosa('p1'));
    await world.send(...caseload());
    await world.decide('patient-match', 'create');
    await world.work();
    const before = (await world.server.journal()).length;
    await world.accept(['goal', aGoal({ statement: 'Food every day.', updatedAt: '2026-02-20T10:00:00-05:00' })]);
    const relink = () =>
      world.store.db
        .updateTable('epoch')
        .set({ n: 99 })
        .where('key', '=', 'patient:general:county/client-rosa')
        .execute();
    let planned = 0;
    const deps = betweenPlanAndSend(relink);
    const newId = (): string => {
      planned += 1;
      return deps.newId?.() ?? '';
    };
    await world.run(lane, { deps: { ...deps, newId } });
    // The epoch changed under the first plan: it was given up, and a second one was made.
    expect(planned).toBe(2);
    expect((await world.server.journal(before)).filter(({ method }) => method !== 'GET')).toHaveLength(1);
  });

  test('an edit there that no version tag protects, and a new version here: what is written next has seen the edit (lanes.md 28)', async () => {
    await world.server.settings({ versions: false });
    await world.send(...caseload());
    await world.accept(['goal', aGoal({ statement: 'Food every day.', updatedAt: '2026-02-20T10:00:00-05:00' })]);
    const meanwhile = async () => {
      const { id } = await world.server.own('Goal', 'county/goal/goal-meals#goal');
      await partnerEdits(world.server, `Goal/${id}`, (goal) => ({ ...goal, extension: [extension] }));
      await world.accept(['goal', aGoal({ statement: 'Food each day.', updatedAt: '2026-02-20T11:00:00-05:00' })]);
    };
    await world.run(lane, { deps: betweenPlanAndSend(meanwhile) });
    expect(await world.server.own('Goal', 'county/goal/goal-meals#goal')).toMatchObject({
      description: { text: 'Food each day.' },
      extension: [extension],
    });
  });

  test('the lease passes to another runner: nothing leaves from the first', async () => {
    await world.send(...directoryAndClient());
    await world.accept(...caseWithReferral());
    const before = (await world.server.journal()).length;
    const takeOver = () =>
      world.store.db.updateTable('lane').set({ fence: 1000 }).where('subject', '=', lane).execute();
    await world.run(lane, { deps: betweenPlanAndSend(takeOver) });
    expect(await writesAfter(before)).toBe('');
    expect(await world.store.db.selectFrom('operation').selectAll().where('outcome', 'is', null).execute()).toEqual([]);
  });
});
