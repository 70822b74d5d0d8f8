// The real program, killed (SIGKILL) while a request is on its way, and started again: what comes of it is what comes of an undisturbed life.
//
// A plain run lets the gateway on an embedded folder die at a few moments; CASEBRIDGE_TEST_COUNTS=full lets it die at each one, and a worker on
// PostgreSQL as well, which a plain run kills in test/chaos only.

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import { isObject, type JsonObject } from '../../../src/json.ts';
import { aReferral } from '../../builders.ts';
import type { Running } from '../../commands/program.ts';
import { caseload, slotsOfCaseload } from '../../support/caseload.ts';
import { atCounts } from '../../support/counts.ts';
import { portrait, writesIn } from '../../support/portrait.ts';
import { aSite, feed, type Held, hold, lateEnough, runAll, type Site, send, settled } from '../../support/processes.ts';
import { provenanceFaults, requestsIn } from '../../support/provenance.ts';
import { eventually, ownCounts, type TestServer } from '../../support/rig.ts';
import { describeOnPostgres, describeOnRedis } from '../../support/servers.ts';

const nextEdition = aReferral({ requestedText: 'Groceries for three', updatedAt: '2026-02-05T10:00:00-05:00' });

/** Where a process is when it dies, one death after the other. */
interface Moments {
  /** While the caseload goes out. */
  readonly creation: readonly Held[];
  readonly update: readonly Held[];
  readonly poll: readonly Held[];
}

const aFew: Moments = {
  creation: [{ method: 'POST', path: '$', done: true }],
  update: [{ method: 'PUT', path: 'ServiceRequest', done: true }],
  poll: [{ method: 'GET', path: 'Task', done: true }],
};
const everyMoment: Moments = {
  creation: [
    { method: 'GET', path: 'metadata', done: true },
    { method: 'POST', path: 'Organization', done: false },
    { method: 'POST', path: 'Organization', done: true },
    { method: 'POST', path: '$', done: false },
    ...aFew.creation,
  ],
  update: [{ method: 'PUT', path: 'ServiceRequest', done: false }, ...aFew.update],
  poll: aFew.poll,
};

let undisturbed: Left;
beforeAll(async () => {
  const site = await aSite();
  const gateway = await site.serve();
  await send(gateway.url, caseload());
  await settled(gateway.url);
  await send(gateway.url, [['referral', nextEdition]]);
  await settled(gateway.url);
  await accepts(site.server);
  await told(gateway.url);
  undisturbed = await leftBy(site, gateway.url);
  await site.stop();
});

describe('killed at one moment after the other, and started again', () => {
  let site: Site;
  beforeAll(async () => {
    site = await aSite();
  });
  afterAll(() => site?.stop());

  test('on an embedded folder', async () => {
    let gateway: Running | undefined;
    const start = async () => {
      gateway = await site.serve();
      return gateway.url;
    };
    const kill = async () => void (await gateway?.stop('SIGKILL'));
    expect(await liveAndDie(site, { start, kill }, atCounts({ plain: aFew, full: everyMoment }))).toEqual(undisturbed);
  }, 300_000);
});

if (atCounts({ plain: false, full: true })) {
  describeOnPostgres('killed at one moment after the other, and started again, on PostgreSQL', ({ freshDatabase }) => {
    describeOnRedis('and Redis', ({ freshRedis }) => {
      let site: Site;
      let redis: Redis;
      beforeAll(async () => {
        const redisUrl = await freshRedis();
        redis = new Redis(redisUrl);
        site = await aSite({ databaseUrl: await freshDatabase(), redisUrl });
      });
      afterAll(async () => {
        await site?.stop();
        redis?.disconnect();
      });

      test('a worker beside a server that goes on', async () => {
        const { url } = await site.serve('--no-lanes');
        let worker: Running | undefined;
        let deaths = 0;
        const start = async () => {
          worker = await site.worker();
          return url;
        };
        const kill = async () => {
          await worker?.stop('SIGKILL');
          deaths += 1;
          // What the dead one had taken from the queue comes back after 15 s, or is lost: the lanes are found again either way.
          if (deaths !== 2) await redis.flushall();
          await lateEnough(site);
        };
        expect(await liveAndDie(site, { start, kill }, everyMoment)).toEqual(undisturbed);
      }, 300_000);
    });
  });
}

interface Lives {
  /** Starts what runs lanes. @returns where requests go */
  start(): Promise<string>;
  kill(): Promise<void>;
}

async function liveAndDie(site: Site, { start, kill }: Lives, { creation, update, poll }: Moments): Promise<Left> {
  const { server } = site;
  let running: string | undefined;
  const dieAt = async (moments: readonly Held[], act: (url: string) => Promise<void>) => {
    for (const [at, moment] of moments.entries()) {
      const struck = await hold(server, moment);
      running ??= await start();
      if (at === 0) await act(running);
      await struck();
      await kill();
      running = undefined;
    }
    await server.faults();
    running = await start();
    await settled(running);
    return running;
  };
  await dieAt(creation, (url) => send(url, caseload()));
  await dieAt(update, (url) => send(url, [['referral', nextEdition]]));
  await kill();
  running = undefined;
  // Nobody looks before the poll that is cut.
  await accepts(server);
  const url = await dieAt(poll, async () => {});
  await told(url);
  return leftBy(site, url);
}

interface Left {
  readonly counts: Record<string, number>;
  readonly portrait: Record<string, JsonObject[]>;
  readonly creates: readonly string[];
  readonly feed: readonly unknown[];
}

/** What the server holds, how it came to be there, and what the source was told. A second pass changes nothing of it. */
async function leftBy({ server }: Site, url: string): Promise<Left> {
  const before = await server.journal();
  await runAll(url);
  const again = await server.journal(Number(before.at(-1)?.n));
  expect(again.filter(({ method }) => method === 'GET').length).toBeGreaterThanOrEqual(slotsOfCaseload.length);
  expect(writesIn(again)).toEqual([]);
  expect(provenanceFaults(requestsIn(before), await server.all('Provenance'), true)).toEqual([]);
  return {
    counts: await ownCounts(server),
    portrait: await portrait(server),
    // How many Provenance there are depends on which writes go together.
    creates: writesIn(before).filter((write) => write.startsWith('create') && write !== 'create Provenance'),
    feed: (await feed(url)).map(({ op, type, id, patch }) => [
      op,
      type,
      id,
      isObject(patch) ? patch.status : undefined,
    ]),
  };
}

/** The partner accepts the referral. */
async function accepts(server: TestServer): Promise<void> {
  const task = await server.own('Task', 'county/referral/referral-pantry#fulfilment');
  const { body, etag } = await server.fhir('GET', `Task/${task.id}`);
  const reply = await server.fhir(
    'PUT',
    `Task/${task.id}`,
    { ...body, status: 'accepted' },
    { 'if-match': etag ?? '' },
  );
  expect(reply.status).toBe(200);
}

async function told(url: string): Promise<void> {
  await eventually(async () => (await feed(url)).length > 0, 'the answer in the change feed', 30_000);
  await settled(url);
}
