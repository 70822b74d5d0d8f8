// What one measurement stands on: the simulated FHIR servers, and PostgreSQL and Redis where the store is not embedded. All of it runs on
// this machine and is stopped in the end.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  hasPostgres,
  hasRedis,
  type PostgresServer,
  type RedisServer,
  startPostgres,
  startRedis,
} from '../test/support/backends.ts';
import { type BenchGateway, type GatewayOptions, startGateway } from './gateway.ts';
import { cpuSeconds } from './processes.ts';
import { startBenchProgram } from './program.ts';
import { Server } from './server.ts';

export type StoreKind = 'embedded' | 'postgres';

/** The kinds of store that this machine can run. */
export function storesHere(): StoreKind[] {
  return hasPostgres() && hasRedis() ? ['embedded', 'postgres'] : ['embedded'];
}

export interface StageServers {
  readonly postgres: PostgresServer;
  readonly redis: RedisServer;
}

export interface Stage {
  readonly server: Server;
  /** A gateway on an empty store. */
  gateway(options: Omit<GatewayOptions, 'backends'>): Promise<BenchGateway>;
  /** PostgreSQL and Redis; absent where the store is embedded. */
  readonly servers: StageServers | undefined;
  /** Seconds of processor time so far of what is not the gateway. */
  cpuSeconds(): Readonly<Record<string, number>>;
  stop(): Promise<void>;
}

/** PostgreSQL forces commits to disk, Redis keeps an append-only file. */
export async function openStage(kind: StoreKind): Promise<Stage> {
  const folder = await mkdtemp(join(tmpdir(), 'casebridge-bench-'));
  const sandbox = await startBenchProgram({ name: 'sandbox', arguments: ['sandbox', '--port', '0'], folder });
  const servers: StageServers | undefined =
    kind === 'postgres'
      ? { postgres: await startPostgres({ durable: true }), redis: await startRedis({ durable: true }) }
      : undefined;
  return {
    servers,
    server: new Server(String(sandbox.said.url), 'standard'),
    async gateway(options) {
      if (servers === undefined) return startGateway(options);
      const [databaseUrl, redisUrl] = [await servers.postgres.freshDatabase(), await servers.redis.freshRedis()];
      return startGateway({ ...options, backends: { databaseUrl, redisUrl } });
    },
    cpuSeconds: () => ({
      sandbox: cpuSeconds(sandbox.pid),
      ...(servers && { postgres: cpuSeconds(servers.postgres.pid), redis: cpuSeconds(servers.redis.pid) }),
    }),
    async stop() {
      await sandbox.stop();
      await servers?.postgres.stop();
      await servers?.redis.stop();
      await rm(folder, { recursive: true });
    },
  };
}
