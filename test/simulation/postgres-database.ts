// A real PostgreSQL as the simulation's database: the same statements, with sockets between. Its clock is set for each client that is taken.

import { sql } from 'kysely';
import { type Backing, storeOn } from '../../src/store/store.ts';
import { backingOn } from './backing.ts';
import { type DatabaseClient, readTables, type SimulatedDatabase, tablesSql } from './database.ts';
import { clockSql, searchPath, setClockSql } from './database-clock.ts';

const firstInstant = Date.parse('2026-01-01T00:00:00Z');

export class PostgresDatabase implements SimulatedDatabase {
  readonly kind = 'postgres';
  readonly #backing: Backing;

  private constructor(backing: Backing) {
    this.#backing = backing;
  }

  /** @param backing of an empty database */
  static async open(backing: Backing): Promise<PostgresDatabase> {
    const database = new PostgresDatabase(backing);
    const client = await backing.pool.connect();
    await client.query('create schema casebridge', []);
    for (const statement of clockSql.split(';')) await client.query(statement, []);
    client.release();
    const store = await storeOn(backingOn('postgres', () => database.connect(firstInstant)));
    await store.db.executeQuery(sql`select 1`.compile(store.db));
    return database;
  }

  async connect(now: number): Promise<DatabaseClient> {
    const client = await this.#backing.pool.connect();
    await client.query(`set search_path = ${searchPath}`, []);
    await client.query(setClockSql, [new Date(now).toISOString()]);
    return {
      query: async (text, values) => {
        const result = await client.query<unknown>(text, [...(values ?? [])]);
        const { command, rowCount, rows } = result;
        return { command, rowCount: Number(rowCount ?? 0), rows };
      },
      release: () => client.release(),
    };
  }

  async empty(): Promise<void> {
    const client = await this.connect(firstInstant);
    const { names, restart } = readTables(await client.query(tablesSql));
    await client.query(`truncate ${names.join(', ')}`);
    await client.query(restart);
    client.release();
  }

  async close(): Promise<void> {
    await this.#backing.pool.end();
    await this.#backing.close();
  }
}
