// What `doctor` says of PostgreSQL's and Redis' settings, asked of real servers: each danger is a line with what to do. And a start that waits for one.

import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import pg from 'pg';
import { type PostgresServer, type RedisServer, startPostgres, startRedis } from '../support/backends.ts';
import { eventually } from '../support/rig.ts';
import { describeOnPostgres, describeOnRedis } from '../support/servers.ts';
import { aFolder, commandLine, type Ended, lastLine, telling } from './program.ts';

const env = { COUNTY_TOKEN: 'county-secret' };

describeOnPostgres('on PostgreSQL', ({ freshDatabase }) => {
  test.each(['serve', 'worker'])(
    'a %s that is told to stop while another process migrates ends at once',
    async (command) => {
      const databaseUrl = await freshDatabase();
      const migrating = new pg.Client(databaseUrl);
      await migrating.connect();
      await migrating.query('select pg_advisory_lock(20260101)');
      const program = telling([command], { cwd: await folderOn(''), env: { ...env, DATABASE_URL: databaseUrl } });
      await eventually(async () => {
        const { rows } = await migrating.query(
          `select from pg_stat_activity where datname = current_database() and wait_event = 'advisory'`,
        );
        return rows.length > 0;
      }, 'it to wait');
      expect(await program.stop('SIGTERM')).toMatchObject({ code: 0 });
      await migrating.end();
    },
  );

  describeOnRedis('and Redis', () => {
    let postgres: PostgresServer;
    let redis: RedisServer;
    let databaseUrl: string;
    let redisUrl: string;
    beforeAll(async () => {
      [postgres, redis] = await Promise.all([startPostgres({ durable: true }), startRedis({ durable: true })]);
      [databaseUrl, redisUrl] = [await postgres.freshDatabase(), await redis.freshRedis()];
    });
    afterAll(async () => {
      await postgres.stop();
      await redis.stop();
    });

    test('servers set up for production need nothing: no such line, exit code 0', async () => {
      const told = await doctor(databaseUrl, redisUrl, '--processes', '9');
      expect(told).toMatchObject({ code: 0, err: '' });
      expect(findingsIn(told)).toEqual([]);
    });

    test('others get a line for each danger, exit code 1', async () => {
      const database = new URL(databaseUrl).pathname.slice(1);
      const durable = (value: string) =>
        run(databaseUrl, `alter database ${database} set synchronous_commit = ${value}`);
      const vacuuming = async (value: string) => {
        await run(databaseUrl, `alter system set autovacuum = ${value}`);
        await run(databaseUrl, 'select pg_reload_conf()');
      };
      await durable('off');
      await vacuuming('off');
      await set(redisUrl, { 'maxmemory-policy': 'allkeys-lru', appendonly: 'no' });
      const told = await doctor(databaseUrl, redisUrl, '--processes', '10');
      await durable('on');
      await vacuuming('on');
      await set(redisUrl, { 'maxmemory-policy': 'noeviction', appendonly: 'yes' });
      expect(told.code).toBe(1);
      expect(findingsIn(told)).toEqual([
        'PostgreSQL runs with autovacuum off: tables that are written all the time grow without end, and slow down every run. Set autovacuum to on.',
        'PostgreSQL runs with synchronous_commit off: a crash of the server can lose the records that were accepted last. Set synchronous_commit to on.',
        'PostgreSQL takes 100 connections and keeps 3 of them back; 10 processes of Casebridge may need 10 each. Set max_connections to 103 or more, or run fewer processes.',
        'Redis may throw wake-ups away when its memory is full (maxmemory-policy allkeys-lru), and work waits until the store is asked again. Set maxmemory-policy to noeviction.',
        'Redis keeps nothing over a restart (appendonly no), and work waits until the store is asked again. Set appendonly to yes.',
      ]);
    });

    test('a Redis that is not there is one of them, and --json has its code', async () => {
      const told = await doctor(databaseUrl, 'redis://127.0.0.1:1', '--json');
      expect(told.code).toBe(1);
      expect(lastLine(told)).toMatchObject({
        findings: [{ code: 'queue-unusable', text: expect.stringContaining('127.0.0.1:1') }],
      });
    });
  });
});

async function doctor(databaseUrl: string, redisUrl: string, ...words: string[]): Promise<Ended> {
  const cwd = await folderOn('queue: { url: env:REDIS_URL }');
  return commandLine(['doctor', ...words], { cwd, env: { ...env, DATABASE_URL: databaseUrl, REDIS_URL: redisUrl } });
}

function folderOn(queue: string): Promise<string> {
  return aFolder({
    'casebridge.yaml': `store: { url: env:DATABASE_URL }
${queue}
server: { port: 0, host: 127.0.0.1 }
identifierSystem: https://agency.example.org/casebridge
sources:
  county: { token: env:COUNTY_TOKEN }
`,
  });
}

function findingsIn({ out }: Ended): string[] {
  return out.split('\n').flatMap((line) => (line.startsWith('  ! ') ? [line.slice(4)] : []));
}

async function set(url: string, settings: Readonly<Record<string, string>>): Promise<void> {
  const redis = new Redis(url);
  for (const [name, value] of Object.entries(settings)) await redis.config('SET', name, value);
  redis.disconnect();
}

async function run(url: string, statement: string): Promise<void> {
  const client = new pg.Client(url);
  await client.connect();
  await client.query(statement).finally(() => client.end());
}
