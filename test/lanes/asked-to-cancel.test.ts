// A performer that has accepted a referral is asked to cancel it, as the connection's server knows to be asked (closed-loop B3, B6).

import { beforeEach, describe, expect, test } from '@jest/globals';
import { isObject, type JsonObject } from '../../src/json.ts';
import { aReferral } from '../builders.ts';
import { caseload } from '../support/caseload.ts';
import { aConnection } from '../support/rig.ts';
import { partnerEdits, useWorld } from '../support/world.ts';

const world = useWorld({ cancellation: 'bser' });
const taskSlot = 'county/referral/referral-pantry#fulfilment';
const system = 'http://hl7.org/fhir/us/bser/CodeSystem/TaskBusinessStatusCS';

const task = () => world.server.own('Task', taskSlot);
const state = (code: string, display: string): JsonObject => ({ coding: [{ system, code, display }] });
const scheduled = state('5.1.1', 'Event Scheduled');

async function partnerSets(status: string, more: JsonObject = {}): Promise<void> {
  const { id } = await task();
  await partnerEdits(world.server, `Task/${id}`, (held) => ({ ...held, ...more, status }));
}

async function partnerMoves(status: string, more: JsonObject = {}): Promise<void> {
  await partnerSets(status, more);
  await world.poll();
  await world.work();
}

const asked = { cancelRequest: { at: '2026-02-20T10:00:00-05:00', reason: 'She found another pantry.' } };

/** The source's next version, a minute after the last. */
let minute = 0;
async function sourceSays(more: JsonObject): Promise<void> {
  minute += 1;
  const updatedAt = `2026-02-20T10:${String(minute).padStart(2, '0')}:00-05:00`;
  await world.send(['referral', { ...aReferral(), ...more, updatedAt }]);
}

async function accepted(): Promise<void> {
  await world.send(...caseload());
  await partnerMoves('accepted', { businessStatus: state('3.0', 'Accepted') });
}

/** How often anybody has written the Task. */
async function version(): Promise<number> {
  const { meta } = await task();
  return isObject(meta) ? Number(meta.versionId) : Number.NaN;
}
const offered = async () => (await world.changes()).map(({ body }) => body);

describe('at a server that knows the two steps of BSeR', () => {
  test('the Task asks once, also when the reply is lost, and our own question offers the source nothing', async () => {
    await accepted();
    await partnerMoves('in-progress', { businessStatus: scheduled });
    await world.server.strikeOnce('PUT', 'Task', { drop: 'after-commit' });
    const [before, changes] = [await version(), await offered()];
    await sourceSays(asked);
    expect(await version()).toBe(before + 1);
    expect(await task()).toMatchObject({
      status: 'in-progress',
      statusReason: { text: 'She found another pantry.' },
      businessStatus: {
        coding: [{ system, code: '5.2', display: 'Cancellation Requested' }],
        text: 'Cancellation Requested; before: Event Scheduled',
      },
    });
    await world.poll();
    await world.workAgain();
    expect(await version()).toBe(before + 1);
    expect(await offered()).toEqual(changes);
    await partnerMoves('in-progress', { businessStatus: scheduled });
    await world.workAgain();
    expect(await version()).toBe(before + 2);
  });

  test('the partner has done the work already and answers completed', async () => {
    await accepted();
    await sourceSays(asked);
    const before = await version();
    await partnerMoves('completed', { businessStatus: state('7.0', 'Fulfillment Completed') });
    expect((await offered()).at(-1)).toMatchObject({ status: 'completed', cancelRequest: { answer: 'completed' } });
    expect(await version()).toBe(before + 1);
    expect(await world.openDecisions()).toEqual([]);
  });

  test('a partner that goes on is heard, is not asked again, and keeps its own business status; the source may still cancel', async () => {
    await accepted();
    await sourceSays(asked);
    const before = await version();
    await partnerMoves('in-progress', { businessStatus: scheduled });
    expect((await offered()).at(-1)).toMatchObject({ status: 'in-progress' });
    await world.workAgain();
    expect(await version()).toBe(before + 1);
    expect(await task()).toMatchObject({ businessStatus: scheduled });
    const history = [{ id: 'h9', status: 'cancelled', at: '2026-02-21T10:00:00-05:00', reason: 'No answer.' }];
    await sourceSays({ ...asked, status: 'cancelled', history });
    expect(await task()).toMatchObject({ status: 'cancelled', businessStatus: scheduled });
    expect(await world.openDecisions()).toEqual([]);
  });

  test('nobody is asked before anybody has accepted; once somebody has, they are', async () => {
    await world.send(...caseload());
    await sourceSays(asked);
    expect(await task()).toMatchObject({ status: 'requested' });
    expect(await world.link('referral/referral-pantry#fulfilment')).toMatchObject({ reason: 'cancel-not-accepted' });
    await partnerMoves('accepted');
    expect(await task()).toMatchObject({ status: 'in-progress', businessStatus: { coding: [{ code: '5.2' }] } });
    expect((await offered()).at(-1)).toMatchObject({ status: 'accepted' });
  });

  test('the source takes its question back: the Task is as it was before', async () => {
    await accepted();
    await partnerMoves('on-hold', { statusReason: { text: 'No driver.' }, businessStatus: scheduled });
    const before = await task();
    await sourceSays(asked);
    await sourceSays({});
    const { meta: _now, ...now } = await task();
    const { meta: _then, ...then } = before;
    expect(now).toEqual(then);
    expect(await world.openDecisions()).toEqual([]);
  });

  test('a partner that completes it between our read and our write has not been asked', async () => {
    await accepted();
    const before = (await world.server.journal()).length;
    world.beforeNextWrite(() => partnerSets('completed', { businessStatus: state('7.0', 'Fulfillment Completed') }));
    await sourceSays(asked);
    expect(await task()).toMatchObject({ status: 'completed', businessStatus: { coding: [{ code: '7.0' }] } });
    expect((await offered()).at(-1)).toMatchObject({ status: 'completed' });
    const refused = (await world.server.journal(before)).filter(({ status }) => status === 412);
    expect(refused).toHaveLength(1);
  });
});

describe('at a server where a Task of its own asks', () => {
  beforeEach(() => world.connect(aConnection(world.server.base, { cancellation: 'abort-task' })));

  const question = () => world.server.own('Task', 'county/referral/referral-pantry#cancellation');

  async function partnerAnswers(status: string, more: JsonObject = {}): Promise<void> {
    const { id } = await question();
    await partnerEdits(world.server, `Task/${id}`, (held) => ({ ...held, ...more, status }));
    await world.poll();
    await world.work();
  }

  test('there is exactly one, which names the first and the reason; done, the source is told that the partner cancels', async () => {
    await accepted();
    const { id, businessStatus } = await task();
    await world.server.strikeOnce('POST', 'Task', { drop: 'after-commit' });
    await sourceSays(asked);
    await world.workAgain();
    expect(await question()).toMatchObject({
      status: 'requested',
      intent: 'order',
      code: { coding: [{ system: 'http://hl7.org/fhir/CodeSystem/task-code', code: 'abort' }] },
      focus: { reference: `Task/${id}` },
      reasonCode: { text: 'She found another pantry.' },
      authoredOn: '2026-02-20T10:00:00-05:00',
    });
    expect(await task()).toMatchObject({ status: 'accepted', businessStatus });
    await partnerAnswers('accepted');
    expect((await offered()).filter((body) => isObject(body) && body.cancelRequest !== undefined)).toEqual([]);
    await partnerAnswers('completed');
    expect((await offered()).at(-1)).toMatchObject({ cancelRequest: { answer: 'cancelled' } });
    expect(await world.openDecisions()).toEqual([]);
  });

  test('rejected: the referral goes on, and a person is told why; asked again, another Task asks', async () => {
    await accepted();
    await sourceSays(asked);
    await partnerAnswers('rejected', { statusReason: { text: 'The box is on its way.' } });
    expect((await offered()).at(-1)).toEqual({ cancelRequest: { answeredAt: expect.any(String) } });
    expect(await world.openDecisions()).toMatchObject([
      { kind: 'status', code: 'cancel-refused', detail: { statusReason: { text: 'The box is on its way.' } } },
    ]);
    expect(await task()).toMatchObject({ status: 'accepted' });
    const again = { at: '2026-02-21T10:00:00-05:00', reason: 'She has moved away.' };
    await sourceSays({ cancelRequest: again });
    await world.workAgain();
    const questions = (await world.server.all('Task')).filter(({ reasonCode }) => reasonCode !== undefined);
    expect(questions.map(({ status, authoredOn }) => [status, authoredOn])).toEqual([
      ['rejected', asked.cancelRequest.at],
      ['requested', again.at],
    ]);
    expect((await task()).status).toBe('accepted');
    expect(await world.openDecisions()).toEqual([]);
  });

  test('completed meanwhile: what the first Task says counts, whatever the second does', async () => {
    await accepted();
    await sourceSays(asked);
    await partnerSets('completed');
    await partnerAnswers('completed');
    expect((await offered()).at(-1)).toMatchObject({ status: 'completed', cancelRequest: { answer: 'completed' } });
  });

  test('taken back: entered in error', async () => {
    await accepted();
    await sourceSays(asked);
    await sourceSays({});
    expect(await question()).toMatchObject({ status: 'entered-in-error' });
    expect(await task()).toMatchObject({ status: 'accepted' });
  });
});

test('at any other server no resource asks, and the record says so', async () => {
  await world.connect(aConnection(world.server.base));
  await accepted();
  const before = await version();
  await sourceSays(asked);
  expect(await version()).toBe(before);
  expect(await world.server.all('Task')).toHaveLength(1);
  expect(await world.link('referral/referral-pantry#cancellation')).toMatchObject({ reason: 'cancel-not-asked' });
});
