import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Store } from '../../src/store/store.ts';
import { openStore, sql } from '../../src/store/store.ts';
import { freshEmbedded } from '../support/embedded.ts';
import { describeOnPostgres } from '../support/servers.ts';

const listing = join(import.meta.dirname, 'schema.txt');

describe('the schema', () => {
  let store: Store;
  beforeAll(async () => {
    store = await freshEmbedded();
  });
  afterAll(() => store.close());

  test('is what schema.txt lists, so that a migration shows up as a reviewable difference', async () => {
    const found = describeSchema(await readColumns(store), await readIndexes(store));
    if (process.env.CASEBRIDGE_WRITE_SCHEMA === '1') await writeFile(listing, found);
    expect(found).toBe(await readFile(listing, 'utf8'));
  });

  test('is what tables.ts tells Kysely', async () => {
    const declared = declaredTables(await readFile('src/store/tables.ts', 'utf8'));
    const found = Map.groupBy(await readColumns(store), ({ table }) => table);
    found.delete('migration');
    expect([...declared.keys()].sort()).toEqual([...found.keys()].sort());
    for (const [table, columns] of found) {
      const expected = Object.fromEntries(columns.map((column) => [column.name, declaredAs(column)]));
      expect({ [table]: declared.get(table) }).toEqual({ [table]: expected });
    }
  });
});

describeOnPostgres('on a PostgreSQL server the schema', ({ freshDatabase }) => {
  test('is the same', async () => {
    const store = await openStore({ url: await freshDatabase(), folder: 'unused' });
    const found = describeSchema(await readColumns(store), await readIndexes(store));
    await store.close();
    expect(found).toBe(await readFile(listing, 'utf8'));
  });
});

interface Column {
  table: string;
  name: string;
  type: string;
  nullable: boolean;
  default: string | null;
  identity: boolean;
}

interface Index {
  table: string;
  definition: string;
}

async function readColumns({ db }: Store): Promise<Column[]> {
  const { rows } = await sql<Column>`
    select table_name as "table", column_name as name, data_type as type, is_nullable = 'YES' as nullable,
           column_default as "default", is_identity = 'YES' as identity
    from information_schema.columns where table_schema = 'casebridge' order by table_name collate "C", ordinal_position
  `.execute(db);
  return rows;
}

async function readIndexes({ db }: Store): Promise<Index[]> {
  const { rows } = await sql<Index>`
    select tablename as "table", indexdef as definition from pg_indexes where schemaname = 'casebridge'
    order by indexname collate "C"
  `.execute(db);
  return rows;
}

function describeSchema(columns: Column[], indexes: Index[]): string {
  const tables = Map.groupBy(columns, ({ table }) => table);
  const blocks = [...tables].map(([table, ofTable]) => {
    const own = indexes.filter((index) => index.table === table);
    return [table, ...ofTable.map(describeColumn), ...own.map(({ definition }) => `  ${definition}`)].join('\n');
  });
  return `${blocks.join('\n\n')}\n`;
}

function describeColumn(column: Column): string {
  const filled = column.identity ? ' identity' : column.default === null ? '' : ` default ${column.default}`;
  return `  ${column.name} ${column.type}${column.nullable ? '' : ' not null'}${filled}`;
}

/** The kind of column that tables.ts has to declare for this one. */
function declaredAs(column: Column): string {
  if (column.identity) return 'Identity';
  const kinds = columnKinds[column.type];
  if (!kinds) throw new Error(`tables.ts has no kind of column for ${column.type}.`);
  const [required, filled, nullable] = kinds;
  return column.nullable ? nullable : column.default === null ? required : filled;
}

// Required, filled by default, nullable.
const columnKinds: Record<string, [string, string, string]> = {
  text: ['string', 'Generated<string>', 'NullableText'],
  integer: ['number', 'Generated<number>', 'NullableNumber'],
  bigint: ['number', 'Generated<number>', 'NullableNumber'],
  boolean: ['boolean', 'Generated<boolean>', 'NullableBoolean'],
  jsonb: ['Jsonb', 'GeneratedJsonb', 'NullableJsonb'],
  'timestamp with time zone': ['Instant', 'DefaultInstant', 'NullableInstant'],
};

/** Tables and the kinds of their columns, read from the text of tables.ts. */
function declaredTables(text: string): Map<string, Record<string, string>> {
  const interfaces = new Map<string, Record<string, string>>();
  for (const [, name = '', parent, body = ''] of text.matchAll(
    /interface (\w+)(?: extends (\w+))? \{\n([\s\S]*?)\n\}/g,
  )) {
    const own = [...body.matchAll(/^ {2}(\w+): (.+);$/gm)].map(([, column = '', type = '']) => [
      column,
      type.replace(/^(Jsonb|NullableJsonb)<.*>$/, '$1'),
    ]);
    interfaces.set(name, { ...(parent ? interfaces.get(parent) : {}), ...Object.fromEntries(own) });
  }
  const tables = Object.entries(interfaces.get('Database') ?? {});
  return new Map(tables.map(([table, type]) => [table, interfaces.get(type) ?? {}]));
}
