// Lets Kysely and BullMQ share one PGlite: the part of pg.Pool that both use, served one statement or one transaction at a time.
// PGlite has a single database connection, so whoever asks the pool inside a transaction waits for himself: that throws here.

import { EventEmitter } from 'node:events';
import type { PGlite } from '@electric-sql/pglite';
import type { PostgresCursor, PostgresPoolClient, PostgresQueryResult } from 'kysely';
import { columnValue, parameterText } from './pglite-values.ts';
import type { TransactionScope } from './transaction-scope.ts';
import {
  type Answered,
  type Column,
  type Described,
  prepareMessage,
  readAnswer,
  readDescription,
  readNotifications,
  runMessage,
  simpleMessage,
} from './wire-protocol.ts';

const begins = /^\s*(?:begin|start\s+transaction)\b/i;
const ends = /^\s*(?:commit|end|rollback(?!\s+to))\b/i;
// BullMQ's text begins with a comment line, so LISTEN is looked for at the start of any line.
const listens = /(?:^|;|\n)\s*listen\s+"?([^";\s]+)/i;

let sessions = 0;

/** More texts than ours and BullMQ's together. */
const mostPrepared = 1_000;

/** A pool over one PGlite. What its rows hold is the caller's claim, as with pg. */
export class PglitePool {
  /** Tells BullMQ that its listener cannot drop unnoticed. */
  readonly options = { keepAlive: true };
  readonly #session: Session;
  readonly #schema: string;

  constructor(session: Session, schema: string) {
    this.#session = session;
    this.#schema = schema;
  }

  /** The same database and the same line of waiting, looking into another schema. */
  withSearchPath(schema: string): PglitePool {
    return new PglitePool(this.#session, schema);
  }

  /** Runs one statement when its turn comes. Throws inside a transaction. */
  query<R>(text: string, values?: readonly unknown[]): Promise<PostgresQueryResult<R>>;
  async query(text: string, values?: readonly unknown[]): Promise<unknown> {
    const client = await this.connect();
    return client.query(text, values);
  }

  /** A client that takes its turn at each statement, or at BEGIN until COMMIT, ROLLBACK or release. Throws inside a transaction. */
  async connect(): Promise<PgliteClient> {
    this.#session.scope.forbid();
    return new PgliteClient(this.#session, this.#schema);
  }

  /** Does nothing: whoever opened the database closes it. */
  async end(): Promise<void> {}

  /** The events of pg.Pool tell of sockets; here are none. */
  on(): this {
    return this;
  }

  removeAllListeners(): this {
    return this;
  }
}

/** One checked-out client, as pg and BullMQ know it. */
class PgliteClient extends EventEmitter implements PostgresPoolClient {
  readonly #session: Session;
  readonly #schema: string;
  readonly #unlisten: (() => Promise<void>)[] = [];
  /** Set while this client is inside a transaction. */
  #giveTurn: (() => void) | undefined;

  constructor(session: Session, schema: string) {
    super();
    this.#session = session;
    this.#schema = schema;
  }

  query<R>(cursor: PostgresCursor<R>): PostgresCursor<R>;
  query<R>(text: string, values?: readonly unknown[]): Promise<PostgresQueryResult<R>>;
  query(text: unknown, values?: readonly unknown[]): unknown {
    if (typeof text !== 'string') throw new Error('The embedded database has no cursors: read in pages.');
    return this.#query(text, values);
  }

  /** Gives the client back; a transaction left open is rolled back before the next in line starts. */
  release(): void {
    const giveTurn = this.#giveTurn;
    this.#giveTurn = undefined;
    // A rollback that fails has no one to hear of it here; the next in line gets the database's own error.
    if (giveTurn) void this.#session.run(this.#schema, 'rollback').then(giveTurn, giveTurn);
    for (const unlisten of this.#unlisten.splice(0)) void this.#session.whileOpen(unlisten);
  }

  async #query(text: string, values?: readonly unknown[]): Promise<unknown> {
    const giveTurn = this.#giveTurn ?? (await this.#session.takeTurn());
    let keepsTurn = this.#giveTurn !== undefined;
    try {
      const channel = listens.exec(text)?.[1];
      if (channel) return await this.#listen(channel);
      const result = await this.#session.run(this.#schema, text, values);
      if (begins.test(text)) keepsTurn = true;
      return result;
    } finally {
      if (ends.test(text)) keepsTurn = false;
      this.#giveTurn = keepsTurn ? giveTurn : undefined;
      if (!keepsTurn) giveTurn();
    }
  }

  async #listen(channel: string): Promise<object> {
    const forward = (payload: string) => this.emit('notification', { channel, payload });
    this.#unlisten.push(await this.#session.listen(this.#schema, channel, forward));
    return { command: 'LISTEN', rowCount: 0, rows: [] };
  }
}

/** The one database connection that all pools share: whose turn it is, and which schema it looks into. */
export class Session {
  readonly database: PGlite;
  readonly scope: TransactionScope;
  readonly #prepared = new Map<string, Described & { readonly name: string }>();
  readonly #hearing = new Map<string, Set<(payload: string) => void>>();
  /** A database may have had another session before, whose statements it still knows. */
  readonly #name = `session-${++sessions}`;
  #last: Promise<void> = Promise.resolve();
  #schema = '';

  constructor(database: PGlite, scope: TransactionScope) {
    this.database = database;
    this.scope = scope;
  }

  /** Waits for all that came before; the answer lets the next one in. */
  async takeTurn(): Promise<() => void> {
    const before = this.#last;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#last = promise;
    await before;
    return resolve;
  }

  /** Runs a statement, or without values several, of which the last one answers. Only for whoever has the turn. */
  async run(schema: string, text: string, values: readonly unknown[] = []): Promise<Answered> {
    if (schema !== this.#schema) {
      // Planning costs more than most statements of ours, which look things up by key: one plan serves all values.
      const plans = this.#schema === '' ? 'set plan_cache_mode to force_generic_plan;' : '';
      await this.#exchange(simpleMessage(`${plans} set search_path to "${schema}"`), []);
      this.#schema = schema;
    }
    if (values.length === 0) return this.#exchange(simpleMessage(text), []);
    const { name, parameters, columns } = await this.#prepare(schema, text);
    const texts = values.map((value, at) => parameterText(this.database, value, parameters[at] ?? 0));
    return this.#exchange(runMessage(name, texts), columns);
  }

  /** Hears of NOTIFY on the channel; the answer ends that. Only for whoever has the turn. */
  async listen(schema: string, channel: string, hear: (payload: string) => void): Promise<() => Promise<void>> {
    const hearing = this.#hearing.get(channel) ?? new Set();
    this.#hearing.set(channel, hearing.add(hear));
    await this.run(schema, `listen "${channel}"`);
    return async () => {
      hearing.delete(hear);
      if (hearing.size === 0) await this.run(schema, `unlisten "${channel}"`);
    };
  }

  /** The same text means other tables in another schema. */
  async #prepare(schema: string, text: string): Promise<Described & { readonly name: string }> {
    const key = `${schema} ${text}`;
    const known = this.#prepared.get(key);
    if (known !== undefined) return known;
    // The unnamed statement serves texts beyond what is kept.
    const name = this.#prepared.size < mostPrepared ? `${this.#name}-${this.#prepared.size}` : '';
    const described = readDescription(await this.#send(prepareMessage(name, text)));
    const prepared = { name, ...described };
    if (name !== '') this.#prepared.set(key, prepared);
    return prepared;
  }

  async #exchange(message: Buffer, columns: readonly Column[]): Promise<Answered> {
    return readAnswer(await this.#send(message), columns, (type, text) => columnValue(this.database, text, type));
  }

  async #send(message: Buffer): Promise<Buffer> {
    const parts: Buffer[] = [];
    // What comes lies in the database's own memory, which the next call writes over.
    const onRawData = (part: Uint8Array): void => void parts.push(Buffer.from(part));
    await this.database.execProtocolRawStream(message, { onRawData });
    const reply = Buffer.concat(parts);
    for (const { channel, payload } of readNotifications(reply))
      for (const hear of this.#hearing.get(channel) ?? []) queueMicrotask(() => hear(payload));
    return reply;
  }

  /** Takes a turn for `work`, unless the database is closed by then. */
  async whileOpen(work: () => Promise<void>): Promise<void> {
    const giveTurn = await this.takeTurn();
    try {
      if (!this.database.closed) await work();
    } finally {
      giveTurn();
    }
  }
}
