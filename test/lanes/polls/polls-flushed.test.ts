// What is due, and when a poll is made next, are rows of the store: a queue that is emptied, or is gone, ends nothing (lanes.md 2 and 3, G8).

import { expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import { openStore, sql } from '../../../src/store/store.ts';
import { aReferral } from '../../builders.ts';
import {
  accept,
  eventually,
  idle,
  onSite,
  partnerMoves,
  type Site,
  type SiteOptions,
  statusesOffered,
} from '../../support/rig.ts';
import { describeOnPostgres, describeOnRedis } from '../../support/servers.ts';

describeOnRedis('a Redis that is emptied again and again', ({ freshRedis }) => {
  test('what the partner does is heard all the same', async () => {
    const url = await freshRedis();
    const redis = new Redis(url);
    try {
      await onSite({ config: { queue: { url } } }, async (site) => {
        for (const [at, status] of ['accepted', 'in-progress', 'on-hold', 'in-progress'].entries()) {
          await redis.flushall();
          await partnerMoves(site, status);
          await redis.flushall();
          await eventually(async () => (await statusesOffered(site)).length === at + 1, `the change to ${status}`);
        }
      });
    } finally {
      redis.disconnect();
    }
  });
});

/** The source sends an edition of the referral; the server holds it, and nothing is left to do. */
async function sendsEdition({ gateway, server }: Site, edition: number): Promise<void> {
  const requestedText = `Groceries, edition ${edition}`;
  await accept(gateway, ['referral', aReferral({ requestedText, updatedAt: `2026-03-01T10:00:0${edition}-05:00` })]);
  await idle(gateway);
  expect(await server.own('ServiceRequest', 'county/referral/referral-pantry#request')).toMatchObject({
    code: { text: requestedText },
  });
}

async function losesTables(options: SiteOptions): Promise<void> {
  await onSite(options, async (site) => {
    const { db } = site.store;
    const { rows } = await sql<{ name: string }>`
      select 'bullmq.' || quote_ident(tablename) as name from pg_tables where schemaname = 'bullmq'`.execute(db);
    expect(rows).not.toEqual([]);
    const tables = rows.map(({ name }) => name).join(', ');
    for (const [at, [status, statement]] of [
      ['accepted', 'truncate'],
      ['in-progress', 'drop table'],
    ].entries()) {
      await sql.raw(`${statement} ${tables} cascade`).execute(db);
      await sendsEdition(site, at + 1);
      await partnerMoves(site, String(status));
      await eventually(async () => (await statusesOffered(site)).length === at + 1, `the change to ${status}`);
    }
  });
}

const title = 'whose tables are emptied, and then dropped, under a gateway that runs: all is done all the same';

test(`an embedded queue ${title}`, () => losesTables({}));

describeOnPostgres('a queue on PostgreSQL', ({ freshDatabase }) => {
  test(title, () =>
    losesTables({ openStore: async () => openStore({ url: await freshDatabase(), folder: 'unused' }) }),
  );
});
