// One PGlite for all histories of a process, asked as the embedded store asks its own, but without waiting: a statement has run when the
// call returns. Its clock is the simulation's.

import { PGlite } from '@electric-sql/pglite';
import { columnValue, parameterText } from '../../src/store/pglite-values.ts';
import { storeOn } from '../../src/store/store.ts';
import {
  type Answered,
  type Column,
  type Described,
  prepareMessage,
  readAnswer,
  readDescription,
  runMessage,
  simpleMessage,
} from '../../src/store/wire-protocol.ts';
import { keptSnapshot } from '../support/embedded.ts';
import { backingOn } from './backing.ts';
import { type DatabaseClient, readTables, type SimulatedDatabase, type Tables, tablesSql } from './database.ts';
import { clockSql, searchPath, setClockSql } from './database-clock.ts';

export class EmbeddedDatabase implements SimulatedDatabase {
  readonly kind = 'embedded';
  readonly #database: PGlite;
  readonly #prepared = new Map<string, Described & { readonly name: string }>();
  #tables: Tables | undefined;
  #now = Number.NaN;
  #setNow = Number.NaN;

  constructor(database: PGlite) {
    this.#database = database;
  }

  /**
   * In half a second from a snapshot, which the first one makes. Plans are made as on a server of ours: one for all values. A commit waits for no
   * disk: there is none.
   */
  static async open(): Promise<EmbeddedDatabase> {
    const database = await PGlite.create({
      loadDataDir: await keptSnapshot('simulation', [clockSql, searchPath], makeSnapshot),
    });
    await database.exec(
      `set search_path = ${searchPath}; set plan_cache_mode = force_generic_plan; set synchronous_commit = off`,
    );
    return new EmbeddedDatabase(database);
  }

  async connect(now: number): Promise<DatabaseClient> {
    this.#now = now;
    return { query: async (text, values) => this.#query(text, values ?? []), release: () => {} };
  }

  /** Vacuumed, so that rows lie in the order in which they come, whatever lay there before. */
  async empty(): Promise<void> {
    this.#tables ??= readTables(this.#run(tablesSql, []));
    const { names, restart } = this.#tables;
    this.#query(names.map((name) => `delete from ${name};`).join(' '), []);
    this.#query(`vacuum ${names.join(', ')};`, []);
    this.#run(restart, []);
  }

  async close(): Promise<void> {
    await this.#database.close();
  }

  /** One statement, run before this returns. @throws ProtocolError */
  #query(text: string, values: readonly unknown[]): Answered {
    this.#setClock(text);
    // Only rules and migrations are several statements, which cannot be prepared.
    if (text.includes(';') && values.length === 0) return this.#read(simpleMessage(text), []);
    return this.#run(text, values);
  }

  /** The clock costs a statement, and most do not look at it. A rollback sets it back. */
  #setClock(text: string): void {
    if (/^rollback/.test(text)) this.#setNow = Number.NaN;
    if (this.#now === this.#setNow || !looksAtClock.test(text)) return;
    this.#setNow = this.#now;
    this.#run(setClockSql, [new Date(this.#now).toISOString()]);
  }

  #run(text: string, values: readonly unknown[]): Answered {
    const { name, parameters, columns } = this.#prepare(text);
    const texts = values.map((value, at) => parameterText(this.#database, value, parameters[at] ?? 0));
    return this.#read(runMessage(name, texts), columns);
  }

  #read(message: Buffer, columns: readonly Column[]): Answered {
    return readAnswer(this.#exchange(message), columns, (type, text) => columnValue(this.#database, text, type));
  }

  /** The raw stream is the one way in that PGlite's reader does not read along. All of it comes before the call returns. */
  #exchange(message: Buffer): Buffer {
    const parts: Buffer[] = [];
    const onRawData = (part: Uint8Array): void => void parts.push(Buffer.from(part));
    void this.#database.execProtocolRawStream(message, { syncToFs: false, onRawData });
    return Buffer.concat(parts);
  }

  #prepare(text: string): Described & { readonly name: string } {
    const known = this.#prepared.get(text);
    if (known !== undefined) return known;
    const name = `s${this.#prepared.size}`;
    const described = readDescription(this.#exchange(prepareMessage(name, text)));
    const prepared = { name, ...described };
    this.#prepared.set(text, prepared);
    return prepared;
  }
}

const looksAtClock = /now\(\)|clock_timestamp|insert into/;

const firstInstant = Date.parse('2026-01-01T00:00:00Z');

async function makeSnapshot(): Promise<Uint8Array> {
  const pglite = await PGlite.create();
  await pglite.exec(`create schema casebridge; ${clockSql}; set search_path = ${searchPath}`);
  const database = new EmbeddedDatabase(pglite);
  const store = await storeOn(backingOn('embedded', () => database.connect(firstInstant)));
  const dump = await pglite.dumpDataDir('none');
  await store.close();
  await database.close();
  return new Uint8Array(await dump.arrayBuffer());
}
