// All parts of a run: PostgreSQL and Redis of its own (or an embedded store), the simulated servers as one process, and the gateway's processes.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { JsonObject } from '../../src/json.ts';
import { hospitalSeed } from '../../src/sandbox/hospital-seed.ts';
import { type PostgresServer, type RedisServer, startPostgres, startRedis } from '../support/backends.ts';
import { GatewayClient, tokens } from './gateway.ts';
import { Program } from './programs.ts';
import { identifierSystem, Simulated, type VendorName } from './simulated.ts';
import { mrnSystem, type Workload } from './workload.ts';

export interface ClusterOptions {
  readonly vendors: readonly VendorName[];
  /** Zero of them: `serve` runs the lanes itself. */
  readonly workers: number;
  readonly serves: number;
  /** On a folder of its own instead of PostgreSQL and Redis; with one `serve` and no workers. */
  readonly embedded?: boolean;
  /** Where the files of the store lie. @default the run's own folder */
  readonly storeUnder?: string;
  readonly lease: string;
  /** How long a write may stay invisible to search, as configured. */
  readonly settle: string;
  /** Settings of each simulated server beside `auth: none`. */
  readonly settings?: Readonly<Partial<Record<VendorName, JsonObject>>>;
  /** Whose charts the hospitals have. */
  readonly people: Workload['people'];
  readonly concurrency?: number;
  /** The `auth:` of the connections, as YAML. @default none */
  readonly auth?: string;
  /** Environment of the gateway's processes beside what all have. */
  readonly env?: Readonly<Record<string, string>>;
  /** Done to each server before the gateway starts. */
  readonly prepare?: (server: Simulated) => Promise<void>;
}

export interface Cluster {
  readonly folder: string;
  /** Of the embedded store, where there is one. */
  readonly data: string;
  readonly servers: readonly Simulated[];
  readonly workers: readonly Program[];
  readonly serves: readonly Program[];
  readonly gateway: GatewayClient;
  readonly database: { readonly url: string; readonly server: PostgresServer } | undefined;
  readonly redis: { readonly url: string; readonly server: RedisServer } | undefined;
  /** Ends everything. @param keep leaves the logs */
  stop(keep: boolean): Promise<void>;
}

export async function startCluster(options: ClusterOptions): Promise<Cluster> {
  const folder = await mkdtemp(join(tmpdir(), 'casebridge-chaos-'));
  const toEnd: (() => Promise<unknown>)[] = [() => rm(folder, { recursive: true })];
  const stop = async (keep: boolean) => {
    for (const end of toEnd.slice(keep ? 1 : 0).reverse()) await end();
  };
  try {
    const sandbox = new Program({ name: 'sandbox', arguments: ['sandbox', '--port', '0'], env: {}, folder });
    toEnd.push(() => sandbox.kill());
    await sandbox.start();
    const servers = options.vendors.map((name) => new Simulated(sandbox.url ?? '', name));
    for (const server of servers) {
      await prepare(server, options);
      await options.prepare?.(server);
    }

    const postgres = options.embedded ? undefined : await startPostgres({ under: options.storeUnder });
    if (postgres) toEnd.push(() => postgres.stop());
    const redis = options.embedded ? undefined : await startRedis();
    if (redis) toEnd.push(() => redis.stop());
    const database = postgres && { url: await postgres.freshDatabase(), server: postgres };
    const queue = redis && { url: await redis.freshRedis(), server: redis };

    const data = options.storeUnder && (await mkdtemp(join(options.storeUnder, 'casebridge-data-')));
    if (data !== undefined) toEnd.push(() => rm(data, { recursive: true }));
    const config = join(folder, 'casebridge.yaml');
    await writeFile(config, configuration(options, servers, data));
    const env = {
      COUNTY_TOKEN: tokens.county,
      OPS_TOKEN: tokens.ops,
      DATABASE_URL: database?.url ?? '',
      REDIS_URL: queue?.url ?? '',
      ...options.env,
    };
    const program = (name: string, ...words: string[]): Program => {
      const one = new Program({ name, arguments: [...words, '--config', config], env, folder });
      toEnd.push(() => one.kill());
      return one;
    };
    const lanes = options.workers > 0 ? ['--no-lanes'] : [];
    const serves = numbered(options.serves, (n) => program(`serve-${n}`, 'serve', ...lanes));
    const workers = numbered(options.workers, (n) => program(`worker-${n}`, 'worker'));
    // One first: it makes the tables and activates the mappings.
    for (const one of serves) await one.start();
    await Promise.all(workers.map((one) => one.start()));
    const gateway = new GatewayClient(() =>
      serves.flatMap((one) => (one.isRunning && one.url !== undefined ? [one.url] : [])),
    );
    return {
      folder,
      data: data ?? join(folder, 'data'),
      servers,
      workers,
      serves,
      gateway,
      database,
      redis: queue,
      stop,
    };
  } catch (error) {
    await stop(true);
    throw error;
  }
}

function numbered<T>(count: number, make: (n: number) => T): T[] {
  return Array.from({ length: count }, (_, at) => make(at + 1));
}

async function prepare(server: Simulated, { settings, people }: ClusterOptions): Promise<void> {
  await server.configure({ auth: 'none', ...settings?.[server.name] });
  if (server.name === 'standard') return;
  const since = '2026-02-01T08:00:00Z';
  await server.seed(hospitalSeed({ mrnSystem, people, since, padded: server.name === 'epic' }));
}

function configuration(options: ClusterOptions, servers: readonly Simulated[], data = 'data'): string {
  const { embedded, lease, settle, concurrency = 8, auth = '{ type: none }' } = options;
  const connections = servers.map(
    ({ name, base }) => `  ${name}:
    vendor: ${name}
    baseUrl: ${base}
    auth: ${auth}
    mode: live
    createPatients: ${name === 'standard'}
    identifierSystems: { mrn: "${mrnSystem}" }
    settle: ${settle}
    poll: { every: 2s }
    documents: { quiet: 1s, atMostEvery: 1s }
    rateLimit: { requestsPerSecond: 2000, concurrency: ${concurrency} }
`,
  );
  const backends = embedded
    ? `store: { folder: ${data} }\n`
    : 'store: { url: env:DATABASE_URL }\nqueue: { url: env:REDIS_URL }\n';
  return `server: { host: 127.0.0.1, port: 0 }
identifierSystem: ${identifierSystem}
lanes: { lease: ${lease} }
log: { level: info }
${backends}operators:
  ops: { token: env:OPS_TOKEN, may: [read, run, decide, configure] }
sources:
  county: { token: env:COUNTY_TOKEN, timeZone: America/New_York }
connections:
${connections.join('')}`;
}
