// Where the wake-ups lie: in Redis, or in the schema `bullmq` of the store. Everything that differs between the two is here.

import type { Processor, QueueOptions, WorkerOptions } from 'bullmq';
import { createPostgresBackend, createRedisBackend, Queue, runMigrations, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import type { Store } from '../store/store.ts';
import { connectOnce, hostOf } from './connect-redis.ts';
import type { LaneKey } from './queue.ts';

type Settings<Options> = Omit<Options, 'connection'>;

export type LaneQueue = Pick<Queue<LaneKey, void>, 'addBulk' | 'waitUntilReady' | 'obliterate' | 'close'>;
export type LaneWorker = Pick<Worker<LaneKey, void>, 'close'>;

export interface Backend {
  queue(name: string, settings: Settings<QueueOptions>): LaneQueue;
  worker(name: string, run: Processor<LaneKey, void>, settings: Settings<WorkerOptions>): LaneWorker;
  /** Gives the connections back; `force` does not wait for those that are in use. */
  close(force: boolean): Promise<void>;
}

/** Connects to Redis, or to the store; `onError` hears of later troubles. */
export function connectBackend(options: BackendOptions): Promise<Backend> {
  const { redisUrl, store, onError } = options;
  return redisUrl ? connectRedis(redisUrl, onError) : connectStore(store, onError);
}

export interface BackendOptions {
  readonly redisUrl?: string;
  readonly store: Store;
  readonly onError: (error: unknown) => void;
}

async function connectRedis(url: string, onError: BackendOptions['onError']): Promise<Backend> {
  const where = hostOf(url);
  // Adding fails at once when Redis is away instead of holding up whoever stored a record; taking waits for it to come back.
  const adding = new Redis(url, {
    lazyConnect: true,
    enableOfflineQueue: false,
    commandTimeout: 5_000,
    maxRetriesPerRequest: 1,
  });
  await connectOnce(adding, where);
  const taking = new Redis(url, { lazyConnect: true, maxRetriesPerRequest: null });
  return {
    queue: (name, settings) =>
      new Queue(name, { ...settings, connection: adding }, createRedisBackend).on('error', onError),
    worker: (name, run, settings) =>
      new Worker(name, run, { ...settings, connection: taking }, createRedisBackend).on('error', onError),
    async close() {
      adding.disconnect();
      taking.disconnect();
    },
  };
}

async function connectStore(store: Store, onError: BackendOptions['onError']): Promise<Backend> {
  const connection = store.queuePool();
  try {
    const client = await connection.connect();
    await runMigrations(client).finally(() => client.release());
  } catch (error) {
    await connection.end();
    throw error;
  }
  return {
    queue: (name, settings) => new Queue(name, { ...settings, connection }, createPostgresBackend).on('error', onError),
    worker: (name, run, settings) =>
      new Worker(name, run, { ...settings, connection }, createPostgresBackend).on('error', onError),
    async close(force) {
      const ended = connection.end();
      if (!force) await ended;
    },
  };
}
