// G11: every change of the other side arrives once, whatever befalls the polls: doubled entries, a token that dies between pages, a crash before the
// cursor is stored, a server whose clock is put forward and back by five minutes. CASEBRIDGE_POLL_CHANGES says how many changes.

import { expect, test } from '@jest/globals';
import { type FhirClient, generateKey, publicKeySet } from '../../../src/connections/connections.ts';
import type { JsonObject } from '../../../src/json.ts';
import { type LaneDeps, runDuePolls } from '../../../src/lanes/lanes.ts';
import { sql } from '../../../src/store/store.ts';
import { aReferral } from '../../builders.ts';
import { stream } from '../../simulation/random.ts';
import { caseWithReferral, directoryAndClient, type Item } from '../../support/caseload.ts';
import { type Proxy as StandIn, startProxy } from '../../support/proxy.ts';
import { aConnection } from '../../support/rig.ts';
import { useWorld } from '../../support/world.ts';

const world = useWorld();
const referrals = 20;
const changes = Number(process.env.CASEBRIDGE_POLL_CHANGES ?? 80);
const rounds = Math.ceil(changes / referrals);
const skewMs = 5 * 60_000;
const ids = Array.from({ length: referrals }, (_, number) => `referral-${number}`);
const dice = stream(11, 'once');

class Crash extends Error {}

test(
  `${rounds * referrals} changes in ${rounds} rounds: none is missed, none comes twice`,
  async () => {
    const proxy: StandIn = await startProxy(world.server.base, {
      response: (body) => (dice.chance(0.3) ? doubled(body) : body),
      text: (text, path) => (path.includes('?') ? text.replaceAll(world.server.base, proxy.base) : text),
    });
    try {
      await prepare(proxy.base);
      const tasks = new Map<string, string>();
      for (const id of ids)
        tasks.set(id, String((await world.server.own('Task', `county/referral/${id}#fulfilment`)).id));
      for (const status of ['accepted', 'in-progress']) {
        for (const task of tasks.values()) await partnerSets(task, status);
        await pollThroughAll();
      }
      let heard = (await world.changes()).length;
      for (let round = 0; round < rounds; round += 1) {
        const status = round % 2 === 0 ? 'on-hold' : 'in-progress';
        const now = new Date(Date.now() + dice.pick([-skewMs, 0, skewMs])).toISOString();
        await world.server.control('POST', 'clock', { now });
        for (const task of tasks.values()) await partnerSets(task, status);
        await pollThroughAll();
        const all = await world.changes();
        const news = all.slice(heard).map(({ id, body }) => [String(id), bodyStatus(body)].join(' '));
        expect({ round, news: news.sort() }).toEqual({ round, news: ids.map((id) => `${id} ${status}`).sort() });
        heard = all.length;
      }
      expect(await world.openDecisions()).toEqual([]);
      console.info(`${rounds * referrals} changes: 0 missed, 0 twice`);
    } finally {
      await proxy.stop();
    }
  },
  120_000 + 300 * changes,
);

async function prepare(base: string): Promise<void> {
  const key = await generateKey();
  const scopes = ['system/*.crus'];
  await world.server.settings({ auth: 'token' });
  await world.server.control('POST', 'clients', [{ clientId: 'casebridge', jwks: await publicKeySet([key]), scopes }]);
  await world.connect(aConnection(base, { auth: { type: 'smart-backend', clientId: 'casebridge', key, scopes } }));
  const lane = world.deps.connections.get('general');
  if (lane !== undefined) Object.assign(lane, { client: inSmallPages(lane.client) });
  const own = ids.map((id): Item => ['referral', aReferral({ id })]);
  const others = caseWithReferral().filter(([type]) => type !== 'referral');
  await world.send(...directoryAndClient(), ...others, ...own);
}

function inSmallPages({ searchAll, ...client }: FhirClient): FhirClient {
  return {
    ...client,
    searchAll: (type, query, limits = {}) =>
      searchAll(type, limits.isPoll ? { ...query, _count: '7' } : query, {
        ...limits,
        beforePage: async () => {
          await limits.beforePage?.();
          if (dice.chance(0.1)) await world.server.control('POST', 'tokens/expire');
        },
      }),
  };
}

/** The partner's own token does not die with ours. */
async function partnerSets(task: string, status: string): Promise<void> {
  const [held] = (await world.server.all('Task')).filter(({ id }) => id === task);
  await world.server.seed({ ...held, status });
}

/** Polls until each has been read to its end, the first of them dying before its commit now and then; then the lanes run. */
async function pollThroughAll(): Promise<void> {
  const { store } = world.deps;
  const dying: LaneDeps = {
    ...world.deps,
    store: {
      ...store,
      now: () => store.now(),
      tx: (work) =>
        store.tx(async (trx) => {
          const result = await work(trx);
          if (dice.chance(0.3)) throw new Crash();
          return result;
        }),
    },
  };
  for (const deps of [dying, dying, world.deps, world.deps]) {
    await sql`update poll set next_at = now(), lease_until = null`.execute(store.db);
    await runDuePolls(deps, world.capabilities).catch((error: unknown) => {
      if (!(error instanceof Crash)) throw error;
    });
    if (dice.chance(0.5)) await world.work();
  }
  await world.work();
}

function doubled(body: JsonObject): JsonObject {
  const entries = Array.isArray(body.entry) ? body.entry : [];
  return body.type === 'searchset' ? { ...body, entry: entries.flatMap((entry) => [entry, entry]) } : body;
}

function bodyStatus(body: unknown): string {
  return typeof body === 'object' && body !== null && 'status' in body ? String(body.status) : 'none';
}
