// A process that dies at a chosen step: cut off from its database and its HTTP requests, with nothing in the code under test. Once a life is over,
// nothing that it awaits from the store ever resolves, as after SIGKILL (lanes.md 26); a transaction left open is rolled back, as a database does
// for a lost connection, and its sockets are closed.

import { AsyncLocalStorage } from 'node:async_hooks';
import http, { type ClientRequest, type IncomingMessage } from 'node:http';
import { Duplex } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { PostgresPool, PostgresPoolClient } from 'kysely';
import type { Backing } from '../../src/store/store.ts';

/**
 * Where a life can be cut. Inside a transaction that has written something: `statement`, before each further one, and `before-commit`, when all of
 * it is written and nothing holds. Before the first write of a transaction there is nothing that the step before has not left as well.
 */
export type StepKind = 'statement' | 'before-commit' | 'after-commit' | 'before-request' | 'after-reply';

export const boundaries: readonly StepKind[] = ['before-commit', 'after-commit', 'before-request', 'after-reply'];
export const allSteps: readonly StepKind[] = ['statement', ...boundaries];

export interface LifeOptions {
  /** Ends at this step of the counted ones, from 1, or at the first one at which this says so of the steps so far. @default never */
  readonly until?: number | IsLast;
  /** @default every kind */
  readonly counted?: readonly StepKind[];
}

export type IsLast = (steps: readonly string[]) => boolean;

export class Life {
  /** The steps survived so far, with the one that ended it. */
  readonly steps: string[] = [];
  /** Resolves when the life is over. */
  readonly ended: Promise<void>;
  readonly #isLast: IsLast;
  readonly #counted: readonly StepKind[];
  readonly #lastRites: (() => Promise<unknown> | undefined)[] = [];
  #isOver = false;
  #isSpared = false;
  readonly #end: () => void;
  #buried: Promise<unknown> = Promise.resolve();

  constructor({ until = Number.POSITIVE_INFINITY, counted = allSteps }: LifeOptions = {}) {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.ended = promise;
    this.#isLast = typeof until === 'number' ? ({ length }) => length >= until : until;
    this.#counted = counted;
    this.#end = () => {
      this.#isOver = true;
      this.#buried = Promise.all(this.#lastRites.map((rite) => rite()));
      resolve();
    };
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** False from the step on at which the life ends. */
  survives(kind: StepKind, what: string): boolean {
    if (this.#isOver || this.#isSpared || !this.#counted.includes(kind)) return !this.#isOver;
    this.steps.push(`${kind} ${what}`);
    if (this.#isLast(this.steps)) this.#end();
    return !this.#isOver;
  }

  /** From here on it goes unharmed. */
  spare(): void {
    this.#isSpared = true;
  }

  /** Adds what the operating system does for a dead process. */
  atEnd(rite: () => Promise<unknown> | undefined): void {
    this.#lastRites.push(rite);
  }

  /** Resolves when its connections are closed and its transactions rolled back. */
  async buried(): Promise<void> {
    await this.ended;
    await this.#buried;
  }

  /** The result of `work`, unless the life is over by then. */
  async outlives<T>(work: Promise<T>): Promise<T> {
    try {
      const result = await work;
      return this.#isOver ? never() : result;
    } catch (error) {
      if (this.#isOver) return never();
      throw error;
    }
  }

  /** Does the work as part of this life. @returns false when the life ended before the work did. */
  async lives(work: () => Promise<void>): Promise<boolean> {
    const done = current.run(this, () => this.outlives(work().then(() => true)));
    return Promise.race([done, this.ended.then(() => false)]);
  }
}

const current = new AsyncLocalStorage<Life>();

function never<T>(): Promise<T> {
  return new Promise(() => {});
}

/** Lets the requests of a life end with it, until the returned function is called. */
export function mortalHttp(): () => void {
  const { request } = http;
  const replace = (value: unknown) => Object.defineProperty(http, 'request', { value, configurable: true });
  replace((options: http.RequestOptions, onReply: (reply: IncomingMessage) => void) => {
    const life = current.getStore();
    return life === undefined ? request(options, onReply) : mortalRequest(life, request, options, onReply);
  });
  return () => void replace(request);
}

function mortalRequest(
  life: Life,
  request: typeof http.request,
  options: http.RequestOptions,
  onReply: (reply: IncomingMessage) => void,
): ClientRequest {
  const what = `${options.method} ${options.path}`;
  if (!life.survives('before-request', what)) {
    return request({ ...options, agent: false, createConnection: () => new Silence() });
  }
  const sent = request(options, (reply) => {
    if (life.survives('after-reply', what)) onReply(reply);
  });
  life.atEnd(() => void sent.destroy());
  return sent;
}

/** A connection that takes nothing, gives nothing and breaks. */
class Silence extends Duplex {
  constructor() {
    super();
    void nextTurn().then(() => this.destroy(new Error('The process is dead.')));
  }

  override _read(): void {}

  override _write(_chunk: unknown, _encoding: string, done: () => void): void {
    done();
  }
}

/** A database as a life meets it. */
export function mortalBacking(backing: Backing, life: Life): Backing {
  const { pool } = backing;
  return {
    ...backing,
    pool: { options: pool.options, end: () => pool.end(), connect: () => mortalClient(pool, life) },
  };
}

type Client = Pick<PostgresPoolClient, 'release'> & {
  query(text: string, values?: readonly unknown[]): Promise<unknown>;
};

async function mortalClient(pool: PostgresPool, life: Life): Promise<PostgresPoolClient> {
  if (life.isOver) return never();
  const connected = await pool.connect();
  const client = asClient(connected);
  if (life.isOver) {
    client.release(true);
    return never();
  }
  const run = countedRun(client, life);
  let running: Promise<unknown> = Promise.resolve();
  let isReleased = false;
  const release = (destroy?: boolean): void => {
    if (!isReleased) client.release(destroy);
    isReleased = true;
  };
  life.atEnd(() => running.catch(() => {}).then(() => release(true)));
  const query = (text: string, values?: readonly unknown[]): Promise<unknown> => {
    if (life.isOver) return never();
    const result = run(text, values);
    running = result;
    return life.outlives(result);
  };
  return overlay(connected, { query, release });
}

const begins = /^\s*(?:begin|start\s+transaction)\b/i;
const commits = /^\s*commit\b/i;
const ends = /^\s*(?:commit|rollback)\b/i;
const writes = /^\s*(?:insert|update|delete|with|create)\b/i;

/** Runs statements of one connection and counts the steps among them. */
function countedRun(client: Client, life: Life): Client['query'] {
  let isInside = false;
  let hasWritten = false;
  return async (text, values) => {
    const what = text.replaceAll(/\s+/g, ' ').slice(0, 100);
    const kind = commits.test(text) ? 'before-commit' : 'statement';
    if (isInside && hasWritten && !life.survives(kind, what)) return never();
    const result = await client.query(text, values);
    if (begins.test(text)) {
      isInside = true;
      hasWritten = false;
      return result;
    }
    hasWritten = (isInside && hasWritten) || (writes.test(text) && rowsOf(result) > 0);
    const isDurable = hasWritten && (!isInside || commits.test(text));
    if (ends.test(text)) isInside = false;
    if (isDurable) life.survives('after-commit', what);
    return result;
  };
}

function rowsOf(result: unknown): number {
  const { affectedRows, rowCount } = { affectedRows: undefined, rowCount: undefined, ...Object(result) };
  return Number(affectedRows ?? rowCount ?? 0);
}

function asClient(connected: object): Client {
  if (isClient(connected)) return connected;
  throw new Error('The pool gave something that is no client.');
}

function isClient(connected: object): connected is Client {
  return 'query' in connected && 'release' in connected;
}

/** The object with some of its functions replaced. */
function overlay<T extends object>(target: T, replaced: object): T {
  return new Proxy(target, {
    get: (_target, name) => {
      if (name in replaced) return Reflect.get(replaced, name);
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}
