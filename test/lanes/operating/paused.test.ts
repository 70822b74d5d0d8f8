// A connection that a fault has paused is asked again by itself and resumes when the fault is gone; one that an operator paused stays.

import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { JWK } from 'jose';
import { type Connection, generateKey, openConnection, publicKeySet } from '../../../src/connections/connections.ts';
import { reason } from '../../../src/errors.ts';
import { prepareConnection, probePaused, setPaused, sharedBudget } from '../../../src/lanes/lanes.ts';
import { pauseForFault } from '../../../src/lanes/operating/pause.ts';
import { json } from '../../../src/store/store.ts';
import { anOrganization } from '../../builders.ts';
import { directoryAndClient } from '../../support/caseload.ts';
import { freshEmbedded } from '../../support/embedded.ts';
import { aConfig, aConnection, accept, eventually, startTestGateway } from '../../support/rig.ts';
import { useWorld } from '../../support/world.ts';

const world = useWorld();
const minute = 60_000;

let key: JWK;
let asked: Connection;

beforeEach(async () => {
  key = await generateKey();
  const auth = { type: 'smart-backend', clientId: 'casebridge', key, scopes: ['system/*.crus'] } as const;
  const config = aConnection(world.server.base, { auth });
  const budgetOf = (process: string) => ({ budget: sharedBudget(world.store, config, process, Math.random) });
  asked = openConnection(config, budgetOf('asking'));
  await world.server.settings({ auth: 'token' });
  await world.connect(config, budgetOf('working'));
});
afterEach(() => asked.close());

async function register(registered: JWK): Promise<void> {
  const client = { clientId: 'casebridge', jwks: await publicKeySet([registered]), scopes: ['system/*.crus'] };
  await world.server.control('POST', 'clients', [client]);
}

const mend = () => register(key);

let probes = 0;
async function probe(): Promise<number> {
  return probePaused(world.deps, async () => {
    probes += 1;
    const { reachable, auth } = await asked.diagnose();
    return { ok: reachable && auth.ok };
  });
}

/** In minutes; undefined: it is not asked again by itself. */
async function nextProbeIn(): Promise<number | undefined> {
  const { probe_at } = await row();
  const now = await world.store.now();
  return probe_at === null ? undefined : Math.round((probe_at.getTime() - now.getTime()) / minute);
}

async function row() {
  return world.store.db.selectFrom('connection').selectAll().where('id', '=', 'general').executeTakeFirstOrThrow();
}

/** The time of the next probe comes; the minute in which nobody asks for a token again is over by then. */
async function makeDue(): Promise<void> {
  await world.store.db
    .updateTable('budget')
    .set({ state: json({}) })
    .execute();
  await world.store.db
    .updateTable('connection')
    .set({ probe_at: await world.store.now() })
    .execute();
}

async function pauseByFault(): Promise<void> {
  await world.send(...directoryAndClient());
  expect(await world.alerts()).toMatchObject([{ topic: 'connection-paused:general', count: 1 }]);
  probes = 0;
}

describe('E4 a connection whose client the token endpoint refuses', () => {
  test('is left alone for five minutes, then ten, twenty, forty, and an hour from there on', async () => {
    await pauseByFault();
    expect(await nextProbeIn()).toBe(5);
    expect(await probe()).toBe(0);
    expect(probes).toBe(0);
    for (const wait of [10, 20, 40, 60, 60]) {
      await makeDue();
      expect(await probe()).toBe(0);
      expect(await nextProbeIn()).toBe(wait);
    }
    expect(probes).toBe(5);
    expect(await world.alerts()).toMatchObject([{ topic: 'connection-paused:general', count: 1 }]);
  });

  test('resumes when it is let in, closes its alert, and sends what waited', async () => {
    await pauseByFault();
    await mend();
    await makeDue();
    expect(await probe()).toBe(1);
    expect((await row()).paused).toBeNull();
    expect(await nextProbeIn()).toBeUndefined();
    expect(await world.alerts()).toEqual([]);
    await world.work();
    expect((await world.server.all('Organization')).length).toBeGreaterThan(0);
  });

  test('that falls back into its fault soon after goes on with the longer pauses', async () => {
    await pauseByFault();
    for (const _time of [1, 2]) {
      await makeDue();
      await probe();
    }
    await mend();
    await makeDue();
    expect(await probe()).toBe(1);
    await register(await generateKey());
    await world.server.control('POST', 'tokens/expire', {});
    await world.work();
    expect(await world.alerts()).toHaveLength(1);
    expect(await nextProbeIn()).toBe(40);
  });

  test('is asked once when two processes look at the same time', async () => {
    await pauseByFault();
    await makeDue();
    await Promise.all([probe(), probe()]);
    expect(probes).toBe(1);
  });
});

describe('a connection that an operator paused', () => {
  test('is never asked and stays paused', async () => {
    await setPaused(world.store, 'general', reason('connection-paused', { why: ' by ops' }));
    expect(await nextProbeIn()).toBeUndefined();
    await mend();
    expect(await probe()).toBe(0);
    expect((await row()).paused).not.toBeNull();
  });

  test('stays paused although a fault had paused it before', async () => {
    await pauseByFault();
    await setPaused(world.store, 'general', reason('connection-paused', { why: ' by ops' }));
    await mend();
    expect(await nextProbeIn()).toBeUndefined();
    expect(await probe()).toBe(0);
    expect((await row()).paused).toMatchObject({ text: 'The connection is paused by ops.' });
    const { reason: told, count } = await world.store.db.selectFrom('alert').selectAll().executeTakeFirstOrThrow();
    expect([told.text, count]).toEqual(['The connection is paused by ops.', 1]);
    expect(await world.report()).toMatchObject({
      paused: { text: 'The connection is paused by ops.' },
      draining: null,
      otherConfigurationSince: null,
      findings: [{ code: 'connection-paused' }, { code: 'connection-client-unknown' }],
    });
  });

  test('while it was being asked stays paused', async () => {
    await pauseByFault();
    await makeDue();
    const resumed = await probePaused(world.deps, async () => {
      await setPaused(world.store, 'general', reason('connection-paused', { why: ' by ops' }));
      return { ok: true };
    });
    expect(resumed).toBe(0);
    expect((await row()).paused).not.toBeNull();
  });
});

test('a gateway that starts with a mended configuration asks at once, resumes and sends', async () => {
  const store = await freshEmbedded();
  const auth = { type: 'bearer', token: 'good' } as const;
  const config = aConfig([aConnection(world.server.base, { auth })]);
  await world.server.settings({ auth: 'token', bearerToken: 'good' });
  for (const connection of config.connections.values()) await prepareConnection(store, connection);
  await pauseForFault({ store, log: world.deps.log }, 'general', reason('server-credentials-refused', { status: 401 }));

  const gateway = await startTestGateway(store, config);
  await accept(gateway, ['organization', anOrganization()]);
  await eventually(async () => (await world.server.all('Organization')).length === 1, 'the organization on the server');
  const { paused } = await store.db.selectFrom('connection').select('paused').executeTakeFirstOrThrow();
  const open = await store.db.selectFrom('alert').select('topic').where('resolved_at', 'is', null).execute();
  await gateway.stop();
  expect({ paused, open }).toEqual({ paused: null, open: [] });
});
