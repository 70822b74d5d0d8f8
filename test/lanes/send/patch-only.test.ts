// A server that changes a type by JSON Patch only: our change goes as one, with tests of what we read, and takes nothing of theirs away
// (lanes.md 13 to 15; RFC 6902).

import { beforeEach, describe, expect, test } from '@jest/globals';
import { isObject, type JsonObject } from '../../../src/json.ts';
import { aGoal, aReferral } from '../../builders.ts';
import { caseload } from '../../support/caseload.ts';
import { useWorld } from '../../support/world.ts';

const world = useWorld();
const goalSlot = 'county/goal/goal-meals#goal';
const taskSlot = 'county/referral/referral-pantry#fulfilment';
const lane = 'county.case.case-rosa';
const extension = { url: 'https://pantry.example.org/shelf', valueString: 'B4' };
const patchOnlyTypes = ['Goal', 'Task', 'ServiceRequest', 'CarePlan', 'Condition'];

beforeEach(async () => {
  await world.server.settings({ patchOnlyTypes });
  await world.send(...caseload());
});

/** The partner's own way to change it: the server takes no PUT of them either. */
async function partnerPatches(path: string, ...operations: JsonObject[]): Promise<void> {
  const reply = await fetch(`${world.server.base}/${path}`, {
    method: 'PATCH',
    headers: { 'content-type': 'application/json-patch+json' },
    body: JSON.stringify(operations),
  });
  if (!reply.ok) throw new Error(`the partner's edit was answered ${reply.status}`);
}

async function pathOf(resourceType: string, slot: string): Promise<string> {
  const { id } = await world.server.own(resourceType, slot);
  return `${resourceType}/${id}`;
}

/** Our changes of resources of a type; the partner asks for no particular answer. */
async function changesSent(resourceType = 'Goal'): Promise<JsonObject[]> {
  const journal = await world.server.journal();
  return journal.filter(({ method, url, requestHeaders }) => {
    const { prefer } = isObject(requestHeaders) ? requestHeaders : {};
    const isChange = method === 'PATCH' || method === 'PUT';
    return isChange && prefer !== undefined && String(url).includes(`/${resourceType}/`);
  });
}

const newGoal = (more: JsonObject = {}) =>
  aGoal({ statement: 'Food every day.', updatedAt: '2026-02-05T10:00:00-05:00', ...more });

describe('with version tags', () => {
  test('a change goes as PATCH with If-Match and tests, and only what changes is in it', async () => {
    await world.send(['goal', newGoal()]);
    expect(await world.server.own('Goal', goalSlot)).toMatchObject({ description: { text: 'Food every day.' } });
    const [sent, ...others] = await changesSent();
    expect(others).toEqual([]);
    expect(sent).toMatchObject({
      method: 'PATCH',
      requestHeaders: { 'content-type': 'application/json-patch+json', 'if-match': 'W/"1"' },
      requestBody: expect.arrayContaining([
        { op: 'test', path: '/description/text', value: 'I want food on the table every day of the month.' },
        { op: 'replace', path: '/description/text', value: 'Food every day.' },
      ]),
    });
  });

  test('their elements stay, and a second pass writes nothing', async () => {
    await partnerPatches(await pathOf('Goal', goalSlot), { op: 'add', path: '/extension', value: [extension] });
    await world.send(['goal', newGoal()]);
    expect(await world.server.own('Goal', goalSlot)).toMatchObject({
      description: { text: 'Food every day.' },
      extension: [extension],
    });
    const before = (await world.server.journal()).length;
    await world.workAgain();
    expect(await world.server.writes(before)).toEqual([]);
    expect(await world.openDecisions()).toEqual([]);
  });

  test('a status is walked by patches', async () => {
    const at = '2026-02-20T10:00:00-05:00';
    const referral: JsonObject = aReferral();
    const history = [
      ...(Array.isArray(referral.history) ? referral.history : []),
      { id: 'h3', status: 'cancelled', at, reason: 'Moved away' },
    ];
    const moved = { ...referral, status: 'cancelled', history, updatedAt: at };
    await world.send(['referral', moved]);
    expect(await world.server.own('Task', taskSlot)).toMatchObject({ status: 'cancelled' });
    expect((await changesSent('Task')).map(({ method }) => method)).toEqual(['PATCH']);
  });

  test('a list item that the record no longer has is removed, after a test of which one it is', async () => {
    const kept = { id: 't1', text: 'No day without a meal', dueOn: '2026-05-31' };
    const dropped = { id: 't2', text: 'A full pantry', dueOn: '2026-05-31' };
    await world.send(['goal', aGoal({ targets: [kept, dropped], updatedAt: '2026-02-05T10:00:00-05:00' })]);
    await world.send(['goal', aGoal({ targets: [kept], updatedAt: '2026-02-06T10:00:00-05:00' })]);
    const [, sent] = await changesSent();
    expect(sent?.requestBody).toEqual([
      { op: 'test', path: '/target/2/id', value: 't2' },
      { op: 'remove', path: '/target/2' },
    ]);
  });

  test('types that take PUT go together in a transaction, the patch by itself', async () => {
    await world.server.settings({ patchOnlyTypes: ['Goal'] });
    await world.connect(world.deps.connections.get('general')?.config ?? fail());
    await world.accept(
      ['goal', newGoal()],
      ['referral', aReferral({ urgency: 'urgent', updatedAt: '2026-02-05T10:00:00-05:00' })],
    );
    const before = (await world.server.journal()).length;
    await world.work();
    const writes = await world.server.writes(before);
    expect(writes.map(({ method, url }) => `${method} ${String(url).split('/').slice(4, 5).join('/')}`)).toEqual([
      'POST ',
      'PATCH Goal',
    ]);
    expect(await world.server.own('ServiceRequest', 'county/referral/referral-pantry#request')).toMatchObject({
      priority: 'urgent',
    });
  });
});

describe.each([
  ['with version tags', true],
  ['without', false],
])('an edit between our read and our write, %s', (_title, versions) => {
  beforeEach(async () => {
    await world.server.settings({ versions });
  });

  test('of another element survives beside ours', async () => {
    const path = await pathOf('Goal', goalSlot);
    world.beforeNextWrite(() => partnerPatches(path, { op: 'add', path: '/extension', value: [extension] }));
    await world.send(['goal', newGoal()]);
    expect(await world.server.own('Goal', goalSlot)).toMatchObject({
      description: { text: 'Food every day.' },
      extension: [extension],
    });
  });

  test('of the same element is not overwritten unseen: it is offered to the source', async () => {
    const path = await pathOf('Goal', goalSlot);
    world.beforeNextWrite(() => partnerPatches(path, { op: 'replace', path: '/lifecycleStatus', value: 'completed' }));
    await world.send(['goal', newGoal({ status: 'on-hold' })]);
    await world.workAgain();
    const patches = (await world.changes()).map(({ body }) => body);
    expect(patches).toEqual([{ status: 'completed' }]);
    expect((await changesSent()).map(({ status }) => status)).toEqual([versions ? 412 : 422, 200]);
    expect(await world.lane(lane)).toMatchObject({ hasWork: false, parked: undefined });
  });
});

test('a patch that the server refuses for what it says parks its resource only', async () => {
  await world.server.faults({ method: 'PATCH', path: 'Goal', fault: { status: 422 } });
  await world.send(
    ['goal', newGoal()],
    ['referral', aReferral({ urgency: 'urgent', updatedAt: '2026-02-05T10:00:00-05:00' })],
  );
  expect(await world.link('goal/goal-meals#goal')).toMatchObject({ state: 'parked', reason: 'server-refused' });
  expect(await world.server.own('Task', taskSlot)).toMatchObject({ priority: 'urgent' });
  expect(await changesSent()).toHaveLength(1);
});

test('a patch whose reply was lost is looked up, not sent again', async () => {
  await world.server.strikeOnce('PATCH', 'Goal', { drop: 'after-commit', cut: 'reset' });
  await world.send(['goal', newGoal()]);
  expect(await world.server.own('Goal', goalSlot)).toMatchObject({ description: { text: 'Food every day.' } });
  expect(await changesSent()).toHaveLength(1);
  expect(await world.changes()).toEqual([]);
});

function fail(): never {
  throw new Error('There is no such connection.');
}
