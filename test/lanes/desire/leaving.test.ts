// What leaves: retired for a stated cause, never deleted; and what may not go out leaves no trace (lanes.md 16, 17; closed-loop B4).

import { describe, expect, test } from '@jest/globals';
import { isObject, type JsonObject, objectsAt } from '../../../src/json.ts';
import { feed } from '../../../src/lanes/feeder.ts';
import type { RecordType } from '../../../src/records/records.ts';
import { aCase, aClient, aConsent, aGoal, aNeed, aReferral, aService } from '../../builders.ts';
import { mappingOf } from '../../mapping/fixtures.ts';
import { caseload, caseTypes, directoryAndClient, slotsOfCaseload } from '../../support/caseload.ts';
import { aConnection, ownCounts } from '../../support/rig.ts';
import { useStoreClock } from '../../support/store-clock.ts';
import { useWorld } from '../../support/world.ts';

const world = useWorld();
const timeIs = useStoreClock(world);
const later = '2026-02-20T10:00:00-05:00';

async function sendCase(): Promise<void> {
  await world.send(...caseload());
}

async function timeComes(at: string): Promise<void> {
  await timeIs(at);
  await feed({ store: world.store, connections: () => [], add: async () => {}, onError: () => {} });
  await world.work();
}

async function methods(): Promise<Set<unknown>> {
  return new Set((await world.server.journal()).map(({ method }) => method));
}

describe('a deleted record', () => {
  type Row = readonly [RecordType, JsonObject, string, string, JsonObject];
  const goal: Row = ['goal', aGoal(), 'Goal', 'goal/goal-meals#goal', { lifecycleStatus: 'entered-in-error' }];
  // One that says it by a concept.
  const need: Row = [
    'need',
    aNeed(),
    'Condition',
    'need/need-food#condition',
    { verificationStatus: { coding: [{ code: 'entered-in-error' }] } },
  ];

  test.each<Row>([
    goal,
    need,
    ['referral', aReferral(), 'Task', 'referral/referral-pantry#fulfilment', { status: 'entered-in-error' }],
    ['referral', aReferral(), 'ServiceRequest', 'referral/referral-pantry#request', { status: 'entered-in-error' }],
    ['client', aClient(), 'Patient', 'client/client-rosa#patient', { active: false }],
    ['service', aService(), 'HealthcareService', 'service/service-groceries#service', { active: false }],
  ])(
    '%s: %#. its resource is marked so, its link retired, nothing is deleted',
    async (type, record, resourceType, link, marked) => {
      await sendCase();
      await world.send([type, { ...record, deleted: true, updatedAt: later }]);
      expect(await world.server.own(resourceType, `county/${link}`)).toMatchObject(marked);
      expect(await world.link(link)).toMatchObject({ retired: true, state: 'leaving', reason: 'deleted-record' });
      expect(await methods()).not.toContain('DELETE');
      const before = (await world.server.journal()).length;
      await world.workAgain();
      expect(await world.server.writes(before)).toEqual([]);
    },
  );

  test.each([goal, need])(
    '%s: whose retirement lost its reply is retired once, also if it comes back',
    async (type, record, resourceType, link, marked) => {
      await sendCase();
      const before = (await world.server.journal()).length;
      await world.server.strikeOnce('POST', '$', { drop: 'after-commit' });
      await world.send([type, { ...record, deleted: true, updatedAt: later }]);
      expect(await world.server.own(resourceType, `county/${link}`)).toMatchObject(marked);
      expect(await world.link(link)).toMatchObject({ retired: true });
      expect(await world.server.writes(before)).toHaveLength(1);
      await world.send([type, { ...record, updatedAt: '2026-02-21T10:00:00-05:00' }]);
      expect(await world.server.own(resourceType, `county/${link}`)).toMatchObject(marked);
      expect(await ownCounts(world.server)).toMatchObject({ [`county/${link}`]: 1, [`county/${link}~2`]: 1 });
    },
  );

  test('that was never sent leaves nothing behind', async () => {
    await world.send(...directoryAndClient(), ['case', aCase()], ['goal', aGoal({ deleted: true })]);
    expect(await world.server.all('Goal')).toEqual([]);
  });

  test('is taken out of what points at it', async () => {
    await sendCase();
    await world.send(['goal', aGoal({ deleted: true, updatedAt: later })]);
    const plan = await world.server.own('CarePlan', 'county/carePlan/plan-rosa#plan');
    expect(JSON.stringify(plan)).not.toContain('Goal/');
  });

  test('that comes back makes the next generation under another identifier; the old one stays as it was marked', async () => {
    await sendCase();
    await world.send(['goal', aGoal({ deleted: true, updatedAt: later })]);
    await world.send(['goal', aGoal({ updatedAt: '2026-02-21T10:00:00-05:00' })]);
    await world.workAgain();
    const goals = await world.server.all('Goal');
    expect(goals.map(({ lifecycleStatus }) => lifecycleStatus)).toEqual(['entered-in-error', 'active']);
    expect(await ownCounts(world.server)).toMatchObject({
      'county/goal/goal-meals#goal': 1,
      'county/goal/goal-meals#goal~2': 1,
    });
    expect(await world.link('goal/goal-meals#goal')).toMatchObject({
      generation: 2,
      retired: false,
      state: 'current',
      remoteId: goals[1]?.id,
    });
  });

  test('a client who comes back has our identifier of the new generation for ours: it is not offered as one of theirs', async () => {
    await sendCase();
    await world.send(['client', aClient({ deleted: true, updatedAt: later })]);
    await world.send(['client', aClient({ updatedAt: '2026-02-21T10:00:00-05:00' })]);
    const before = (await world.server.journal()).length;
    await world.send(['client', aClient({ updatedAt: '2026-02-22T10:00:00-05:00' })]);
    await world.workAgain();
    const name = 'county/client/client-rosa#patient';
    const [first, second] = [await world.server.own('Patient', name), await world.server.own('Patient', `${name}~2`)];
    expect([first?.active, second?.active]).toEqual([false, undefined]);
    expect(await world.changes()).toEqual([]);
    expect(await world.server.writes(before)).toEqual([]);
    const facts = (resource: JsonObject | undefined) =>
      mappingOf('client')
        .slot('patient')
        .facts(resource ?? {});
    expect(facts(second)).toEqual({ ...facts(first), active: undefined });
  });

  test('that comes back and is changed again is updated in place', async () => {
    await sendCase();
    await world.send(['goal', aGoal({ deleted: true, updatedAt: later })]);
    await world.send(['goal', aGoal({ updatedAt: '2026-02-21T10:00:00-05:00' })]);
    await world.send(['goal', aGoal({ statement: 'Food every day.', updatedAt: '2026-02-22T10:00:00-05:00' })]);
    expect(await world.server.own('Goal', 'county/goal/goal-meals#goal~2')).toMatchObject({
      description: { text: 'Food every day.' },
    });
    expect(await world.server.all('Goal')).toHaveLength(2);
  });
});

describe('what the record no longer makes', () => {
  const place = (id: string) => ({
    id,
    name: `Place ${id}`,
    address: { lines: [`${id} Elm Street`], city: 'Albany', state: 'NY', postalCode: '12207' },
  });

  test('a list item that is taken out is retired, the others stay', async () => {
    await world.send(...directoryAndClient(), [
      'service',
      aService({ locations: [place('l1'), place('l2')], updatedAt: '2026-01-06T09:10:00-05:00' }),
    ]);
    expect(await world.server.all('Location')).toHaveLength(2);
    await world.send(['service', aService({ locations: [place('l2')], updatedAt: later })]);
    expect(await world.server.own('Location', 'county/service/service-groceries#location[l1]')).toMatchObject({
      status: 'inactive',
    });
    expect(await world.server.own('Location', 'county/service/service-groceries#location[l2]')).toMatchObject({
      status: 'active',
    });
    expect(await world.link('service/service-groceries#location[l1]')).toMatchObject({
      retired: true,
      reason: 'condition-false',
    });
    const service = await world.server.own('HealthcareService', 'county/service/service-groceries#service');
    expect(service.location).toHaveLength(1);
  });

  test('a consent that is none to sharing any more is in force no more there, and was no mistake', async () => {
    await sendCase();
    await world.send(['consent', aConsent()]);
    await world.send(['consent', aConsent({ scope: ['contact-by-text'], updatedAt: later })]);
    expect(await world.server.own('Consent', 'county/consent/consent-rosa#consent')).toMatchObject({
      status: 'inactive',
    });
    expect(await world.link('consent/consent-rosa#consent')).toMatchObject({
      retired: true,
      reason: 'condition-false',
    });
  });

  test('a route that is switched off retires nothing: the link stays, with its reason', async () => {
    await sendCase();
    await world.connect(aConnection(world.server.base, { routes: { goal: 'off' } }));
    const before = (await world.server.journal()).length;
    await world.send(['goal', aGoal({ statement: 'Food every day.', updatedAt: later })]);
    await world.workAgain();
    expect(await writtenTypes(before)).not.toContain('Goal');
    expect(await world.link('goal/goal-meals#goal')).toMatchObject({
      retired: false,
      reason: expect.stringMatching(/^route-/),
    });
  });
});

describe('a connection that needs consent', () => {
  const partner = (): Promise<void> =>
    world.connect(
      aConnection(world.server.base, { basis: 'consent', organization: { source: 'county', id: 'org-pantry' } }),
    );
  const clientTypes = ['Patient', ...caseTypes, 'Consent'];

  async function held(): Promise<string[]> {
    const lists = await Promise.all(
      clientTypes.map(async (type) => ((await world.server.all(type)).length > 0 ? [type] : [])),
    );
    return lists.flat();
  }

  const someRecalled = ['goal/goal-meals#goal', 'referral/referral-pantry#fulfilment', 'client/client-rosa#patient'];

  const recalls = async () => (await world.openDecisions()).filter(({ kind }) => kind === 'recalled');

  async function listedAsRecalled(): Promise<JsonObject[]> {
    return (await recalls()).flatMap(({ detail }) => objectsAt(detail, 'recalled'));
  }

  test('gets nothing about the client without one, and each link says why', async () => {
    await partner();
    await sendCase();
    expect(await held()).toEqual([]);
    expect(await world.link('client/client-rosa#patient')).toMatchObject({
      state: 'withheld',
      reason: 'consent-missing',
    });
    expect(await world.link('goal/goal-meals#goal')).toMatchObject({ state: 'withheld', reason: 'consent-missing' });
    expect(await bodies()).not.toContain('Delgado');
    expect(await world.server.all('Organization')).not.toEqual([]);
  });

  test('is sent the case when the consent arrives later, by itself', async () => {
    await partner();
    await sendCase();
    await world.send(['consent', aConsent()]);
    expect(await held()).toEqual(clientTypes);
    expect(await ownCounts(world.server)).toMatchObject(Object.fromEntries(slotsOfCaseload.map((slot) => [slot, 1])));
  });

  test('gets only the record types that the consent names', async () => {
    await partner();
    await world.send(...caseload(), ['consent', aConsent({ recordTypes: ['referral', 'need'] })]);
    expect(await world.server.all('Goal')).toEqual([]);
    expect(await world.server.all('Task')).toHaveLength(1);
    expect(await world.link('goal/goal-meals#goal')).toMatchObject({ state: 'withheld', reason: 'consent-type' });
    expect(await bodies()).not.toContain('food on the table');
  });

  test('gets nothing new of what the client refuses later, although the consent still stands', async () => {
    await partner();
    await world.send(...caseload(), ['consent', aConsent()]);
    const before = (await world.server.journal()).length;
    const refused = { recordTypes: ['goal' as const], signedAt: later, updatedAt: later };
    await world.send(['consent', aConsent({ id: 'consent-no', status: 'declined', ...refused })]);
    await world.send(['goal', aGoal({ statement: 'A new secret.', updatedAt: '2026-02-21T10:00:00-05:00' })]);
    expect(await bodies(before)).not.toContain('A new secret');
    expect(await world.server.own('Goal', 'county/goal/goal-meals#goal')).toMatchObject({
      lifecycleStatus: 'entered-in-error',
    });
    expect(await world.link('referral/referral-pantry#fulfilment')).toMatchObject({ retired: false });
  });

  test('gets nothing new after the consent is withdrawn; recall is written, and a decision lists what had been sent', async () => {
    await partner();
    await world.send(...caseload(), ['consent', aConsent()]);
    const before = (await world.server.journal()).length;
    await world.send(['consent', aConsent({ status: 'revoked', revokedAt: later, updatedAt: later })]);
    await world.send(['goal', aGoal({ statement: 'A new secret.', updatedAt: '2026-02-21T10:00:00-05:00' })]);
    expect(await bodies(before)).not.toContain('A new secret');
    expect(await world.server.own('Goal', 'county/goal/goal-meals#goal')).toMatchObject({
      lifecycleStatus: 'entered-in-error',
    });
    expect(await world.server.own('Task', 'county/referral/referral-pantry#fulfilment')).toMatchObject({
      status: 'entered-in-error',
    });
    expect(await world.server.own('Patient', 'county/client/client-rosa#patient')).toMatchObject({ active: false });
    expect(await methods()).not.toContain('DELETE');
    const listed = await listedAsRecalled();
    expect(listed.map(({ resource }) => resource)).toEqual(expect.arrayContaining(someRecalled));
    expect(listed.every(({ sentAs }) => /^[A-Z]\w+\/\S+$/.test(String(sentAs)))).toBe(true);

    const { length } = await world.server.journal();
    for (const { kind } of await recalls()) await world.decide(kind, 'done');
    await world.workAgain();
    expect(await recalls()).toEqual([]);
    expect(await world.server.writes(length)).toEqual([]);
  });

  const elsewhere = () => aConsent({ id: 'consent-elsewhere', recipients: [{ name: 'another agency' }] });
  const said = async () =>
    (await world.server.all('Consent')).map((held) => [objectsAt(held, 'identifier')[0]?.value, held.status]);

  test.each([
    ['whose replies are heard', []],
    [
      'whose replies are lost',
      [1, 2].map((nth) => ({ method: 'POST', path: '$', nth, fault: { drop: 'after-commit' } })),
    ],
  ])(
    'is told, by writes %s, that consents are in force no more, not that they were mistakes; what was recalled is listed',
    async (_title, faults) => {
      await partner();
      await world.send(...caseload(), ['consent', aConsent()], ['consent', elsewhere()]);
      const before = (await world.server.journal()).length;
      await world.server.faults(...faults);
      await world.send(['consent', aConsent({ status: 'revoked', revokedAt: later, updatedAt: later })]);
      for (const held of await world.server.all('Consent')) expect(held).toMatchObject({ status: 'inactive' });
      expect(await world.link('consent/consent-rosa#consent')).toMatchObject({ generation: 2, state: 'withheld' });
      await world.workAgain();
      // One of the case, one of the client.
      expect(await world.server.writes(before)).toHaveLength(2);
      const listed = await listedAsRecalled();
      expect(listed.map(({ resource }) => resource)).toEqual(expect.arrayContaining(someRecalled));
    },
  );

  test.each([
    ['is deleted', { deleted: true }],
    ['was entered in error', { status: 'entered-in-error' as const }],
  ])('is told that a consent was a mistake which %s', async (_title, change) => {
    await partner();
    await world.send(...caseload(), ['consent', aConsent()]);
    await world.send(['consent', aConsent({ ...change, updatedAt: later })]);
    expect(await said()).toEqual([['county/consent/consent-rosa#consent', 'entered-in-error']]);
  });

  test('gets the case from the first moment of a consent on, by the days of the source, and nothing new after its last', async () => {
    const nextLook = async () => (await world.lane('county.case.case-rosa')).nextLookAt;
    await timeIs('2026-03-01T12:00:00Z');
    await partner();
    const period = { from: '2026-03-02', to: '2026-03-03' };
    await world.send(...caseload(), ['consent', aConsent({ period })]);
    await timeComes('2026-03-02T04:59:59Z');
    expect(await held()).toEqual([]);
    expect(await nextLook()).toEqual(new Date('2026-03-02T05:00:00Z'));
    await timeComes('2026-03-02T05:00:00Z');
    expect(await held()).toEqual(clientTypes);
    await timeComes('2026-03-04T04:59:59Z');
    expect(await world.server.own('Goal', 'county/goal/goal-meals#goal')).toMatchObject({ lifecycleStatus: 'active' });
    expect(await nextLook()).toEqual(new Date('2026-03-04T05:00:00Z'));
    await timeComes('2026-03-04T05:00:00Z');
    expect(await world.server.own('Goal', 'county/goal/goal-meals#goal')).toMatchObject({
      lifecycleStatus: 'entered-in-error',
    });
    expect(await world.server.own('Patient', 'county/client/client-rosa#patient')).toMatchObject({ active: false });
    expect(await nextLook()).toBeNull();
  });

  test('gets what is labelled from the moment on at which a signature begins to count that lay in the future', async () => {
    await timeIs('2026-03-01T12:00:00Z');
    await partner();
    // Accepted by a version that did not look at the time.
    const signedAt = '2026-03-02T05:00:00Z';
    await world.send(
      ...caseload(),
      ['need', aNeed({ sensitivity: ['hiv'], updatedAt: later })],
      ['consent', aConsent({ period: undefined, sensitivity: ['hiv'], signedAt })],
    );
    const conditions = async () => (await world.server.all('Condition')).length;
    expect((await world.lane('county.case.case-rosa')).nextLookAt).toEqual(new Date('2026-03-02T04:55:00Z'));
    await timeComes('2026-03-02T04:54:59Z');
    expect(await conditions()).toBe(0);
    await timeComes('2026-03-02T04:55:00Z');
    expect(await conditions()).toBe(1);
    expect((await world.lane('county.case.case-rosa')).nextLookAt).toBeNull();
  });

  test('after a withdrawal a second pass writes nothing', async () => {
    await partner();
    await world.send(...caseload(), ['consent', aConsent()]);
    await world.send(['consent', aConsent({ status: 'revoked', revokedAt: later, updatedAt: later })]);
    const before = (await world.server.journal()).length;
    await world.workAgain();
    expect(await world.server.writes(before)).toEqual([]);
  });

  test('a consent that is given again starts anew: what was recalled stays recalled', async () => {
    await partner();
    await world.send(...caseload(), ['consent', aConsent()]);
    await world.send(['consent', aConsent({ status: 'revoked', revokedAt: later, updatedAt: later })]);
    await world.send(['consent', aConsent({ id: 'consent-again', updatedAt: '2026-02-22T10:00:00-05:00' })]);
    const goals = await world.server.all('Goal');
    expect(goals.map(({ lifecycleStatus }) => lifecycleStatus)).toEqual(['entered-in-error', 'active']);
    const [, patient] = await world.server.all('Patient');
    expect(goals[1]).toMatchObject({ subject: { reference: `Patient/${patient?.id}` } });
  });

  test('given again while a search still shows the recalled Patient as it was, the case moves on to a new one', async () => {
    await partner();
    await world.server.settings({ searchLagMs: 60_000 });
    await world.send(...caseload(), ['consent', aConsent()]);
    await world.server.control('POST', 'clock', { advance: '2m' });
    await world.send(['consent', aConsent({ status: 'revoked', revokedAt: later, updatedAt: later })]);
    await world.send(['consent', aConsent({ id: 'consent-again', updatedAt: '2026-02-22T10:00:00-05:00' })]);
    const [recalled, patient] = await world.server.all('Patient');
    expect([recalled?.active, patient?.active]).toEqual([false, undefined]);
    const active = (await world.server.all('Goal')).filter(({ lifecycleStatus }) => lifecycleStatus === 'active');
    expect(active).toMatchObject([{ subject: { reference: `Patient/${patient?.id}` } }]);
  });

  test('given again before the reply to the recall of its Patient was heard, the case moves on to the new one', async () => {
    await partner();
    await world.send(...caseload(), ['consent', aConsent()]);
    await world.accept(['consent', aConsent({ status: 'revoked', revokedAt: later, updatedAt: later })]);
    await world.run('county.case.case-rosa');
    await world.server.strikeOnce('POST', '$', { drop: 'after-commit' });
    await world.run('county.client.client-rosa');
    await world.accept(['consent', aConsent({ id: 'consent-again', updatedAt: '2026-02-22T10:00:00-05:00' })]);
    await world.run('county.case.case-rosa');
    await world.work();
    const [, patient] = await world.server.all('Patient');
    expect(patient).toMatchObject({ id: expect.any(String) });
    const active = (await world.server.all('Goal')).filter(({ lifecycleStatus }) => lifecycleStatus === 'active');
    expect(active).toMatchObject([{ subject: { reference: `Patient/${patient?.id}` } }]);
    const before = (await world.server.journal()).length;
    await world.workAgain();
    expect(await world.server.writes(before)).toEqual([]);
  });
});

describe('a record with a sensitivity label', () => {
  const secret = () =>
    aNeed({
      id: 'need-secret',
      sensitivity: ['mental-health'],
      domain: 'mental-health',
      description: 'Very private words.',
    });

  test('is withheld even on the basis of treatment, with state and reason, and no trace in any request', async () => {
    await world.send(...caseload(), ['need', secret()]);
    expect(await world.link('need/need-secret#condition')).toMatchObject({
      state: 'withheld',
      reason: 'consent-missing',
      remoteId: null,
    });
    expect(await bodies()).not.toContain('Very private words');
    expect(await bodies()).not.toContain('need-secret');
    expect(await world.server.all('Condition')).toHaveLength(1);
  });

  test('leaves no trace either where something points at it', async () => {
    const referral = aReferral({ needIds: ['need-food', 'need-secret'] });
    await world.send(...caseload(), ['need', secret()], ['referral', { ...referral, updatedAt: later }]);
    expect(await bodies()).not.toContain('need-secret');
    const request = await world.server.own('ServiceRequest', 'county/referral/referral-pantry#request');
    expect(request.reasonReference).toHaveLength(1);
  });

  test('goes out once a consent names the label, marked as restricted', async () => {
    const organization = { source: 'county', id: 'org-pantry' };
    await world.connect(aConnection(world.server.base, { organization }));
    await world.send(...caseload(), ['need', secret()]);
    await world.send(['consent', aConsent({ sensitivity: ['mental-health'] })]);
    const condition = await world.server.own('Condition', 'county/need/need-secret#condition');
    expect(JSON.stringify(condition.meta)).toContain('"R"');
  });

  test('that gets its label later is recalled', async () => {
    await sendCase();
    await world.send(['need', aNeed({ sensitivity: ['mental-health'], updatedAt: later })]);
    expect(await world.server.own('Condition', 'county/need/need-food#condition')).toMatchObject({
      verificationStatus: { coding: [{ code: 'entered-in-error' }] },
    });
  });
});

async function writtenTypes(after: number): Promise<unknown[]> {
  const writes = await world.server.writes(after);
  return writes.flatMap(({ writes: made }) =>
    Array.isArray(made) ? made.filter(isObject).map(({ resourceType }) => resourceType) : [],
  );
}

/** Everything that we ever sent, as text. */
async function bodies(after = 0): Promise<string> {
  const sent: JsonObject[] = await world.server.journal(after);
  return sent.map(({ url, requestBody }) => `${url} ${JSON.stringify(requestBody ?? null)}`).join('\n');
}
