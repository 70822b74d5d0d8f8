// A hospital asks to cancel what it has referred to us, by its Task or by a Task of its own (BSeR), and is answered.

import { describe, expect, test } from '@jest/globals';
import type { JsonObject } from '../../../src/json.ts';
import { sweepAt } from '../../clocks/kept.ts';
import {
  begunOn,
  feed,
  hospitalHas,
  only,
  seen,
  sourceAdopts,
  sourceIsThere,
  sourceMoves,
  task,
} from '../../support/begun.ts';
import { partnerEdits, useWorld } from '../../support/world.ts';

const world = useWorld({ inboundTo: 'county' });
const { begins, isAdopted, journalled, statusesOf } = begunOn(world);

describe('the hospital asks to cancel', () => {
  const bser = 'http://hl7.org/fhir/us/bser/CodeSystem/TaskBusinessStatusCS';
  const asking: JsonObject = {
    status: 'in-progress',
    businessStatus: { coding: [{ system: bser, code: '5.2', display: 'Cancellation Requested' }] },
    statusReason: { text: 'She has moved away.' },
  };
  const reason = 'She has moved away.';
  const abort: JsonObject = {
    ...task,
    id: 'abort-1',
    code: { coding: [{ system: 'http://hl7.org/fhir/CodeSystem/task-code', code: 'abort' }] },
    focus: { reference: 'Task/task-1' },
    authoredOn: '2026-03-03T09:00:00-05:00',
    reasonCode: { text: reason },
  };
  const request = { at: '2026-03-03T09:00:00-05:00', reason };

  async function hospitalSays(more: JsonObject, path = 'Task/task-1'): Promise<void> {
    await partnerEdits(world.server, path, (held) => ({ ...held, ...more }));
    await seen(world);
  }
  const told = async () =>
    (await feed(world)).flatMap(({ op, type, body }) => (op === 'patch' && type === 'referral' ? [body] : []));
  const taskOf = async (id: string) => (await world.server.all('Task')).find((one) => one.id === id);

  async function isAccepted(): Promise<void> {
    await isAdopted();
    await sourceMoves(world, 'accepted');
  }

  describe('in the two steps of BSeR', () => {
    test('is told once, changes nothing else, and is answered by cancelled as 6.0', async () => {
      await isAccepted();
      await hospitalSays(asking);
      await hospitalSays({ description: 'Please answer soon' });
      await world.workAgain();
      const asked = (await told()).filter((body) => 'cancelRequest' in body);
      expect(asked).toEqual([{ cancelRequest: { at: expect.any(String), reason } }]);
      expect(await taskOf('task-1')).toMatchObject({
        status: 'in-progress',
        businessStatus: { coding: [{ code: '5.2' }] },
      });
      expect(await world.openDecisions()).toEqual([]);
      await sourceMoves(world, 'cancelled', asked[0]);
      expect(await taskOf('task-1')).toMatchObject({
        status: 'cancelled',
        businessStatus: { coding: [{ system: bser, code: '6.0', display: 'Fulfillment Cancelled' }] },
      });
      await world.workAgain();
      expect(await world.openDecisions()).toEqual([]);
    });

    test('is answered by completed as 7.0, where the work was done already', async () => {
      await isAccepted();
      await hospitalSays(asking);
      await sourceMoves(world, 'completed', {
        outcome: { code: 'other', at: '2026-03-05T09:00:00-05:00', text: 'Done' },
      });
      expect(await taskOf('task-1')).toMatchObject({
        status: 'completed',
        businessStatus: { coding: [{ system: bser, code: '7.0' }] },
      });
      expect(await world.openDecisions()).toEqual([]);
    });

    test('and takes it back: so the source is told, and asked anew it is told anew', async () => {
      await isAccepted();
      const { businessStatus: _none, statusReason: _nothing, ...before } = await only(world, 'Task');
      await hospitalSays(asking);
      const { etag } = await world.server.fhir('GET', 'Task/task-1');
      await world.server.fhir('PUT', 'Task/task-1', before, etag === undefined ? {} : { 'if-match': etag });
      await seen(world);
      expect((await told()).at(-1)).toEqual({ cancelRequest: null });
      await hospitalSays(asking);
      expect((await told()).at(-1)).toMatchObject({ cancelRequest: { reason } });
      expect(await world.openDecisions()).toEqual([]);
    });

    test('of one that has ended changes nothing', async () => {
      await isAccepted();
      await sourceMoves(world, 'completed', {
        outcome: { code: 'other', at: '2026-03-05T09:00:00-05:00', text: 'Done' },
      });
      const before = await feed(world);
      const { status: _asked, ...question } = asking;
      await hospitalSays(question);
      expect(await feed(world)).toEqual(before);
      expect(await taskOf('task-1')).toMatchObject({
        status: 'completed',
        businessStatus: { coding: [{ code: '5.2' }] },
      });
    });

    test('before anybody has answered withdraws nothing: it is said with the proposal, and taken out of it', async () => {
      await begins();
      const { businessStatus: _none, ...before } = await only(world, 'Task');
      await hospitalSays(asking);
      const referrals = async () => (await feed(world)).filter(({ type }) => type === 'referral');
      expect(await referrals()).toMatchObject([
        { op: 'propose', body: { status: 'received' } },
        { op: 'propose', body: { status: 'received', cancelRequest: { reason } } },
      ]);
      const { etag } = await world.server.fhir('GET', 'Task/task-1');
      await world.server.fhir('PUT', 'Task/task-1', before, etag === undefined ? {} : { 'if-match': etag });
      await seen(world);
      expect((await referrals()).at(-1)).toMatchObject({ op: 'propose', body: { status: 'received' } });
      expect((await referrals()).at(-1)?.body).not.toHaveProperty('cancelRequest');
      await hospitalSays(asking);
      await sourceIsThere(world);
      await sourceAdopts(world);
      expect(await told()).toEqual([]);
      await sourceMoves(world, 'cancelled');
      expect(await taskOf('task-1')).toMatchObject({
        status: 'cancelled',
        businessStatus: { coding: [{ code: '6.0' }] },
      });
      expect(await world.openDecisions()).toEqual([]);
    });
  });

  describe('by a Task of its own', () => {
    const askedBy = async (...aborts: readonly JsonObject[]) => {
      await hospitalHas(world, ...aborts);
      await seen(world);
    };

    test('is told once, proposed as nothing, and answered by completed once the source has cancelled', async () => {
      await isAccepted();
      const before = (await feed(world)).length;
      await askedBy(abort, { ...abort, id: 'abort-2', authoredOn: '2026-03-03T10:00:00-05:00' });
      await world.workAgain();
      expect((await feed(world)).slice(before).map(({ op, body }) => [op, body])).toEqual([
        ['patch', { cancelRequest: request }],
      ]);
      // The clock runs before the source has taken it over.
      await sweepAt(world.store, '2026-03-05T13:00:00Z');
      const clocks = world.store.db.selectFrom('clock').select('state').where('rule', '=', 'cancel-answer-48h');
      expect(await clocks.execute()).toEqual([{ state: 'due-soon' }]);
      expect(await taskOf('task-1')).toMatchObject({ status: 'accepted' });
      await sourceMoves(world, 'cancelled', { cancelRequest: request });
      await world.workAgain();
      expect(await taskOf('task-1')).toMatchObject({ status: 'cancelled' });
      expect(await taskOf('abort-1')).toMatchObject({ status: 'completed', reasonCode: { text: reason } });
      expect(await taskOf('abort-2')).toMatchObject({ status: 'completed' });
      expect(await world.openDecisions()).toEqual([]);
    });

    test('is answered by rejected, with the reason, where the referral has been completed instead', async () => {
      await isAccepted();
      await askedBy(abort);
      const outcome = { code: 'other', at: '2026-03-05T09:00:00-05:00', text: 'Done' };
      await sourceMoves(world, 'completed', { cancelRequest: request, outcome });
      expect(await taskOf('task-1')).toMatchObject({ status: 'completed' });
      expect(await taskOf('abort-1')).toMatchObject({
        status: 'rejected',
        statusReason: { text: 'The referral had ended before it could be cancelled.' },
      });
      expect(await world.openDecisions()).toEqual([]);
    });

    test('and takes it back: so the source is told, and nothing is written there', async () => {
      await isAccepted();
      await askedBy(abort);
      const before = await journalled();
      await hospitalSays({ status: 'cancelled' }, 'Task/abort-1');
      expect((await told()).at(-1)).toEqual({ cancelRequest: null });
      await sourceMoves(world, 'in-progress');
      expect(await statusesOf(before)).toEqual(['PUT cancelled', 'PUT in-progress']);
      expect(await world.openDecisions()).toEqual([]);
    });

    test('by somebody else than who refers, as far as that shows, is for a person', async () => {
      const who = (id: string) => ({ reference: `Organization/${id}` });
      await hospitalHas(
        world,
        ...['general', 'other'].map((id) => ({ resourceType: 'Organization', id, active: true, name: id })),
      );
      await sourceIsThere(world);
      await begins({ requester: who('general') });
      await sourceAdopts(world);
      await sourceMoves(world, 'accepted');
      const before = (await feed(world)).length;
      await askedBy({ ...abort, requester: who('other') });
      await world.workAgain();
      expect((await feed(world)).length).toBe(before);
      expect(await world.openDecisions()).toMatchObject([{ kind: 'inbound', code: 'cancel-asked-by-another' }]);
    });

    test.each([
      ['about another Task', { focus: { reference: 'Task/task-9' } }],
      ['that has ended', { status: 'completed' }],
      ['that is a draft', { status: 'draft' }],
    ])('%s is none', async (_, changed) => {
      await isAccepted();
      const before = (await feed(world)).length;
      await askedBy({ ...abort, ...changed });
      expect((await feed(world)).length).toBe(before);
      expect(await taskOf('abort-1')).toMatchObject({ status: 'requested', ...changed });
    });

    test('before anybody has answered is said with the proposal, and is no referral', async () => {
      await begins();
      await askedBy(abort);
      const referrals = (await feed(world)).filter(({ type }) => type === 'referral');
      expect(referrals.at(-1)?.body).toMatchObject({ status: 'received', cancelRequest: request });
      expect(new Set(referrals.map(({ id }) => id)).size).toBe(1);
      const kept = await world.store.db.selectFrom('inbound').selectAll().where('remote_id', '=', 'abort-1').execute();
      expect(kept).toMatchObject([{ state: 'kept', reason: { code: 'inbound-cancel-asked' } }]);
    });
  });
});
