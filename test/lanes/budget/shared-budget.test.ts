// The budget's row under processes that race for it, on a real PostgreSQL: each has a pool of its own
// (lanes.md 4).

import { afterEach, describe, expect, test } from '@jest/globals';
import type { AuthConfig } from '../../../src/config.ts';
import { type Budget, generateKey, openConnection, type Verdict } from '../../../src/connections/connections.ts';
import { afterTokenTurn, claimTokenTurn } from '../../../src/connections/token-turn.ts';
import { reason } from '../../../src/errors.ts';
import { configurationOf, prepareConnection, probeFailing, setPaused, sharedBudget } from '../../../src/lanes/lanes.ts';
import { openStore, type Store, sql } from '../../../src/store/store.ts';
import { type Answer, connectTo, startServer, stopAll } from '../../connections/fhir-server.ts';
import { aConnection, eventually, testLogger } from '../../support/rig.ts';
import { describeOnPostgres } from '../../support/servers.ts';

const rateLimit = { requestsPerSecond: 200, concurrency: 8 };
const quiet = {
  running: 0,
  wanted: 0,
  tokens: 0,
  polls: 0,
  lanes: 0,
  recent: 0,
  unused: 0,
  answers: { succeeded: false, failed: 0 },
};

afterEach(stopAll);

describeOnPostgres('the budget that processes share', ({ freshDatabase }) => {
  async function racing<T>(work: (stores: readonly [Store, Store], budgets: readonly Budget[]) => Promise<T>) {
    const url = await freshDatabase();
    const one = await openStore({ url, folder: 'unused' });
    const other = await openStore({ url, folder: 'unused' });
    const stores = [one, other] as const;
    const budgets = [0, 1, 2, 3].map((n) =>
      sharedBudget(n % 2 === 0 ? one : other, { id: 'general', rateLimit }, `process-${n}`, Math.random),
    );
    return work(stores, budgets).finally(() => Promise.all(stores.map((store) => store.close())));
  }

  test('hands no slot out twice, more places than there are to nobody, and loses no report', () =>
    racing(async ([store], budgets) => {
      const startedAt = performance.now();
      const places = budgets.map(() => 0);
      let slots = 0;
      let settled = 0;
      let most = 0;
      await Promise.all(
        budgets.map(async (budget, at) => {
          for (let times = 0; times < 50; times += 1) {
            const running = places[at] ?? 0;
            const grant = await budget.settle({ ...quiet, running, wanted: 4, lanes: 4 });
            settled += 1;
            slots += grant.count;
            places[at] = Math.max(running, grant.places);
            most = Math.max(
              most,
              places.reduce((sum, held) => sum + held, 0),
            );
            // All its requests have ended.
            if (times % 3 === 2) places[at] = 0;
            if (times % 3 === 2) await budget.settle({ ...quiet, unused: 0 }).then(() => (settled += 1));
          }
        }),
      );
      const seconds = (performance.now() - startedAt) / 1000;
      expect(most).toBeLessThanOrEqual(8);
      expect(slots).toBeGreaterThan(0);
      expect(slots).toBeLessThanOrEqual(Math.ceil((seconds + 0.35) * 200) + 1);
      const row = await store.db.selectFrom('budget').selectAll().executeTakeFirstOrThrow();
      expect(row.version).toBe(settled);
      expect(row.state.day).toMatchObject({ used: slots });
    }));

  test('opens one alert when all of them see the server fail, and resolves it when one is answered', () =>
    racing(async ([store], budgets) => {
      const failed = { ...quiet, answers: { succeeded: false, failed: 2 } };
      await Promise.all(budgets.map((budget) => budget.settle(failed)));
      await Promise.all(budgets.map((budget) => budget.settle(failed)));
      const opened = await store.db.selectFrom('alert').selectAll().execute();
      expect(opened).toMatchObject([
        { topic: 'connection-failing:general', connection: 'general', count: 1, resolved_at: null },
      ]);
      const grants = await Promise.all(budgets.map((budget) => budget.settle({ ...quiet, wanted: 1, lanes: 1 })));
      expect(grants.map(({ count, rest }) => [count, rest?.reason.code])).toEqual(
        budgets.map(() => [0, 'connection-failing']),
      );
      await budgets[3]?.settle({ ...quiet, answers: { succeeded: true, failed: 0 } });
      const resolved = await store.db.selectFrom('alert').selectAll().execute();
      expect(resolved).toHaveLength(1);
      expect(resolved[0]?.resolved_at).toBeInstanceOf(Date);
    }));

  test('a pause that one of them is asked for holds for all', () =>
    racing(async (_stores, [one, other]) => {
      await one?.settle({ ...quiet, stop: { waitMs: 60_000 } });
      const grant = await other?.settle({ ...quiet, wanted: 1, lanes: 1 });
      expect(grant).toMatchObject({ count: 0, rest: { reason: { code: 'connection-stopped' } } });
      expect(grant?.rest?.forMs).toBeGreaterThan(58_000);
    }));

  test('a server that was left alone is asked by one of them only, however often and by how many it is tried', () =>
    racing(async ([one, other], budgets) => {
      const config = aConnection('http://127.0.0.1:1', { rateLimit });
      await prepareConnection(one, config);
      for (let times = 0; times < 2; times += 1)
        await budgets[0]?.settle({ ...quiet, answers: { succeeded: false, failed: 4 } });
      await sql`
        update budget set rest_until = now() - interval '1 second',
          state = jsonb_set(state, '{breaker,openUntil}', to_jsonb(extract(epoch from now())::float8 * 1000 - 1000))`.execute(
        one.db,
      );
      const { vendor, client, close } = openConnection(config);
      const abilities = () => Promise.reject(new Error('Nothing runs here.'));
      const lane = { config, configuration: configurationOf(config), vendor, client, abilities };
      const answer = Promise.withResolvers<Verdict>();
      let asked = 0;
      const probe = (store: Store) =>
        probeFailing({ store, log: testLogger, connections: new Map([['general', lane]]), random: Math.random }, () => {
          asked += 1;
          return asked === 1 ? answer.promise : Promise.resolve<Verdict>('served');
        });
      const racers = [probe(one), probe(other)];
      await eventually(async () => asked > 0, 'the question');
      const late = Promise.all([probe(one), probe(other)]);
      await Promise.race([late, Promise.any(racers)]);
      answer.resolve('served');
      expect((await Promise.all(racers)).sort()).toEqual([0, 1]);
      expect(await late).toEqual([0, 0]);
      expect(asked).toBe(1);
      close();
    }));

  describe('a server that knows another key of ours', () => {
    const json = (status: number, body: object): Answer => ({
      status,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });

    test('is asked for a token once a minute by all processes together; after a resume the next may ask at once', () =>
      racing(async ([store], budgets) => {
        let isMended = false;
        const server = await startServer(({ url, headers }) => {
          if (url.endsWith('smart-configuration')) return json(200, { token_endpoint: `http://${headers.host}/token` });
          if (url !== '/token') return json(200, { resourceType: 'Patient', id: 'p1' });
          const token = { access_token: 'token', token_type: 'bearer', expires_in: 3600 };
          return isMended ? json(200, token) : json(400, { error: 'invalid_client' });
        });
        const tries = () => server.arrived.filter(({ url }) => url === '/token').length;
        const auth: AuthConfig = { type: 'smart-backend', clientId: 'gateway', key: await generateKey(), scopes: [] };
        const connections = budgets.map((budget) => connectTo(server, { id: 'general', rateLimit, auth }, { budget }));
        for (const { config } of connections.slice(0, 1)) await prepareConnection(store, config);
        const read = () =>
          Promise.all(
            connections.flatMap(({ client }) => [
              client.send({ method: 'GET', path: 'Patient/p1' }),
              client.send({ method: 'GET', path: 'Patient/p2' }),
            ]),
          );
        for (let times = 0; times < 3; times += 1) {
          const replies = await read();
          expect(replies.map((reply) => [reply.fault, reply.fault && reply.reason?.code])).toEqual(
            replies.map(() => ['auth', 'connection-client-unknown']),
          );
        }
        expect(tries()).toBe(1);
        await setPaused(store, 'general', reason('connection-paused', { why: ': the key' }));
        await setPaused(store, 'general', undefined);
        isMended = true;
        expect((await read()).map(({ status }) => status)).toEqual(Array(8).fill(200));
        expect(tries()).toBe(1 + connections.length);
      }));

    test('a turn is given to one; it is over when given back, refused for a minute, or after ten seconds', () => {
      const start = Date.UTC(2026, 2, 1);
      const { turn } = claimTokenTurn(undefined, 'one', start);
      expect(claimTokenTurn(turn, 'other', start + 9_999).claim).toBe('taken');
      expect(claimTokenTurn(turn, 'one', start + 9_999).claim).toBe('yours');
      expect(claimTokenTurn(turn, 'other', start + 10_000).claim).toBe('yours');
      expect(afterTokenTurn(turn, 'other', undefined, start)).toEqual(turn);
      expect(afterTokenTurn(turn, 'one', undefined, start)).toBeUndefined();
      const why = reason('connection-client-unknown', { host: 'a', error: 'invalid_client', clocks: '' });
      const refused = afterTokenTurn(turn, 'one', why, start);
      expect(claimTokenTurn(refused, 'other', start + 59_999).claim).toEqual({ refused: why });
      expect(claimTokenTurn(refused, 'other', start + 60_000).claim).toBe('yours');
    });
  });
});
