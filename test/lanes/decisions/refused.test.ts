// What a server refuses parks itself and its dependants only; a connection at fault rests as a whole (lanes.md 1, 10; G5;
// design "Errors").

import { describe, expect, test } from '@jest/globals';
import { exportJWK, generateKeyPair } from 'jose';
import { setPaused } from '../../../src/lanes/lanes.ts';
import { aClient, aGoal, anOrganization, aReferral } from '../../builders.ts';
import { caseWithReferral, directoryAndClient } from '../../support/caseload.ts';
import { aConnection } from '../../support/rig.ts';
import { partnerEdits, useWorld } from '../../support/world.ts';

const world = useWorld();
const lane = 'county.case.case-rosa';

async function sendCase(): Promise<void> {
  await world.send(...caseWithReferral());
}

async function sendDirectory(): Promise<void> {
  await world.send(...directoryAndClient());
}

async function refuse(path: string, status: number): Promise<void> {
  const issue = [{ severity: 'error', code: 'invalid', diagnostics: 'Rosa Delgado is not allowed' }];
  const body = { resourceType: 'OperationOutcome', issue };
  await world.server.faults(
    { method: 'POST', path, fault: { status, body } },
    // A transaction that holds such a resource is refused as a whole.
    { method: 'POST', path: '$', fault: { status, body } },
  );
}

async function stateOf(name: string): Promise<string> {
  const { state, reason } = await world.link(name);
  return reason === undefined ? state : `${state}: ${reason}`;
}

describe('a resource that is always refused', () => {
  test('the transaction fails once as a whole, then its parts go as single requests; the rest is there', async () => {
    await sendDirectory();
    await refuse('Goal', 422);
    await sendCase();
    const refused = (await world.server.journal()).filter(
      ({ url, status }) => url === '/standard/fhir/R4' && status === 422,
    );
    expect(refused).toHaveLength(1);
    expect(await stateOf('goal/goal-meals#goal')).toBe('parked: server-refused');
    expect(await world.lane(lane)).toMatchObject({ hasWork: false, parked: 'server-refused' });
    for (const type of ['EpisodeOfCare', 'CareTeam', 'Condition', 'ServiceRequest', 'Task', 'CarePlan']) {
      expect(await world.server.all(type)).toHaveLength(1);
    }
  });

  test('what needs it waits and shows its reason; what only mentions it goes out without', async () => {
    await sendDirectory();
    await refuse('ServiceRequest', 422);
    await sendCase();
    expect(await stateOf('referral/referral-pantry#request')).toBe('parked: server-refused');
    expect(await stateOf('referral/referral-pantry#fulfilment')).toBe('waiting: server-refused');
    expect(await stateOf('goal/goal-meals#goal')).toBe('current');
    expect(await world.server.all('Task')).toEqual([]);
  });

  test('waits in another lane show the reason of the lane that is parked', async () => {
    await refuse('Patient', 422);
    await sendDirectory();
    await sendCase();
    expect(await world.lane('county.client.client-rosa')).toMatchObject({ parked: 'server-refused' });
    expect(await stateOf('goal/goal-meals#goal')).toBe('waiting: server-refused');
  });

  test('is not tried again by a poll or a second pass', async () => {
    await sendDirectory();
    await refuse('Goal', 422);
    await sendCase();
    const before = (await world.server.journal()).length;
    await world.poll();
    await world.workAgain();
    const tried = (await world.server.journal(before)).filter(({ method }) => method !== 'GET');
    expect(tried).toEqual([]);
    expect(await world.lane(lane)).toMatchObject({ parked: 'server-refused' });
  });

  test('goes out with a new version of its record, once the server takes it', async () => {
    await sendDirectory();
    await refuse('Goal', 422);
    await sendCase();
    await world.server.mend();
    await world.send(['goal', aGoal({ statement: 'Food every day.', updatedAt: '2026-02-20T10:00:00-05:00' })]);
    const goal = await world.server.own('Goal', 'county/goal/goal-meals#goal');
    expect(goal).toMatchObject({ description: { text: 'Food every day.' } });
    expect(await world.server.own('CarePlan', 'county/carePlan/plan-rosa#plan')).toMatchObject({
      goal: [{ reference: `Goal/${goal.id}` }],
    });
    expect(await world.lane(lane)).toMatchObject({ parked: undefined, reason: undefined });
  });

  test('an update that is refused parks, and later updates of others go on', async () => {
    await sendDirectory();
    await sendCase();
    const body = { resourceType: 'OperationOutcome', issue: [{ severity: 'error', code: 'invalid' }] };
    await world.server.faults(
      { method: 'PUT', path: 'Goal', fault: { status: 422, body } },
      { method: 'POST', path: '$', fault: { status: 422, body } },
    );
    await world.send(['goal', aGoal({ statement: 'Food every day.', updatedAt: '2026-02-20T10:00:00-05:00' })]);
    expect(await stateOf('goal/goal-meals#goal')).toBe('parked: server-refused');
    const before = (await world.server.journal()).length;
    await world.workAgain();
    expect((await world.server.journal(before)).filter(({ method }) => method !== 'GET')).toEqual([]);
  });

  test('beside one that the server cannot take just now, is not sent again each time that it is tried', async () => {
    await sendDirectory();
    await sendCase();
    const body = { resourceType: 'OperationOutcome', issue: [{ severity: 'error', code: 'invalid' }] };
    await world.server.settings({ transactions: false });
    await world.server.faults(
      { method: 'PUT', path: 'Goal', fault: { status: 422, body } },
      { method: 'PUT', path: 'Task', fault: { status: 423 } },
    );
    const before = (await world.server.journal()).length;
    const updatedAt = '2026-02-20T10:00:00-05:00';
    await world.accept(
      ['goal', aGoal({ priority: 'low', updatedAt })],
      ['referral', aReferral({ urgency: 'urgent', updatedAt })],
    );
    await world.work({ tries: 3 });
    const puts = (await world.server.journal(before)).filter(({ method }) => method === 'PUT');
    expect(puts.filter(({ url }) => String(url).includes('/Goal/'))).toHaveLength(1);
    expect(puts.filter(({ url }) => String(url).includes('/Task/'))).toHaveLength(3);
    await world.server.mend();
    await world.work();
    expect(await world.lane(lane)).toMatchObject({ hasWork: false, parked: 'server-refused' });
    expect(await world.openDecisions()).toMatchObject([{ kind: 'refused-write' }]);
    await world.decide('refused-write', 'retry');
    await world.work();
    expect(await world.lane(lane)).toMatchObject({ hasWork: false, parked: undefined });
  });

  test('beside an open question about an element of it, too, parks and is asked about, and is not sent again', async () => {
    await sendDirectory();
    await sendCase();
    const { id } = await world.server.own('Goal', 'county/goal/goal-meals#goal');
    await partnerEdits(world.server, `Goal/${id}`, (goal) => ({ ...goal, description: { text: 'Meals.' } }));
    await world.workAgain();
    expect(await world.openDecisions()).toMatchObject([{ kind: 'conflict', code: 'remote-edit' }]);
    const body = { resourceType: 'OperationOutcome', issue: [{ severity: 'error', code: 'invalid' }] };
    await world.server.faults({ method: 'PUT', path: 'Goal', fault: { status: 422, body } });
    await world.server.settings({ transactions: false });
    await world.send(['goal', aGoal({ priority: 'low', updatedAt: '2026-02-20T10:00:00-05:00' })]);
    expect(await stateOf('goal/goal-meals#goal')).toBe('parked: server-refused');
    const before = (await world.server.journal()).length;
    await world.workAgain();
    expect((await world.server.journal(before)).filter(({ method }) => method !== 'GET')).toEqual([]);
    expect(await world.lane(lane)).toMatchObject({ parked: 'server-refused' });
    expect((await world.openDecisions()).map(({ kind }) => kind)).toEqual(['conflict', 'refused-write']);
  });

  test('says why without a word of the record or of the server', async () => {
    await sendDirectory();
    await refuse('Goal', 422);
    await sendCase();
    const rows = await world.store.db.selectFrom('lane').select(['reason', 'parked']).execute();
    const links = await world.store.db.selectFrom('link').select('reason').execute();
    expect(JSON.stringify([rows, links])).not.toMatch(/Delgado|allowed/);
    expect(JSON.stringify(rows)).toContain('422');
  });

  test('403 parks as denied', async () => {
    await sendDirectory();
    await refuse('Goal', 403);
    await sendCase();
    expect(await stateOf('goal/goal-meals#goal')).toBe('parked: server-denied');
  });

  test('a server that answers nothing but 500 to reads is tried again, not parked', async () => {
    await world.accept(['organization', anOrganization({ identifiers: [{ kind: 'npi', value: '1234567893' }] })]);
    await world.server.faults({ method: 'GET', path: 'Organization', times: 5, nth: 1, fault: { status: 500 } });
    await world.work({ tries: 2 });
    expect(await world.lane('county.organization.org-pantry')).toMatchObject({
      hasWork: true,
      parked: undefined,
      attempts: 2,
    });
    await world.work();
    expect(await world.server.all('Organization')).toHaveLength(1);
  });
});

describe('a connection whose credentials are refused', () => {
  test('is paused as a whole with one alert, and nothing is parked', async () => {
    await world.server.settings({ auth: 'token', bearerToken: 'good' });
    await world.connect(aConnection(world.server.base, { auth: { type: 'bearer', token: 'bad' } }));
    await sendDirectory();
    await sendCase();
    const alerts = await world.alerts();
    expect(alerts).toMatchObject([{ topic: 'connection-paused:general', count: 1 }]);
    const lanes = await world.store.db.selectFrom('lane').selectAll().execute();
    expect(lanes.filter(({ parked }) => parked !== null)).toEqual([]);
    expect(await world.server.all('Organization')).toEqual([]);
  });

  test('goes on with everything when it is resumed, and the alert is closed', async () => {
    await world.server.settings({ auth: 'token', bearerToken: 'good' });
    await world.connect(aConnection(world.server.base, { auth: { type: 'bearer', token: 'bad' } }));
    await sendDirectory();
    await sendCase();
    await world.connect(aConnection(world.server.base, { auth: { type: 'bearer', token: 'good' } }));
    await setPaused(world.store, 'general', undefined);
    await world.work();
    expect(await world.alerts()).toEqual([]);
    expect(await world.server.all('Task')).toHaveLength(1);
  });

  test('by a search, before anything was written, is paused too', async () => {
    await sendDirectory();
    await world.server.settings({ auth: 'token', bearerToken: 'good' });
    await world.send(['client', aClient({ id: 'client-new', updatedAt: '2026-02-20T10:00:00-05:00' })]);
    expect(await world.alerts()).toMatchObject([{ topic: 'connection-paused:general', count: 1 }]);
  });

  test('by a poll is paused too', async () => {
    await sendDirectory();
    await sendCase();
    await world.server.settings({ auth: 'token', bearerToken: 'good' });
    await world.poll();
    expect(await world.alerts()).toMatchObject([{ topic: 'connection-paused:general', count: 1 }]);
  });

  test('by the token endpoint is paused too, with the reason in the alert', async () => {
    const { privateKey } = await generateKeyPair('ES384', { extractable: true });
    const key = { ...(await exportJWK(privateKey)), alg: 'ES384', kid: 'one' };
    const auth = { type: 'smart-backend', clientId: 'nobody', key, scopes: ['system/*.crus'] } as const;
    await world.connect(aConnection(world.server.base, { auth }));
    await world.server.settings({ auth: 'token' });
    await sendDirectory();
    expect(await world.alerts()).toMatchObject([{ code: 'connection-paused', count: 1 }]);
    expect(await world.server.all('Organization')).toEqual([]);
  });

  test('that are withdrawn in the middle pause it; no write is lost or doubled', async () => {
    await world.send(...directoryAndClient());
    await world.server.strikeOnce('POST', '$', { status: 401 });
    await world.send(...caseWithReferral());
    expect(await world.alerts()).toMatchObject([{ code: 'connection-paused' }]);
    await setPaused(world.store, 'general', undefined);
    await world.work();
    expect(await world.server.all('Goal')).toHaveLength(1);
    expect(await world.server.all('Task')).toHaveLength(1);
  });
});
