// A referral's Task moves along its state machine, each step by the party whose it is (lanes.md 11; closed-loop B2, B7).

import { describe, expect, test } from '@jest/globals';
import { isObject, type Json, type JsonObject, objectsAt } from '../../src/json.ts';
import { refuseChange } from '../../src/lanes/lanes.ts';
import { aGoal, aReferral } from '../builders.ts';
import { caseload } from '../support/caseload.ts';
import { partnerEdits, useWorld } from '../support/world.ts';

const world = useWorld();
const taskSlot = 'county/referral/referral-pantry#fulfilment';
const requestSlot = 'county/referral/referral-pantry#request';
const lane = 'county.case.case-rosa';

async function sendCase(): Promise<void> {
  await world.send(...caseload());
}

async function partnerSets(status: string, more: JsonObject = {}): Promise<void> {
  const { id } = await world.server.own('Task', taskSlot);
  await partnerEdits(world.server, `Task/${id}`, (task) => ({ ...task, ...more, status }));
}

/** The partner moves the Task, a poll sees it, the lane takes it in. */
async function partnerMoves(status: string, more: JsonObject = {}): Promise<void> {
  await partnerSets(status, more);
  await world.poll();
  await world.work();
}

const task = () => world.server.own('Task', taskSlot);
const request = () => world.server.own('ServiceRequest', requestSlot);

const at = '2026-02-20T10:00:00-05:00';

/** The referral after its source has moved it. */
function movedTo(status: string, more: JsonObject = {}, reason?: string): JsonObject {
  const referral: JsonObject = aReferral();
  const before = Array.isArray(referral.history) ? referral.history : [];
  const history = [...before, { id: 'h3', status, at, ...(reason === undefined ? {} : { reason }) }];
  return { ...referral, ...more, status, history, updatedAt: at };
}

const cancelled = (): JsonObject => movedTo('cancelled', {}, 'Moved away');

/** When which step was made, by the history. */
function stepsIn(referral: Json | undefined): Record<string, string> {
  const steps = objectsAt(isObject(referral) ? referral : {}, 'history').map(({ status, at }) => [
    String(status),
    String(at),
  ]);
  return Object.fromEntries(steps);
}

describe('a referral that its source cancels', () => {
  test('while the Task is requested: cancelled is written with its reason, and the order is revoked', async () => {
    await sendCase();
    await world.send(['referral', cancelled()]);
    expect(await task()).toMatchObject({ status: 'cancelled', statusReason: { text: 'Moved away' } });
    expect(await request()).toMatchObject({ status: 'revoked' });
    expect(await world.openDecisions()).toEqual([]);
  });

  test('after the partner has accepted: cancelled is written, as the requester may', async () => {
    await sendCase();
    await partnerMoves('accepted');
    await world.send(['referral', cancelled()]);
    expect(await task()).toMatchObject({ status: 'cancelled' });
  });

  test('after the partner has completed it: completed stands, and nobody is asked', async () => {
    await sendCase();
    await partnerMoves('completed');
    await world.send(['referral', cancelled()]);
    expect(await task()).toMatchObject({ status: 'completed' });
    expect(await world.openDecisions()).toEqual([]);
  });

  test('while the partner completes it between our read and our write: completed wins', async () => {
    await sendCase();
    world.beforeNextWrite(() => partnerSets('completed'));
    await world.send(['referral', cancelled()]);
    expect(await task()).toMatchObject({ status: 'completed' });
    expect(await world.changes()).toMatchObject([{ body: { status: 'completed' } }]);
  });
});

describe("a record that wants a status which is the partner's to set", () => {
  const accepted = (): JsonObject => movedTo('accepted', { decidedAt: at });

  test('is a decision; the status is not written, the rest goes on', async () => {
    await sendCase();
    await world.send(
      ['referral', accepted()],
      ['goal', aGoal({ statement: 'Food every day.', updatedAt: '2026-02-20T10:00:00-05:00' })],
    );
    expect(await task()).toMatchObject({ status: 'requested' });
    expect(await world.openDecisions()).toMatchObject([{ kind: 'status', code: 'status-path', choices: ['theirs'] }]);
    expect(await world.server.own('Goal', 'county/goal/goal-meals#goal')).toMatchObject({
      description: { text: 'Food every day.' },
    });
    expect(await world.lane(lane)).toMatchObject({ hasWork: false, parked: undefined });
  });

  test('answers itself when the partner accepts', async () => {
    await sendCase();
    await world.send(['referral', accepted()]);
    await partnerMoves('accepted');
    expect(await world.openDecisions()).toEqual([]);
  });

  test('answered: the status on the server stays, and nobody is asked again', async () => {
    await sendCase();
    await world.send(['referral', accepted()]);
    await world.decide('status', 'theirs');
    await world.workAgain();
    expect(await task()).toMatchObject({ status: 'requested' });
    expect(await world.openDecisions()).toEqual([]);
  });
});

describe('what the partner does', () => {
  test('a jump from requested to completed is taken in with the steps that it implies', async () => {
    await sendCase();
    await partnerMoves('completed');
    const [change] = await world.changes();
    expect(change).toMatchObject({
      op: 'patch',
      type: 'referral',
      body: { status: 'completed', outcome: { code: 'other' } },
    });
    const history =
      isObject(change?.body) && Array.isArray(change.body.history) ? change.body.history.filter(isObject) : [];
    expect(history.slice(2).map(({ status, reason }) => [status, reason])).toEqual([
      ['accepted', 'implied'],
      ['completed', undefined],
    ]);
    expect(await world.openDecisions()).toEqual([]);
  });

  test.each([
    ['was not done', { status: 'not-done', statusReason: { text: 'Moved away.' } }, 'other', 'Moved away.'],
    ['was done in part', { outcome: { coding: [{ code: '385670004' }], text: 'Half.' } }, 'partly-received', 'Half.'],
    ['the server does not show us', undefined, 'service-received', undefined],
  ])('a completed Task whose Procedure %s says so', async (_title, says, code, text) => {
    await sendCase();
    const { subject } = await request();
    const procedure = { resourceType: 'Procedure', id: 'served', status: 'completed', subject: subject ?? null };
    await world.server.seed({ ...procedure, ...says });
    if (says === undefined)
      await world.server.faults({ method: 'GET', path: 'Procedure/served', fault: { status: 403 } });
    const output = {
      type: { coding: [{ code: 'resulting-activity' }] },
      valueReference: { reference: 'Procedure/served' },
    };
    await partnerMoves('completed', { output: [output] });
    const [change] = await world.changes();
    const outcome = isObject(change?.body) && isObject(change.body.outcome) ? change.body.outcome : {};
    expect([outcome.code, outcome.text]).toEqual([code, text]);
    expect(await world.openDecisions()).toEqual([]);
  });

  test('a refusal arrives with its reason, and the order is revoked once the source has taken it over', async () => {
    await sendCase();
    await partnerMoves('rejected', { statusReason: { text: 'We are full.' } });
    const [change] = await world.changes();
    expect(change).toMatchObject({ body: { status: 'declined', declineReason: 'other', declineText: 'We are full.' } });
    const patch = isObject(change?.body) ? change.body : {};
    await world.send(['referral', { ...aReferral(), ...patch, updatedAt: '2026-02-21T10:00:00-05:00' }]);
    expect(await request()).toMatchObject({ status: 'revoked' });
    expect(await task()).toMatchObject({ status: 'rejected', statusReason: { text: 'We are full.' } });
    expect(await world.openDecisions()).toEqual([]);
  });

  test('a place on the waiting list, said without a new status, is taken in', async () => {
    await sendCase();
    const reason = {
      coding: [{ system: 'http://partner.example/reasons', code: 'waitlisted' }],
      text: 'About two weeks.',
    };
    await partnerMoves('requested', { statusReason: reason });
    expect(await world.changes()).toMatchObject([{ body: { status: 'waitlisted', waitlist: {} } }]);
    expect(await task()).toMatchObject({ status: 'requested', statusReason: reason });
    expect(await world.openDecisions()).toEqual([]);
  });

  test('a reason that comes after the refusal is taken in, and not overwritten', async () => {
    await sendCase();
    await partnerMoves('rejected');
    const [change] = await world.changes();
    const patch = isObject(change?.body) ? change.body : {};
    await world.send(['referral', { ...aReferral(), ...patch, updatedAt: '2026-02-21T10:00:00-05:00' }]);
    await partnerMoves('rejected', { statusReason: { text: 'We are full.' } });
    expect((await world.changes()).at(1)).toMatchObject({ body: { declineText: 'We are full.' } });
    expect(await task()).toMatchObject({ statusReason: { text: 'We are full.' } });
    expect(await world.openDecisions()).toEqual([]);
  });

  test.each([
    ['each change when it comes', true],
    ['the last one alone', false],
  ])('words of a refusal that change while its time does not can be taken over: %s', async (_title, isEach) => {
    const words = ['Full', 'Closed until May', 'Closed for good'];
    const patch = async () => Object.assign({}, ...(await world.changes()).map(({ body }) => body));
    const takeOver = async (day: number) => {
      await world.send([
        'referral',
        { ...aReferral(), ...(await patch()), updatedAt: `2026-03-0${day + 1}T10:00:00Z` },
      ]);
    };
    await sendCase();
    for (const [day, text] of words.entries()) {
      await partnerMoves('rejected', { lastModified: '2026-02-20T09:00:00Z', statusReason: { text } });
      if (isEach) await takeOver(day);
    }
    await takeOver(8);
    expect(objectsAt(await patch(), 'history').flatMap(({ reason }) => reason ?? [])).toEqual(words);
    expect(await world.changes()).toHaveLength(words.length);
    expect(await world.openDecisions()).toEqual([]);
  });

  test('the same status again is no change', async () => {
    await sendCase();
    await partnerMoves('accepted');
    await partnerMoves('accepted', { businessStatus: { text: 'queued' } });
    expect(await world.changes()).toHaveLength(1);
  });

  test('each step that a poll sees is one change, in order', async () => {
    await sendCase();
    for (const status of ['accepted', 'in-progress', 'on-hold', 'in-progress', 'completed'])
      await partnerMoves(status, { statusReason: { text: 'so' } });
    expect((await world.changes()).map(({ body }) => (isObject(body) ? body.status : undefined))).toEqual([
      'accepted',
      'in-progress',
      'on-hold',
      'in-progress',
      'completed',
    ]);
  });

  test('each change says all that is new since the record that its source last sent: who takes over the newest alone has every step', async () => {
    await sendCase();
    const note = (text: string) => ({ text, time: '2026-02-10T10:00:00Z', authorString: 'Elm Street Pantry' });
    const notes = (task: JsonObject) => objectsAt(task, 'note');
    const before = await task();
    await partnerMoves('accepted', { note: [...notes(before), note('We have a place')] });
    const { accepted } = stepsIn((await world.changes()).at(-1)?.body);
    await partnerMoves('in-progress', { note: [...notes(await task()), note('She came on Thursday')] });
    await partnerMoves('completed');

    const changes = await world.changes();
    const newest = Object.assign({}, ...changes.slice(-1).map(({ body }) => body));
    expect(Object.keys(stepsIn(newest))).toEqual(['draft', 'sent', 'accepted', 'in-progress', 'completed']);
    expect(newest.decidedAt).toBe(accepted);
    const [, second] = changes.slice(-3).map(({ body }) => JSON.stringify(isObject(body) ? body.comments : undefined));
    expect(second).toContain('We have a place');
    expect(second).toContain('She came on Thursday');

    const referral = {
      ...aReferral(),
      ...Object.assign({}, ...changes.slice(-2).map(({ body }) => body)),
      updatedAt: at,
    };
    await world.send(['referral', referral]);
    expect(await world.store.db.selectFrom('remote_value').selectAll().execute()).toEqual([]);
    expect(await world.openDecisions()).toEqual([]);
  });

  test('a step that the source has refused is not said again by the next change', async () => {
    await sendCase();
    await partnerMoves('accepted');
    const cursor = (await world.changes()).length;
    await refuseChange(world.store, { source: 'county', cursor, reason: 'They have no place for her.' });
    await partnerMoves('in-progress');

    const { body } = (await world.changes()).at(-1) ?? {};
    expect(Object.keys(stepsIn(body))).toEqual(['draft', 'sent', 'in-progress']);
    expect(body).toMatchObject({ status: 'in-progress' });
  });

  test('a move out of a final state is a decision, and nothing is overwritten', async () => {
    await sendCase();
    await partnerMoves('completed');
    await partnerMoves('in-progress');
    expect(await world.openDecisions()).toMatchObject([{ kind: 'status', code: 'status-read' }]);
    expect(await task()).toMatchObject({ status: 'in-progress' });
    expect(await world.changes()).toHaveLength(1);
  });

  test('entered-in-error, which is ours to set, is a decision', async () => {
    await sendCase();
    await partnerMoves('entered-in-error');
    expect(await world.openDecisions()).toMatchObject([{ kind: 'status', code: 'status-read' }]);
    expect(await world.changes()).toEqual([]);
  });

  test("an edit of the order's status is a decision, and nothing is overwritten", async () => {
    await sendCase();
    const { id } = await request();
    await partnerEdits(world.server, `ServiceRequest/${id}`, (held) => ({ ...held, status: 'completed' }));
    await world.poll();
    await world.work();
    expect(await world.openDecisions()).toMatchObject([{ kind: 'conflict', code: 'remote-edit' }]);
    expect(await request()).toMatchObject({ status: 'completed' });
    await world.decide('conflict', 'ours');
    await world.work();
    expect(await request()).toMatchObject({ status: 'active' });
  });

  test('while our record lags behind, nothing of theirs is undone', async () => {
    await sendCase();
    await partnerMoves('accepted');
    await world.send([
      'referral',
      aReferral({ requestedText: 'Groceries for four', updatedAt: '2026-02-20T10:00:00-05:00' }),
    ]);
    expect(await task()).toMatchObject({ status: 'accepted' });
    expect(await request()).toMatchObject({ code: { text: 'Groceries for four' } });
    expect(await world.openDecisions()).toEqual([]);
  });
});
