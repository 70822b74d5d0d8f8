// A server that gets a mirror of Tasks which live elsewhere (closed-loop B1, `task: copy`): nobody but us moves them there.

import { expect, test } from '@jest/globals';
import { isObject, type JsonObject } from '../../../src/json.ts';
import { aReferral } from '../../builders.ts';
import { caseload } from '../../support/caseload.ts';
import { partnerEdits, useWorld } from '../../support/world.ts';

const world = useWorld({ task: 'copy' });
const task = () => world.server.own('Task', 'county/referral/referral-pantry#fulfilment');

/** The referral as its source has taken it over from where the Task lives. */
function after(status: string, more: JsonObject = {}, day = '20'): JsonObject {
  const at = `2026-02-${day}T10:00:00-05:00`;
  const referral: JsonObject = aReferral();
  const history = [...(Array.isArray(referral.history) ? referral.history : []), { id: `h${day}`, status, at }];
  return { ...referral, ...more, status, history, updatedAt: at };
}

async function send(...statuses: readonly JsonObject[]): Promise<void> {
  for (const referral of statuses) await world.send(['referral', referral]);
}

test('what the performer does is mirrored, whosever move it is', async () => {
  await world.send(...caseload());
  expect((await task()).meta).toMatchObject({
    tag: expect.arrayContaining([expect.objectContaining({ code: 'copy' })]),
  });
  await send(after('accepted'), after('in-progress', {}, '21'));
  expect(await task()).toMatchObject({ status: 'in-progress' });
  await send(after('completed', { outcome: { code: 'service-received' } }, '22'));
  expect(await task()).toMatchObject({ status: 'completed' });
  expect(await world.openDecisions()).toEqual([]);
  expect(await world.changes()).toEqual([]);
});

test('a refusal is mirrored with its reason, on the way that the diagram allows', async () => {
  await world.send(...caseload());
  await send(after('declined', { declineReason: 'no-capacity', declineText: 'Full until May' }));
  expect(await task()).toMatchObject({ status: 'rejected', statusReason: { text: 'Full until May' } });
});

test('what somebody changes there is no change of the referral, and a person is asked', async () => {
  await world.send(...caseload());
  const { id } = await task();
  await partnerEdits(world.server, `Task/${id}`, (one) => ({
    ...one,
    status: 'accepted',
    note: [{ text: 'Said in the wrong place.' }],
  }));
  await world.poll();
  await world.work();
  expect(await world.changes()).toEqual([]);
  expect((await world.openDecisions()).map(({ code }) => code).sort()).toEqual(['copy-edited', 'remote-edit']);
  const { body } = await world.server.fhir('GET', `Task/${id}`);
  expect(isObject(body) && body.status).toBe('accepted');
});
