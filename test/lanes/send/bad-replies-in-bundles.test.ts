// Answers to the entries of a transaction that are wrong, missing or untrue (reliability section 4).

import { beforeEach, describe, expect, test } from '@jest/globals';
import { isObject, type JsonObject } from '../../../src/json.ts';
import { aGoal, anOrganization } from '../../builders.ts';
import { outcome } from '../../support/broken-replies.ts';
import { caseWithReferral, directoryAndClient } from '../../support/caseload.ts';
import { startProxy } from '../../support/proxy.ts';
import { aConnection } from '../../support/rig.ts';
import { creates, useWorld } from '../../support/world.ts';

const world = useWorld();

beforeEach(async () => {
  await world.server.settings({ transactions: false });
});

describe('Bundles', () => {
  const lane = 'county.case.case-rosa';
  const goals: [string, JsonObject][] = ['one', 'two'].map((id) => [`goal/${id}#goal`, aGoal({ id, needIds: [] })]);

  async function throughProxy(response: (body: JsonObject) => JsonObject, work: () => Promise<void>): Promise<void> {
    const proxy = await startProxy(world.server.base, { response });
    try {
      await world.connect(aConnection(proxy.base));
      await work();
    } finally {
      await proxy.stop();
    }
  }

  const entriesOf = ({ entry }: JsonObject) => (Array.isArray(entry) ? entry.filter(isObject) : []);
  const eachEntry = (body: JsonObject, change: (entry: JsonObject, at: number) => JsonObject[]): JsonObject => ({
    ...body,
    entry: entriesOf(body).flatMap(change),
  });
  const isOfGoal = ({ response }: JsonObject) => JSON.stringify(response).includes('"Goal/');

  /** Each create ended so, at a place of its own. */
  const answerAs = (status: string, shown: JsonObject | undefined) => (entry: JsonObject, at: number) => {
    const resourceType = isObject(entry.resource) ? String(entry.resource.resourceType) : '';
    if (resourceType !== 'Goal') return [entry];
    const id = `other-${at}`;
    return [
      {
        response: { status, location: `${resourceType}/${id}` },
        ...(shown !== undefined && { resource: { resourceType, id, ...shown } }),
      },
    ];
  };

  test.each<[string, (body: JsonObject) => JsonObject]>([
    [
      '70: an answer that repeats one id for all of a type',
      (body) => {
        const [first] = entriesOf(body).filter(isOfGoal);
        return eachEntry(body, (entry) => [isOfGoal(entry) ? (first ?? entry) : entry]);
      },
    ],
    ['70: an answer with an entry too few', (body) => eachEntry(body, (entry, at) => (at === 0 ? [] : [entry]))],
    ['70: an answer with empty entries', (body) => eachEntry(body, () => [{}])],
    [
      '69: an answer whose entries say that they failed',
      (body) => eachEntry(body, () => [{ response: { status: '500', outcome: outcome('fatal', 'exception') } }]),
    ],
    [
      '69: an answer whose entries say 200, and in their outcome that they failed',
      (body) =>
        eachEntry(body, ({ response }) => [
          {
            response: {
              ...(isObject(response) ? response : {}),
              status: '200',
              outcome: outcome('error', 'exception'),
            },
          },
        ]),
    ],
    [
      '69: an answer whose entries say 201, and hold a fatal outcome for the resource',
      (body) =>
        eachEntry(body, ({ response }) => [{ response: response ?? {}, resource: outcome('fatal', 'processing') }]),
    ],
    [
      '67: an answer that says that all is on another host',
      (body) =>
        eachEntry(body, () => [{ response: { status: '201', location: 'https://elsewhere.example.org/Goal/1' } }]),
    ],
    [
      '68: an answer with resources of another type',
      (body) =>
        eachEntry(body, ({ response }) => [{ response: response ?? {}, resource: { resourceType: 'Flag', id: '1' } }]),
    ],
    ['68: an answer with 200 and resources without our identifier', (body) => eachEntry(body, answerAs('200', {}))],
    ['65: an answer with 200 and nothing that can be read', (body) => eachEntry(body, answerAs('200', undefined))],
    [
      '68: an answer with 201 and resources of another patient',
      (body) => eachEntry(body, answerAs('201', { subject: { reference: 'Patient/other' } })),
    ],
  ])('%s: each is looked up by our identifier', async (_title, lie) => {
    await world.server.settings({ transactions: true });
    let lies = 1;
    const once = (body: JsonObject) => (body.type === 'transaction-response' && lies-- > 0 ? lie(body) : body);
    await throughProxy(once, async () => {
      await world.send(...directoryAndClient());
      lies = 1;
      const withoutGoal = caseWithReferral().filter(([type]) => type === 'case' || type === 'need');
      await world.send(...withoutGoal, ...goals.map(([, goal]) => ['goal', goal] as const));
      for (const [name] of goals) {
        const { id } = await world.server.own('Goal', `county/${name}`);
        expect(await world.link(name)).toMatchObject({ remoteId: id, state: 'current' });
      }
      expect(await creates(world.server, 'Goal')).toBe(2);
      const lookedUp = world.store.db.selectFrom('operation').select('outcome').where('resource_type', '=', 'Goal');
      expect(await lookedUp.execute()).toEqual([{ outcome: 'found' }, { outcome: 'found' }]);
      expect(await world.lane(lane)).toMatchObject({ hasWork: false, parked: undefined });
      expect(await world.openDecisions()).toEqual([]);
      expect(await world.changes()).toEqual([]);
    });
  });

  test('70: a search that shows one resource twice has found one', async () => {
    const twice = (body: JsonObject) => (body.type === 'searchset' ? eachEntry(body, (entry) => [entry, entry]) : body);
    await throughProxy(twice, async () => {
      await world.server.strikeOnce('POST', 'Organization', { status: 500, at: 'after-commit' });
      await world.send(['organization', anOrganization()]);
      expect(await world.openDecisions()).toEqual([]);
      expect(await creates(world.server, 'Organization')).toBe(1);
    });
  });
});
