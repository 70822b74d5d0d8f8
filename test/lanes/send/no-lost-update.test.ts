// What a partner wrote is never overwritten unseen, and what the server holds beside our elements is kept (lanes.md 13 to 15, 28; G9).

import { describe, expect, test } from '@jest/globals';
import { versionTagOf } from '../../../src/connections/connections.ts';
import { isObject, type JsonObject } from '../../../src/json.ts';
import { applyDecision, decide, saveSeen } from '../../../src/lanes/lanes.ts';
import { sql } from '../../../src/store/store.ts';
import { aGoal, aNeed, aReferral } from '../../builders.ts';
import { caseload } from '../../support/caseload.ts';
import { startProxy } from '../../support/proxy.ts';
import { aConnection } from '../../support/rig.ts';
import { partnerEdits, useWorld } from '../../support/world.ts';

const world = useWorld();
const goalSlot = 'county/goal/goal-meals#goal';
const needSlot = 'county/need/need-food#condition';
const taskSlot = 'county/referral/referral-pantry#fulfilment';
const requestSlot = 'county/referral/referral-pantry#request';
const note = { time: '2026-02-05T09:00:00-05:00', text: 'The client came on Tuesday.' };
const extension = { url: 'https://pantry.example.org/shelf', valueString: 'B4' };

async function sendCase(): Promise<void> {
  await world.send(...caseload());
}

async function pathOf(resourceType: string, slot: string): Promise<string> {
  const { id } = await world.server.own(resourceType, slot);
  return `${resourceType}/${id}`;
}

describe('an edit between our read and our write', () => {
  test.each([
    ['with versions', {}],
    ['without transactions', { transactions: false }],
  ])('survives beside ours, on a server %s', async (_title, settings) => {
    await world.server.settings(settings);
    await sendCase();
    const task = await pathOf('Task', taskSlot);
    world.beforeNextWrite(() => partnerEdits(world.server, task, (held) => ({ ...held, note: [note] })));
    await world.send(['referral', aReferral({ urgency: 'urgent', updatedAt: '2026-02-05T10:00:00-05:00' })]);
    expect(await world.server.own('Task', taskSlot)).toMatchObject({ priority: 'urgent', note: [note] });
    expect(await world.server.own('ServiceRequest', requestSlot)).toMatchObject({ priority: 'urgent' });
    expect((await world.server.journal()).filter(({ status }) => status === 412)).toHaveLength(1);
    const comments = [{ at: note.time, text: note.text }];
    expect(await world.changes()).toMatchObject([{ op: 'patch', id: 'referral-pantry', body: { comments } }]);
  });

  test('survives when it comes before each of our tries; the lane comes back for it', async () => {
    await sendCase();
    const path = await pathOf('Goal', goalSlot);
    let edits = 0;
    const editAgain = async (): Promise<void> => {
      edits += 1;
      await partnerEdits(world.server, path, (goal) => ({
        ...goal,
        extension: [{ ...extension, valueString: `${edits}` }],
      }));
      if (edits < 6) world.beforeNextWrite(editAgain);
    };
    world.beforeNextWrite(editAgain);
    await world.accept(['goal', aGoal({ statement: 'Food every day.', updatedAt: '2026-02-05T10:00:00-05:00' })]);
    await world.work({ tries: 1 });
    expect(await world.lane('county.case.case-rosa')).toMatchObject({ hasWork: true, reason: 'server-conflict' });
    await world.work();
    expect(await world.server.own('Goal', goalSlot)).toMatchObject({
      description: { text: 'Food every day.' },
      extension: [{ valueString: '6' }],
    });
  });
});

describe('on a server without versions', () => {
  test('an edit committed before our last read survives; the read is right before the write, and another after it', async () => {
    await world.server.settings({ versions: false });
    await sendCase();
    await partnerEdits(world.server, await pathOf('Goal', goalSlot), (goal) => ({ ...goal, extension: [extension] }));
    await world.send(['goal', aGoal({ statement: 'Food every day.', updatedAt: '2026-02-05T10:00:00-05:00' })]);
    expect(await world.server.own('Goal', goalSlot)).toMatchObject({
      description: { text: 'Food every day.' },
      extension: [extension],
    });
    const goals = (await world.server.journal()).filter(({ url }) => String(url).includes('/Goal/'));
    expect(goals.map(({ method }) => method).slice(-3)).toEqual(['GET', 'PUT', 'GET']);
    expect((await world.report()).withoutVersions).toEqual(expect.arrayContaining(['Goal', 'Patient', 'Task']));
  });
});

describe('what the server holds beside ours', () => {
  test('83: is kept: unknown elements and extensions, their identifiers, their tags', async () => {
    await sendCase();
    const theirs = { system: 'https://hospital.example.org/goals', value: 'G-7' };
    await partnerEdits(world.server, await pathOf('Goal', goalSlot), (goal) => ({
      ...goal,
      meta: {
        ...(isObject(goal.meta) ? goal.meta : {}),
        tag: [{ system: 'https://hospital.example.org/tags', code: 'reviewed' }],
      },
      extension: [extension],
      identifier: [...(Array.isArray(goal.identifier) ? goal.identifier : []), theirs],
      outcomeCode: [{ text: 'better' }],
    }));
    await world.send(['goal', aGoal({ statement: 'Food every day.', updatedAt: '2026-02-05T10:00:00-05:00' })]);
    const goal = await world.server.own('Goal', goalSlot);
    expect(goal).toMatchObject({
      description: { text: 'Food every day.' },
      extension: [extension],
      outcomeCode: [{ text: 'better' }],
    });
    expect(goal.identifier).toContainEqual(theirs);
    expect(JSON.stringify(goal.meta)).toContain('reviewed');
  });
});

describe('edits of different elements', () => {
  test('both stand, and theirs is offered to the source, once', async () => {
    await sendCase();
    await partnerEdits(world.server, await pathOf('Goal', goalSlot), (goal) => ({
      ...goal,
      lifecycleStatus: 'on-hold',
    }));
    await world.send(['goal', aGoal({ statement: 'Food every day.', updatedAt: '2026-02-05T10:00:00-05:00' })]);
    await world.workAgain();
    expect(await world.server.own('Goal', goalSlot)).toMatchObject({
      lifecycleStatus: 'on-hold',
      description: { text: 'Food every day.' },
    });
    expect(await world.changes()).toEqual([
      { op: 'patch', type: 'goal', id: 'goal-meals', body: { status: 'on-hold' } },
    ]);
    expect(await world.openDecisions()).toEqual([]);
  });

  test('what the record has no place for stays there, and a person is told', async () => {
    await sendCase();
    const { time: _time, ...timeless } = note;
    await partnerEdits(world.server, await pathOf('Task', taskSlot), (task) => ({ ...task, note: [note, timeless] }));
    await world.poll();
    await world.work();
    expect(await world.changes()).toMatchObject([{ body: { comments: [{ text: note.text }] } }]);
    expect(await world.openDecisions()).toMatchObject([{ code: 'not-carried', choices: ['noted'] }]);
    await world.decide('conflict', 'noted');
    await world.workAgain();
    expect(await world.openDecisions()).toEqual([]);
    expect(await world.server.own('Task', taskSlot)).toMatchObject({ note: [note, timeless] });
  });

  test('a need that they call inactive, which may be over as well as given up, stays so there; a person is told, the source nothing', async () => {
    await sendCase();
    const clinical = 'http://terminology.hl7.org/CodeSystem/condition-clinical';
    const clinicalStatus = { coding: [{ system: clinical, code: 'inactive' }] };
    await partnerEdits(world.server, await pathOf('Condition', needSlot), (held) => ({ ...held, clinicalStatus }));
    await world.send(['need', aNeed({ description: 'No food at all.', updatedAt: '2026-02-05T10:00:00-05:00' })]);
    await world.workAgain();
    expect(await world.changes()).toEqual([]);
    expect(await world.openDecisions()).toMatchObject([
      { code: 'not-carried', detail: { elements: ['clinicalStatus'] } },
    ]);
    expect(await world.server.own('Condition', needSlot)).toMatchObject({
      clinicalStatus,
      code: { text: 'No food at all.' },
    });
  });

  test('a day that they tell as a time is the day where the source is, and none that it has already is news', async () => {
    await sendCase();
    const need = await pathOf('Condition', needSlot);
    const clinical = 'http://terminology.hl7.org/CodeSystem/condition-clinical';
    const over = (abatementDateTime: string) =>
      partnerEdits(world.server, need, (held) => ({
        ...held,
        clinicalStatus: { coding: [{ system: clinical, code: 'resolved' }] },
        abatementDateTime,
      }));
    await over('2026-03-02T03:00:00Z');
    await world.workAgain();
    const resolved = { status: 'met', resolvedOn: '2026-03-01' } as const;
    expect(await world.changes()).toMatchObject([{ id: 'need-food', body: resolved }]);
    await world.send(['need', aNeed({ ...resolved, updatedAt: '2026-03-02T10:00:00-05:00' })]);
    await over('2026-03-02T04:00:00Z');
    await over('2026-03-01');
    await world.workAgain();
    await over('2026-03-02T04:30:00Z');
    await world.workAgain();
    expect(await world.changes()).toHaveLength(1);
    expect(await world.openDecisions()).toEqual([]);
  });

  test('theirs stands even after the source sends other news for days', async () => {
    await sendCase();
    await partnerEdits(world.server, await pathOf('Goal', goalSlot), (goal) => ({
      ...goal,
      lifecycleStatus: 'on-hold',
    }));
    await world.workAgain();
    for (const day of [5, 6, 7])
      await world.send(['goal', aGoal({ statement: `Day ${day}`, updatedAt: `2026-02-0${day}T10:00:00-05:00` })]);
    expect(await world.server.own('Goal', goalSlot)).toMatchObject({
      lifecycleStatus: 'on-hold',
      description: { text: 'Day 7' },
    });
    expect(await world.changes()).toHaveLength(1);
  });
});

describe('both sides change the same element', () => {
  const both = async (): Promise<void> => {
    await partnerEdits(world.server, await pathOf('Goal', goalSlot), (goal) => ({
      ...goal,
      lifecycleStatus: 'completed',
    }));
    await world.accept(['goal', aGoal({ status: 'on-hold', updatedAt: '2026-02-05T10:00:00-05:00' })]);
    // What a poll would have seen, as goals are not polled: a look before ours is written.
    await world.workAgain();
  };
  const ownedBy = (owner: string) =>
    world.remap('goal.yaml', (text) =>
      text.replace('lifecycleStatus: { from: status,', `lifecycleStatus: { owner: ${owner}, from: status,`),
    );

  test('owner source: ours is written, theirs is reported', async () => {
    await sendCase();
    await both();
    expect(await world.server.own('Goal', goalSlot)).toMatchObject({ lifecycleStatus: 'on-hold' });
    expect(await world.changes()).toEqual([
      { op: 'patch', type: 'goal', id: 'goal-meals', body: { status: 'completed' } },
    ]);
  });

  test('owner remote: theirs stands and is reported', async () => {
    await ownedBy('remote');
    await sendCase();
    await both();
    expect(await world.server.own('Goal', goalSlot)).toMatchObject({ lifecycleStatus: 'completed' });
    expect(await world.changes()).toMatchObject([{ body: { status: 'completed' } }]);
  });

  test('owner ask: nothing is written before a person has chosen', async () => {
    await ownedBy('ask');
    await sendCase();
    await both();
    expect(await world.server.own('Goal', goalSlot)).toMatchObject({ lifecycleStatus: 'completed' });
    expect(await world.openDecisions()).toMatchObject([
      {
        kind: 'conflict',
        code: 'merge-conflict',
        detail: { ours: 'on-hold', theirs: 'completed' },
        choices: ['ours', 'theirs'],
      },
    ]);
    expect(await world.changes()).toEqual([]);
  });

  test('owner ask, answered "ours": ours is written', async () => {
    await ownedBy('ask');
    await sendCase();
    await both();
    await world.decide('conflict', 'ours');
    await world.work();
    expect(await world.server.own('Goal', goalSlot)).toMatchObject({ lifecycleStatus: 'on-hold' });
    expect(await world.openDecisions()).toEqual([]);
  });

  test('owner ask, answered "theirs": theirs stays and is offered, and nobody is asked again', async () => {
    await ownedBy('ask');
    await sendCase();
    await both();
    await world.decide('conflict', 'theirs');
    await world.workAgain();
    expect(await world.server.own('Goal', goalSlot)).toMatchObject({ lifecycleStatus: 'completed' });
    expect(await world.changes()).toMatchObject([{ body: { status: 'completed' } }]);
    expect(await world.openDecisions()).toEqual([]);
  });

  test('owner ask, answered "theirs" after theirs has changed once more: what stands there now is offered', async () => {
    await ownedBy('ask');
    await sendCase();
    await both();
    await partnerEdits(world.server, await pathOf('Goal', goalSlot), (goal) => ({
      ...goal,
      lifecycleStatus: 'cancelled',
    }));
    await world.workAgain();
    await world.decide('conflict', 'theirs');
    await world.work();
    expect(await world.server.own('Goal', goalSlot)).toMatchObject({ lifecycleStatus: 'cancelled' });
    expect((await world.changes()).at(-1)).toMatchObject({ body: { status: 'cancelled' } });
    expect(await world.openDecisions()).toEqual([]);
  });

  const moves = async (lifecycleStatus: string): Promise<void> =>
    partnerEdits(world.server, await pathOf('Goal', goalSlot), (goal) => ({ ...goal, lifecycleStatus }));

  test('a question whose sides go on changing is asked anew as they are now; who has seen the older one cannot answer it', async () => {
    await ownedBy('ask');
    await sendCase();
    await both();
    const asked = async () =>
      world.store.db.selectFrom('decision').select(['id', 'state', 'detail']).orderBy('id').execute();
    const [first] = await asked();
    await moves('cancelled');
    await world.accept(['goal', aGoal({ status: 'active', updatedAt: '2026-02-06T10:00:00-05:00' })]);
    await world.workAgain();
    await world.workAgain();
    expect(await asked()).toMatchObject([
      { state: 'obsolete', detail: { ours: 'on-hold', theirs: 'completed' } },
      { state: 'open', detail: { ours: 'active', theirs: 'cancelled', patch: { status: 'cancelled' } } },
    ]);
    const answer = { choose: 'ours', by: 'Ida' };
    await expect(decide(world.store, first?.id ?? 0, answer, applyDecision)).rejects.toMatchObject({
      code: 'decision-closed',
    });
    expect(await world.server.own('Goal', goalSlot)).toMatchObject({ lifecycleStatus: 'cancelled' });
  });

  test('an answer is refused while what the server was seen to hold is not taken in yet', async () => {
    await ownedBy('ask');
    await sendCase();
    await both();
    await moves('cancelled');
    const { body = {} } = await world.server.fhir('GET', await pathOf('Goal', goalSlot));
    const remoteId = String(body.id);
    const look = { resourceType: 'Goal', remoteId, versionTag: versionTagOf(body), body };
    await world.store.tx((trx) => saveSeen(trx, 'general', look));
    await expect(world.decide('conflict', 'theirs')).rejects.toMatchObject({ code: 'decision-outdated' });
    expect(await world.changes()).toEqual([]);
    await world.workAgain();
    await world.decide('conflict', 'theirs');
    expect(await world.changes()).toMatchObject([{ body: { status: 'cancelled' } }]);
  });

  test('a question about what is linked no more ends by itself, and is not answered before', async () => {
    await ownedBy('ask');
    await sendCase();
    await both();
    await sql`update link set retired_at = now() where slot = 'goal'`.execute(world.store.db);
    await expect(world.decide('conflict', 'ours')).rejects.toMatchObject({ code: 'decision-outdated' });
    await world.send(['goal', { ...aGoal({ updatedAt: '2026-02-06T10:00:00-05:00' }), deleted: true }]);
    expect(await world.openDecisions()).toEqual([]);
  });

  test('owner latest: the clocks are too near, so a person is asked', async () => {
    await ownedBy('latest');
    await sendCase();
    await world.server.control('POST', 'clock', { now: '2026-02-05T15:03:00Z' });
    await both();
    expect(await world.openDecisions()).toMatchObject([{ kind: 'conflict' }]);
  });

  test('owner latest: the newer wins, theirs', async () => {
    await ownedBy('latest');
    await sendCase();
    await world.server.control('POST', 'clock', { now: '2026-02-05T15:30:00Z' });
    await both();
    expect(await world.server.own('Goal', goalSlot)).toMatchObject({ lifecycleStatus: 'completed' });
    expect(await world.openDecisions()).toEqual([]);
  });

  test('owner latest: the newer wins, ours', async () => {
    await ownedBy('latest');
    await sendCase();
    await world.server.control('POST', 'clock', { now: '2026-02-05T14:30:00Z' });
    await both();
    expect(await world.server.own('Goal', goalSlot)).toMatchObject({ lifecycleStatus: 'on-hold' });
    expect(await world.openDecisions()).toEqual([]);
  });

  test('an open question about one element holds back nothing else', async () => {
    await ownedBy('ask');
    await sendCase();
    await both();
    await world.send([
      'goal',
      aGoal({ status: 'on-hold', statement: 'Food every day.', updatedAt: '2026-02-06T10:00:00-05:00' }),
    ]);
    expect(await world.server.own('Goal', goalSlot)).toMatchObject({
      lifecycleStatus: 'completed',
      description: { text: 'Food every day.' },
    });
    expect(await world.openDecisions()).toHaveLength(1);
  });

  test('a question whose sides come to agree answers itself', async () => {
    await ownedBy('ask');
    await sendCase();
    await both();
    await world.send([
      'goal',
      aGoal({ status: 'completed', achievement: 'achieved', updatedAt: '2026-02-06T10:00:00-05:00' }),
    ]);
    expect(await world.server.own('Goal', goalSlot)).toMatchObject({ lifecycleStatus: 'completed' });
    expect(await world.openDecisions()).toEqual([]);
  });
});

describe('our own echo', () => {
  test('is known when the reply of an update was lost and the record has changed again before we look', async () => {
    await world.server.settings({ transactions: false });
    const asks = (requestedText: string, at: string) =>
      aReferral({ serviceId: undefined, requestedText, updatedAt: `2026-02-05T${at}:00-05:00` });
    await world.send(...caseload(), ['referral', asks('Groceries', '10:00')]);
    const fault = { drop: 'after-commit' };
    await world.server.strikeOnce('PUT', 'ServiceRequest', fault);
    await world.accept(['referral', asks('Groceries, twice a week', '11:00')]);
    await world.run('county.case.case-rosa');
    await world.send(['referral', asks('Groceries, three times a week', '12:00')]);
    const code = { text: 'Groceries, three times a week' };
    expect(await world.server.own('ServiceRequest', requestSlot)).toMatchObject({ code });
    expect(await world.changes()).toEqual([]);
  });

  test('is no change: polls after our writes want no lane and offer nothing', async () => {
    await sendCase();
    await world.poll();
    expect(await world.lane('county.case.case-rosa')).toMatchObject({ hasWork: false });
    await world.send(['referral', aReferral({ urgency: 'urgent', updatedAt: '2026-02-05T10:00:00-05:00' })]);
    await world.poll();
    expect(await world.lane('county.case.case-rosa')).toMatchObject({ hasWork: false });
    expect(await world.changes()).toEqual([]);
  });

  test.each([
    ['answers with what it stored', (body: JsonObject) => body],
    ['answers writes without a body', withoutBody],
  ])('a server that rewrites our texts and %s is written nothing on a second pass', async (_title, response) => {
    const proxy = await startProxy(world.server.base, { request: upperCase, response });
    try {
      await world.connect(aConnection(proxy.base, { id: 'shouting' }));
      await world.store.db.deleteFrom('lane').where('connection', '=', 'general').execute();
      await world.accept(...caseload());
      await world.store.db.deleteFrom('lane').where('connection', '=', 'general').execute();
      await world.work();
      expect(await world.server.own('Goal', goalSlot)).toMatchObject({
        description: { text: 'I WANT FOOD ON THE TABLE EVERY DAY OF THE MONTH.' },
      });
      const before = (await world.server.journal()).length;
      await world.workAgain();
      await world.accept(['goal', aGoal({ updatedAt: '2026-02-05T10:00:00-05:00', priority: 'high' })]);
      await world.store.db.deleteFrom('lane').where('connection', '=', 'general').execute();
      await world.work();
      const writes = await world.server.writes(before);
      expect(writes.flatMap(({ writes: made }) => made)).toMatchObject([{ resourceType: 'Goal' }]);
      expect(await world.changes()).toEqual([]);
      expect(await world.openDecisions()).toEqual([]);
    } finally {
      await proxy.stop();
    }
  });
});

/** A statement as some vendors store it. */
function upperCase(body: JsonObject): JsonObject {
  if (Array.isArray(body.entry)) {
    return {
      ...body,
      entry: body.entry.map((entry) =>
        isObject(entry) && isObject(entry.resource) ? { ...entry, resource: upperCase(entry.resource) } : entry,
      ),
    };
  }
  const { description } = body;
  return isObject(description) && typeof description.text === 'string'
    ? { ...body, description: { ...description, text: description.text.toUpperCase() } }
    : body;
}

/** What `Prefer: return=minimal` would leave of a transaction's answer. */
function withoutBody(body: JsonObject): JsonObject {
  if (body.type !== 'transaction-response' || !Array.isArray(body.entry)) return body;
  return {
    ...body,
    entry: body.entry.map((entry) =>
      isObject(entry) && isObject(entry.response) ? { response: entry.response } : entry,
    ),
  };
}
