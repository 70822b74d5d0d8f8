// A process that dies at a chosen step: around its database and its HTTP requests, never in the code under test. Once a life is over, nothing that
// it awaits ever resolves, as after SIGKILL (lanes.md 26); a transaction left open is rolled back, as the database does for a lost connection.

import { AsyncLocalStorage } from 'node:async_hooks';
import http, { type ClientRequest, type IncomingMessage } from 'node:http';
import { Duplex } from 'node:stream';
import type { PostgresPool, PostgresPoolClient } from 'kysely';
import type { Backing } from '../../src/store/store.ts';

/** What a life is cut at: before a statement of a transaction, after something became durable, before a request is sent, after it was answered. */
export type StepKind = 'before-statement' | 'after-commit' | 'before-request' | 'after-reply';

export interface Step {
  readonly kind: StepKind;
  readonly what: string;
}

export class Life {
  readonly steps: Step[] = [];
  readonly #lastStep: number;
  readonly #counted: ReadonlySet<StepKind>;
  readonly #die: () => void;
  readonly #wakes: (() => void)[] = [];
  #isOver = false;

  /** @param lastStep the step at which it ends, counted from 1 among those of `counted` */
  constructor(
    lastStep = Number.POSITIVE_INFINITY,
    options: { counted?: readonly StepKind[]; die?: () => void } = {},
  ) {
    this.#lastStep = lastStep;
    this.#counted = new Set(options.counted ?? ['before-statement', 'after-commit', 'before-request', 'after-reply']);
    this.#die = options.die ?? (() => {});
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** False from the step on at which the life ends. */
  survives(kind: StepKind, what: string): boolean {
    if (this.#isOver || !this.#counted.has(kind)) return !this.#isOver;
    this.steps.push({ kind, what });
    if (this.steps.length >= this.#lastStep) this.end();
    return !this.#isOver;
  }

  end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#die();
    for (const wake of this.#wakes) wake();
  }

  onEnd(wake: () => void): void {
    this.#wakes.push(wake);
  }
}

export function never<T>(): Promise<T> {
  return new Promise(() => {});
}

const current = new AsyncLocalStorage<Life>();

/** Runs `work`, and all that it starts, as part of this life. */
export function live<T>(life: Life, work: () => Promise<T>): Promise<T> {
  return current.run(life, async () => {
    const result = await work();
    return life.isOver ? never() : result;
  });
}

/** Lets requests of a life end with it. The returned function puts Node's own `request` back. */
export function mortalHttp(): () => void {
  const send = http.request;
  const request = (options: http.RequestOptions, onReply: (reply: IncomingMessage) => void): ClientRequest => {
    const life = current.getStore();
    if (life === undefined) return send(options, onReply);
    const what = `${options.method} ${options.path}`;
    const sent = life.survives('before-request', what)
      ? send(options, (reply) => {
          if (life.survives('after-reply', what)) onReply(reply);
        })
      : send({ ...options, agent: false, createConnection: () => new Silence() });
    life.onEnd(() => sent.on('error', () => {}));
    return sent;
  };
  Object.defineProperty(http, 'request', { value: request, configurable: true, writable: true });
  return () => void Object.defineProperty(http, 'request', { value: send, configurable: true, writable: true });
}

/** A connection that takes everything and answers nothing. */
class Silence extends Duplex {
  override _read(): void {}
  override _write(_chunk: unknown, _encoding: string, done: () => void): void {
    done();
  }
}

/** A database as a life meets it. What lies in the queue's own tables is not counted: a queue may lose everything (lanes.md 2). */
export function mortalBacking(backing: Backing, life: Life): Backing {
  return {
    ...backing,
    pool: mortalPool(backing.pool, life, true),
    queuePool: () => {
      const pool = backing.queuePool();
      return new Proxy(pool, {
        get: (_pool, name) => {
          if (name === 'connect') return async () => mortalClient(await orNever(life, pool.connect()), life, false);
          if (name === 'query')
            return (text: string, values?: unknown[]) => orNever(life, life.isOver ? never() : pool.query(text, values));
          const value: unknown = Reflect.get(pool, name, pool);
          return typeof value === 'function' ? value.bind(pool) : value;
        },
      });
    },
    durability: (db) => backing.durability(db),
  };
}

function mortalPool(pool: PostgresPool, life: Life, isCounted: boolean): PostgresPool {
  return {
    options: pool.options,
    end: () => pool.end(),
    connect: async () => mortalClient(await orNever(life, life.isOver ? never() : pool.connect()), life, isCounted),
  };
}

async function orNever<T>(life: Life, work: Promise<T>): Promise<T> {
  try {
    const result = await work;
    return life.isOver ? never() : result;
  } catch (error) {
    if (life.isOver) return never();
    throw error;
  }
}

interface Result {
  readonly command?: string;
  readonly rowCount?: number | null;
  readonly affectedRows?: number;
}

const begins = /^\s*(?:begin|start\s+transaction)\b/i;
const ends = /^\s*(?:commit|rollback)\b/i;
const writes = /^\s*(?:insert|update|delete|with)\b/i;

function mortalClient<C extends object>(client: C & Pick<PostgresPoolClient, 'query' | 'release'>, life: Life, isCounted: boolean): C {
  let running: Promise<unknown> = Promise.resolve();
  let isReleased = false;
  let isInside = false;
  const release = (destroy?: boolean): void => {
    if (isReleased) return;
    isReleased = true;
    client.release(destroy);
  };
  // The connection of a dead process is closed, which rolls its transaction back.
  life.onEnd(() => void running.then(() => release(true), () => release(true)));
  const query = async (text: string, values: readonly unknown[]): Promise<unknown> => {
    if (life.isOver) return never();
    const isBoundary = begins.test(text) || ends.test(text);
    const what = text.replaceAll(/\s+/g, ' ').slice(0, 80);
    if (isCounted && (isInside || isBoundary) && !life.survives('before-statement', what)) return never();
    running = client.query(text, values);
    const result = await orNever(life, running);
    if (begins.test(text)) isInside = true;
    else if (ends.test(text)) isInside = false;
    const isDurable = /^\s*commit\b/i.test(text) || (!isInside && !isBoundary && writes.test(text) && changed(result));
    return isCounted && isDurable && !life.survives('after-commit', what) ? never() : result;
  };
  return new Proxy(client, {
    get: (_client, name) => {
      if (name === 'query') return query;
      if (name === 'release') return release;
      const value: unknown = Reflect.get(client, name, client);
      return typeof value === 'function' ? value.bind(client) : value;
    },
  });
}

function changed(result: unknown): boolean {
  const { rowCount, affectedRows } = result as Result;
  return (affectedRows ?? rowCount ?? 0) > 0;
}
