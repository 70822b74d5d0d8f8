// Where the wake-ups lie: in Redis, or in the schema `bullmq` of the store. Everything that differs between the two is here.

import type { Processor, QueueOptions, WorkerOptions } from 'bullmq';
import { createPostgresBackend, createRedisBackend, Queue, runMigrations, Worker } from 'bullmq';
import { Redis, type RedisOptions } from 'ioredis';
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
  const { redisUrl, store, onError, silentMs = 15_000 } = options;
  return redisUrl ? connectRedis(redisUrl, onError, silentMs) : connectStore(store, onError);
}

export interface BackendOptions {
  readonly redisUrl?: string;
  readonly store: Store;
  readonly onError: (error: unknown) => void;
  /** A Redis that answers nothing for so long is connected to anew; longer than a worker waits for the next job (BullMQ: 10 s). @default 15000 */
  readonly silentMs?: number;
}

async function connectRedis(url: string, onError: BackendOptions['onError'], silentMs: number): Promise<Backend> {
  const where = hostOf(url);
  // Adding fails at once when Redis is away instead of holding up whoever stored a record; taking waits for it to come back.
  const adding = new Redis(url, {
    lazyConnect: true,
    enableOfflineQueue: false,
    commandTimeout: 5_000,
    socketTimeout: Math.min(silentMs, 5_000),
    maxRetriesPerRequest: 1,
  });
  await connectOnce(adding, where);
  const taking = endingAtOnce(
    new Redis(url, { lazyConnect: true, maxRetriesPerRequest: null, socketTimeout: silentMs }),
  );
  return {
    queue: (name, settings) =>
      new Queue(name, { ...settings, connection: adding }, createRedisBackend).on('error', onError),
    worker: (name, run, settings) => {
      const worker = new Worker(name, run, { ...settings, connection: taking }, createRedisBackend);
      worker.on('error', onError);
      return {
        close: () => {
          // What it has asked of a Redis that is away would be waited for until that is back.
          if (taking.status !== 'ready') taking.disconnect();
          return worker.close();
        },
      };
    },
    async close() {
      adding.disconnect();
      taking.disconnect();
    },
  };
}

/** It and its copies end at once also between two attempts to connect, where ioredis would leave what is asked of it without an answer for ever. */
function endingAtOnce(redis: Redis): Redis {
  const disconnect = redis.disconnect.bind(redis);
  const duplicate = redis.duplicate.bind(redis);
  return Object.assign(redis, {
    disconnect(reconnect = false): void {
      // What is being connected ends by being disconnected.
      if (redis.status === 'reconnecting' && !reconnect) redis.connect().catch(() => {});
      disconnect(reconnect);
    },
    // BullMQ waits for jobs on a copy.
    duplicate: (override?: Partial<RedisOptions>) => endingAtOnce(duplicate(override)),
  });
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
