// The main job, end to end over real HTTP: records in, FHIR out, the partner's answer back. Judged from the server's own store.

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Gateway } from '../../src/gateway.ts';
import { isObject, type JsonObject } from '../../src/json.ts';
import { aReferral } from '../builders.ts';
import { caseload, slotsOfCaseload } from '../support/caseload.ts';
import { freshEmbedded } from '../support/embedded.ts';
import {
  aConfig,
  aConnection,
  accept,
  eventually,
  idle,
  ownCounts,
  secondPass,
  startServer,
  startTestGateway,
  type TestServer,
} from '../support/rig.ts';

let server: TestServer;
let gateway: Gateway;

beforeAll(async () => {
  server = await startServer();
  gateway = await startTestGateway(await freshEmbedded(), aConfig([aConnection(server.base)]));
});

afterAll(async () => {
  await gateway?.stop();
  await server?.stop();
});

describe('the main job', () => {
  test('a caseload sent in reverse order ends as one resource per slot', async () => {
    await accept(gateway, ...caseload().toReversed());
    await idle(gateway);
    expect(await ownCounts(server)).toEqual(Object.fromEntries(slotsOfCaseload.map((slot) => [slot, 1])));
    const task = await server.own('Task', 'county/referral/referral-pantry#fulfilment');
    const request = await server.own('ServiceRequest', 'county/referral/referral-pantry#request');
    expect(task).toMatchObject({
      status: 'requested',
      intent: 'order',
      focus: { reference: `ServiceRequest/${request.id}` },
    });
  });

  test('a second pass reads every linked resource again and writes nothing', async () => {
    const before = (await server.journal()).length;
    await secondPass(gateway);
    const since = await server.journal(before);
    expect(since.filter(({ method }) => method === 'GET').length).toBeGreaterThanOrEqual(slotsOfCaseload.length);
    expect(await server.writes(before)).toEqual([]);
  });

  test('the partner accepts, works and completes; each answer is in the change feed, once', async () => {
    for (const status of ['accepted', 'in-progress', 'completed']) {
      await moveTask(status);
      await eventually(
        async () => (await changes()).some(({ body }) => body?.status === status),
        `a change to ${status}`,
      );
    }
    expect((await changes()).map(({ op, type, id, body }) => [op, type, id, body?.status])).toEqual([
      ['patch', 'referral', 'referral-pantry', 'accepted'],
      ['patch', 'referral', 'referral-pantry', 'in-progress'],
      ['patch', 'referral', 'referral-pantry', 'completed'],
    ]);
  });

  test('a record whose source has not taken over the answer overwrites nothing', async () => {
    const before = (await server.journal()).length;
    const later = aReferral({ updatedAt: '2026-02-05T10:00:00-05:00', requestedText: 'Groceries for three' });
    await accept(gateway, ['referral', later]);
    await idle(gateway);
    const task = await server.own('Task', 'county/referral/referral-pantry#fulfilment');
    const request = await server.own('ServiceRequest', 'county/referral/referral-pantry#request');
    expect(task.status).toBe('completed');
    expect(request).toMatchObject({ status: 'active', code: { text: 'Groceries for three' } });
    expect(await server.writes(before)).toHaveLength(1);
  });

  test('once the source has taken it over, the order is completed as well', async () => {
    await accept(gateway, ['referral', await takenOver()]);
    await idle(gateway);
    const request = await server.own('ServiceRequest', 'county/referral/referral-pantry#request');
    expect(request.status).toBe('completed');
    expect(await gateway.api.store.db.selectFrom('remote_value').selectAll().execute()).toEqual([]);
  });
});

async function moveTask(status: string): Promise<void> {
  const task = await server.own('Task', 'county/referral/referral-pantry#fulfilment');
  const current = await server.fhir('GET', `Task/${task.id}`);
  const reply = await server.fhir(
    'PUT',
    `Task/${task.id}`,
    { ...current.body, status },
    { 'if-match': current.etag ?? '' },
  );
  expect(reply.status).toBe(200);
}

function changes() {
  return gateway.api.store.db.selectFrom('change').selectAll().orderBy('cursor').execute();
}

/** The referral as a source would make it that has merged every change, lists by the id of their items. */
async function takenOver(): Promise<JsonObject> {
  const patches: JsonObject[] = (await changes()).flatMap(({ body }) => (body === null ? [] : [body]));
  const items = patches.flatMap(({ history }) => (Array.isArray(history) ? history.filter(isObject) : []));
  return {
    ...aReferral({ requestedText: 'Groceries for three' }),
    ...Object.assign({}, ...patches),
    history: [...new Map(items.map((item) => [item.id, item])).values()],
    updatedAt: '2026-02-06T10:00:00-05:00',
  };
}
