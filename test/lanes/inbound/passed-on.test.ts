// Referrals that one side passes on in parts: a platform to which we refer, one behind which a hospital stands, and we ourselves (`partOf`).

import { describe, expect, test } from '@jest/globals';
import { listInbound } from '../../../src/http/queries/inbound.ts';
import { listTimeline } from '../../../src/http/queries/timeline.ts';
import type { JsonObject } from '../../../src/json.ts';
import { proposedId } from '../../../src/lanes/inbound/rows.ts';
import { sql } from '../../../src/store/store.ts';
import { aCase, aClient, aReferral } from '../../builders.ts';
import { acceptedOf } from '../../support/adopting.ts';
import {
  begunOn,
  feed,
  foodCondition,
  foodOrder,
  hospitalHas,
  ines,
  only,
  ops,
  seen,
  sourceAdopts,
  sourceIsThere,
  sourceMoves,
  task,
  written,
} from '../../support/begun.ts';
import { directoryAndClient } from '../../support/caseload.ts';
import { startReceiver } from '../../support/receiver.ts';
import { aConnection } from '../../support/rig.ts';
import { useWorld } from '../../support/world.ts';

const world = useWorld({ inboundTo: 'county' });
const { begins, isAdopted, journalled } = begunOn(world);

/** By name: which of a transaction comes first is no matter here. */
const writtenOfReferrals = async (after: number) =>
  (await written(world, after)).filter((line) => !line.endsWith('Provenance')).toSorted();

describe('a platform that we refer to passes it on', () => {
  /** Our order and Task, and what the platform makes of them. */
  async function refers() {
    await world.send(...directoryAndClient(), ['case', aCase()], ['referral', outgoing()]);
    const { remoteId: patient } = await world.link('client/client-rosa#patient');
    const { remoteId: order } = await world.link('referral/referral-pantry#request');
    const { remoteId: whole } = await world.link('referral/referral-pantry#fulfilment');
    return parts(String(patient), `ServiceRequest/${order}`, `Task/${whole}`);
  }

  const outgoing = (more: JsonObject = {}) => aReferral({ needIds: [], goalIds: [], ...more });

  function parts(patient: string, order: string, whole: string) {
    const subject = { reference: `Patient/${patient}` };
    const filler = {
      ...foodOrder,
      id: 'filler-1',
      intent: 'filler-order',
      subject,
      basedOn: [{ reference: order }],
      reasonReference: [],
    };
    const part: JsonObject = {
      ...task,
      id: 'part-1',
      for: subject,
      focus: { reference: 'ServiceRequest/filler-1' },
      partOf: [{ reference: whole }],
    };
    return { patient, whole, order, filler, part };
  }

  const keptTasks = async () => {
    const { items } = await listInbound(world.store, { state: 'kept', source: 'county', limit: 100 });
    const lines = items.map((item) => {
      const { resourceType, id, reason } = item as { resourceType: string; id: string; reason: { code: string } };
      return `${resourceType}/${id} ${reason.code}`;
    });
    return lines.filter((line) => line.startsWith('Task'));
  };

  const told = async () => {
    const subjects = ['county.case.case-rosa', 'county.client.client-rosa'];
    const sideOf = () => 'partner' as const;
    const teller = { source: 'county', sideOf, subjects };
    const { items } = await listTimeline(world.store, { ...teller, kind: 'seen', limit: 100 });
    return items.flatMap(({ text, why }) => (why?.code === 'inbound-sub-task' ? [text] : []));
  };

  /** Nothing of ours has changed, and nobody was asked. */
  async function isLeftAlone(before: number): Promise<void> {
    expect(await feed(world)).toEqual([]);
    expect(await world.openDecisions()).toEqual([]);
    expect(await written(world, before)).toEqual([]);
  }

  test.each([
    ['to anybody', () => ({}), 'Offers a part of referral referral-pantry to whoever takes it'],
    [
      'to an organization that we know',
      async () => ({
        owner: { reference: `Organization/${(await world.link('organization/org-pantry#organization')).remoteId}` },
      }),
      'Passed a part of referral referral-pantry on to organization org-pantry',
    ],
    [
      'to somebody whom we do not know',
      () => ({ owner: { reference: 'Organization/77', display: 'Harbor Kitchen' } }),
      'Passed a part of referral referral-pantry on to Harbor Kitchen',
    ],
    [
      'to somebody whom we do not know, for the community',
      () => ({ owner: { reference: 'Organization/77' }, code: { coding: [{ code: 'community-resource' }] } }),
      'Passed a part of referral referral-pantry on to Organization/77',
    ],
  ])('%s: it is kept as a part of ours, and the timeline tells of it', async (_, more, text) => {
    const { filler, part } = await refers();
    const before = await journalled();
    await hospitalHas(world, filler, { ...part, ...(await more()) });
    await seen(world);
    expect(await keptTasks()).toEqual(['Task/part-1 inbound-sub-task']);
    expect(await told()).toEqual([`${text}: Task/part-1 is requested there.`]);
    await hospitalHas(world, { ...part, ...(await more()), status: 'completed' });
    await seen(world);
    expect(await told()).toEqual([`${text}: Task/part-1 is completed there.`]);
    await isLeftAlone(before);
  });

  test('in several parts, of which one is passed on further: none is offered, and what our own Task says counts', async () => {
    const { filler, part, whole } = await refers();
    const first = { ...(await only(world, 'Task')) };
    await hospitalHas(
      world,
      filler,
      { ...part, partOf: [{ reference: `${world.deps.connections.get('general')?.config.baseUrl}/${whole}` }] },
      { ...part, id: 'part-2', focus: { reference: 'ServiceRequest/unseen' } },
      {
        ...part,
        id: 'part-1-1',
        partOf: [{ reference: 'Task/part-1' }],
        focus: { reference: 'ServiceRequest/unseen' },
      },
    );
    await seen(world);
    expect(await keptTasks()).toEqual([
      'Task/part-1 inbound-sub-task',
      'Task/part-1-1 inbound-sub-task',
      'Task/part-2 inbound-sub-task',
    ]);
    expect(await feed(world)).toEqual([]);
    await hospitalHas(world, { ...first, status: 'accepted' });
    await seen(world);
    expect(await feed(world)).toMatchObject([{ op: 'patch', type: 'referral', body: { status: 'accepted' } }]);
    expect(await world.openDecisions()).toEqual([]);
  });

  test.each([
    ['whose order is based on ours', false],
    ['that is about our own order', true],
  ])('a Task %s is a part of ours too, though it names no Task', async (_, isAboutOurs) => {
    const { filler, part, order } = await refers();
    const focus = { reference: isAboutOurs ? order : 'ServiceRequest/filler-1' };
    await hospitalHas(world, filler, { ...part, partOf: [], focus });
    await seen(world);
    expect(await keptTasks()).toEqual(['Task/part-1 inbound-sub-task']);
    expect(await feed(world)).toEqual([]);
  });

  test('about a copy of the patient that the platform has made: no client is offered', async () => {
    const { filler, part } = await refers();
    const copy = { reference: 'Patient/ines' };
    await hospitalHas(world, ines, { ...filler, subject: copy }, { ...part, for: copy });
    await seen(world);
    expect(await keptTasks()).toEqual(['Task/part-1 inbound-sub-task']);
    expect(await feed(world)).toEqual([]);
    await hospitalHas(world, { ...part, id: 'part-2', for: copy, owner: { reference: 'Organization/77' } });
    await seen(world);
    expect(await keptTasks()).toContain('Task/part-2 inbound-sub-task');
  });

  test('before we know what came of our create: it waits, and is a part of ours then', async () => {
    await world.send(...directoryAndClient(), ['case', aCase()]);
    const { remoteId: patient } = await world.link('client/client-rosa#patient');
    await world.accept(['referral', outgoing()]);
    await world.server.faults({ method: 'POST', nth: 1, fault: { drop: 'after-commit' } });
    await world.run('county.case.case-rosa');
    const [order, whole] = [await only(world, 'ServiceRequest'), await only(world, 'Task')];
    const { filler, part } = parts(String(patient), `ServiceRequest/${order.id}`, `Task/${whole.id}`);
    // About somebody else's copy of the patient nothing waits for it; it is known by our identifier on the Task there.
    await hospitalHas(world, ines, filler, part, { ...part, id: 'part-2', for: { reference: 'Patient/ines' } });
    await world.poll();
    await world.run(`county.client.${proposedId('general', 'client', 'Patient', 'ines')}`);
    expect(await keptTasks()).toEqual(['Task/part-2 inbound-sub-task']);
    await expect(world.link('referral/referral-pantry#fulfilment')).rejects.toThrow('no link');
    await world.work();
    await seen(world);
    expect(await keptTasks()).toEqual(['Task/part-1 inbound-sub-task', 'Task/part-2 inbound-sub-task']);
    expect(await feed(world)).toEqual([]);
  });

  test('where nobody is offered what begins there: it is kept for whose it is, and no operator is told to say who', async () => {
    await world.connect(aConnection(world.server.base));
    const { filler, part } = await refers();
    await hospitalHas(world, filler, part);
    await seen(world);
    expect(await keptTasks()).toEqual(['Task/part-1 inbound-sub-task']);
    expect(await world.alerts()).toEqual([]);
  });

  test('to us: it is a referral to us like any other', async () => {
    const { filler, part } = await refers();
    const { remoteId: us } = await world.link('organization/org-riverside#organization');
    await hospitalHas(world, filler, { ...part, owner: { reference: `Organization/${us}` } });
    await seen(world);
    expect(await ops(world)).toEqual(['propose referral']);
    expect((await feed(world))[0]?.body).toMatchObject({
      origin: { resourceType: 'Task', id: 'part-1' },
      direction: 'incoming',
      clientId: 'client-rosa',
      caseId: 'case-rosa',
    });
  });

  test('to us, and then to somebody else: it is taken back', async () => {
    const { filler, part } = await refers();
    const { remoteId: us } = await world.link('organization/org-riverside#organization');
    await hospitalHas(world, filler, { ...part, owner: { reference: `Organization/${us}` } });
    await seen(world);
    await hospitalHas(world, { ...part, owner: { reference: 'Organization/77' } });
    await seen(world);
    expect(await ops(world)).toEqual(['propose referral', 'withdraw referral']);
    expect(await told()).toEqual([
      'Passed a part of referral referral-pantry on to Organization/77: Task/part-1 is requested there.',
    ]);
  });

  test('what came of it is read where it is on this server, whatever order it is based on; no other is asked', async () => {
    const { filler } = await refers();
    let asked = 0;
    const other = await startReceiver({ onReceived: () => (asked += 1) });
    try {
      const done = {
        resourceType: 'Procedure',
        id: 'done-1',
        status: 'completed',
        basedOn: [{ reference: 'ServiceRequest/filler-1' }],
        subject: filler.subject,
        outcome: { coding: [{ system: 'http://snomed.info/sct', code: '385670004' }], text: 'Two of four weeks' },
      };
      const named = (reference: string) => ({
        type: { coding: [{ code: 'resulting-activity' }] },
        valueReference: { reference },
      });
      await hospitalHas(world, filler, done);
      await hospitalHas(world, {
        ...(await only(world, 'Task')),
        status: 'completed',
        output: [named('Procedure/done-1'), named(`${other.url}/Procedure/done-2`)],
      });
      await seen(world);
      const [change] = await feed(world);
      expect(change?.body).toMatchObject({
        status: 'completed',
        outcome: { code: 'partly-received', text: 'Two of four weeks', confirmedBy: 'partner' },
      });
      expect(asked).toBe(0);
    } finally {
      await other.stop();
    }
  });
});

describe('behind a platform that passes on what a hospital asks', () => {
  const platform = { reference: 'Organization/platform' };
  const filler: JsonObject = {
    ...foodOrder,
    id: 'filler-1',
    intent: 'filler-order',
    basedOn: [{ reference: 'ServiceRequest/order-1' }],
  };

  /** Asked of us by the platform. */
  async function part(more: JsonObject = {}): Promise<JsonObject> {
    const { remoteId: us } = await world.link('organization/org-riverside#organization');
    return {
      ...task,
      id: 'part-1',
      focus: { reference: 'ServiceRequest/filler-1' },
      partOf: [{ reference: 'Task/task-1' }],
      owner: { reference: `Organization/${us}` },
      requester: { display: 'Platform' },
      ...more,
    };
  }

  const offered = async () =>
    (
      await world.store.db
        .selectFrom('inbound')
        .select('remote_id')
        .where('type', '=', 'referral')
        .where('state', '=', 'proposed')
        .execute()
    ).map(({ remote_id }) => remote_id);

  /** The hospital's Task, of somebody else or of nobody, and the platform's own, which is ours to do. */
  async function isAsked(whole: JsonObject): Promise<void> {
    await sourceIsThere(world);
    await hospitalHas(world, ines, foodCondition, foodOrder, { ...task, ...whole }, filler, await part());
    await seen(world);
  }

  test.each([
    ['of the platform', { owner: platform }],
    ['of nobody', {}],
  ])('we are asked once, whichever is seen first, where the hospital has a Task %s', async (_, whole) => {
    await isAsked(whole);
    expect(await offered()).toEqual(['part-1']);
    expect(await ops(world)).toEqual(['propose client', 'propose case', 'propose need', 'propose referral']);
    await hospitalHas(world, { ...task, ...whole, id: 'task-2' });
    await seen(world);
    await hospitalHas(world, await part({ id: 'part-2', partOf: [{ reference: 'Task/task-2' }] }));
    await seen(world);
    expect((await offered()).toSorted()).toEqual(['part-1', 'part-2']);
    await seen(world);
    await world.workAgain();
    expect((await offered()).toSorted()).toEqual(['part-1', 'part-2']);
    expect(await world.openDecisions()).toEqual([]);
  });

  test('nor are we asked what the platform passes on to another, though nobody owns the Task of the hospital', async () => {
    await sourceIsThere(world);
    await hospitalHas(
      world,
      ines,
      foodCondition,
      foodOrder,
      task,
      await part({ owner: { reference: 'Organization/77' } }),
    );
    await seen(world);
    expect(await feed(world)).toEqual([]);
    expect(await world.openDecisions()).toEqual([]);
  });

  test.each([
    ['a draft', { status: 'draft' }],
    ['an error', { status: 'entered-in-error' }],
    ['a question to the patient', { code: { coding: [{ code: 'make-contact' }] } }],
  ])('%s passes nothing on', async (_, more) => {
    await sourceIsThere(world);
    await hospitalHas(world, ines, foodCondition, foodOrder, task, await part({ owner: platform, ...more }));
    await seen(world);
    expect(await offered()).toEqual(['task-1']);
  });

  test('we answer the platform, with what its order points at, and never the hospital', async () => {
    await isAsked({ owner: platform });
    await sourceAdopts(world);
    const before = await journalled();
    await sourceMoves(world, 'accepted', { decidedAt: '2026-03-02T09:00:00-05:00' });
    await sourceMoves(world, 'in-progress');
    await sourceMoves(world, 'completed', {
      outcome: { code: 'service-received', at: '2026-03-05T09:00:00-05:00', confirmedBy: 'client' },
    });
    const done = await only(world, 'Procedure');
    expect(done).toMatchObject({ basedOn: [{ reference: 'ServiceRequest/filler-1' }] });
    const held = new Map((await world.server.all('Task')).map((one) => [one.id, one]));
    expect(held.get('part-1')).toMatchObject({
      status: 'completed',
      output: [{ valueReference: { reference: `Procedure/${done.id}` } }],
      partOf: [{ reference: 'Task/task-1' }],
    });
    expect(held.get('task-1')).toMatchObject({ status: 'requested', meta: { versionId: '1' } });
    for (const order of await world.server.all('ServiceRequest'))
      expect(order).toMatchObject({ meta: { versionId: '1' } });
    expect(await writtenOfReferrals(before)).toEqual(['create Procedure', 'update Task', 'update Task', 'update Task']);
    expect(await world.openDecisions()).toEqual([]);
  });

  test('a cancelled Task of the hospital changes nothing; that of the platform takes it back', async () => {
    await isAsked({ owner: platform });
    await hospitalHas(world, { ...task, owner: platform, status: 'cancelled' }, { ...foodOrder, status: 'revoked' });
    await seen(world);
    expect(await ops(world, 4)).toEqual([]);
    await hospitalHas(world, await part({ status: 'cancelled' }));
    await seen(world);
    expect(await ops(world, 4)).toEqual(['withdraw referral', 'withdraw need', 'withdraw case', 'withdraw client']);
    expect(await offered()).toEqual([]);
  });
});

describe('passed on by us', () => {
  /** A referral of ours to a partner that carries out a part of the one that the hospital made to us. */
  async function passesOn(id: string, more: JsonObject = {}): Promise<JsonObject> {
    const { content } = await world.store.db
      .selectFrom('record')
      .select('content')
      .where('type', '=', 'referral')
      .where(sql<boolean>`content ->> 'direction' = 'incoming'`)
      .executeTakeFirstOrThrow();
    return aReferral({
      id,
      clientId: String(content.clientId),
      caseId: String(content.caseId),
      needIds: [],
      goalIds: [],
      partOfId: String(content.id),
      ...more,
    });
  }

  const made = async (id: string) => ({
    order: await world.server.own('ServiceRequest', `county/referral/${id}#request`),
    task: await world.server.own('Task', `county/referral/${id}#fulfilment`),
  });

  async function isOurs(): Promise<void> {
    await isAdopted();
    await world.send(...directoryAndClient().slice(0, 4));
  }

  test('in several parts: each order and Task says what it carries out, and the hospital hears of it from us alone', async () => {
    await isOurs();
    const before = await journalled();
    await world.send(['referral', await passesOn('part-1')], ['referral', await passesOn('part-2')]);
    for (const id of ['part-1', 'part-2']) {
      const { order, task: asked } = await made(id);
      expect(order).toMatchObject({ intent: 'filler-order', basedOn: [{ reference: 'ServiceRequest/order-1' }] });
      expect(asked).toMatchObject({ intent: 'order', partOf: [{ reference: 'Task/task-1' }] });
    }
    await seen(world);
    await world.workAgain();
    expect(await writtenOfReferrals(before)).toEqual([
      'create ServiceRequest',
      'create ServiceRequest',
      'create Task',
      'create Task',
    ]);
    expect((await feed(world)).length).toBe(4);
    await hospitalHas(world, { ...(await made('part-1')).task, status: 'completed' });
    await seen(world);
    expect(await ops(world, 4)).toEqual(['patch referral']);
    const whole = (await world.server.all('Task')).find(({ id }) => id === 'task-1');
    expect(whole).toMatchObject({ status: 'requested', meta: { versionId: '1' } });
    expect(await world.openDecisions()).toEqual([]);
  });

  test('what a partner or anybody else makes of it is a part of ours', async () => {
    await isOurs();
    await world.send(['referral', await passesOn('part-1')]);
    const { task: asked } = await made('part-1');
    await hospitalHas(
      world,
      { ...task, id: 'part-of-part', partOf: [{ reference: `Task/${asked.id}` }] },
      { ...task, id: 'part-of-whole', partOf: [{ reference: 'Task/task-1' }] },
    );
    await seen(world);
    expect((await feed(world)).length).toBe(4);
  });

  test('of what answers nothing there yet: it goes out at once, and says what it carries out when that is tied', async () => {
    await sourceIsThere(world);
    await world.accept(...directoryAndClient().slice(0, 4));
    await begins();
    const proposals = await feed(world);
    const [whole, ...others] = acceptedOf(proposals).toSorted(([type]) => (type === 'referral' ? -1 : 1));
    const { id, clientId, caseId } = whole?.[1] ?? {};
    const ids = { clientId: String(clientId), caseId: String(caseId), partOfId: String(id) };
    await world.send(...others, ['referral', aReferral({ id: 'part-1', ...ids, needIds: [], goalIds: [] })]);
    const { order, task: asked } = await made('part-1');
    expect(order).toMatchObject({ intent: 'filler-order' });
    expect(order).not.toHaveProperty('basedOn');
    expect(asked).not.toHaveProperty('partOf');
    expect(await world.link('referral/part-1#fulfilment')).toMatchObject({ state: 'current' });
    await world.send(...(whole === undefined ? [] : [whole]));
    expect((await made('part-1')).order).toMatchObject({ basedOn: [{ reference: 'ServiceRequest/order-1' }] });
    expect((await made('part-1')).task).toMatchObject({ partOf: [{ reference: 'Task/task-1' }] });
  });

  test('of what its source has deleted since, or of another client: it names nothing', async () => {
    await isOurs();
    const part = await passesOn('part-1');
    const other = await passesOn('part-other', { clientId: 'client-rosa', caseId: 'case-rosa' });
    await world.send(['client', aClient()], ['case', aCase()], ['referral', part], ['referral', other]);
    expect((await made('part-1')).order).toHaveProperty('basedOn');
    expect((await made('part-other')).order).not.toHaveProperty('basedOn');
    expect((await made('part-other')).task).not.toHaveProperty('partOf');
    await world.send([
      'referral',
      { id: String(part.partOfId), updatedAt: '2026-03-04T09:00:00-05:00', deleted: true },
    ]);
    expect((await made('part-1')).order).not.toHaveProperty('basedOn');
  });
});
