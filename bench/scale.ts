// Whether a change takes longer where more records are stored: three gateways on three databases, which hold 1,000, 10,000 and 100,000 records,
// work off single-resource edits in turn. The rows of the larger ones are made by SQL: the 1,000 records are sent through the API and reach
// the server, then every row that names one of them is copied as often as needed, under other ids. Only the first 1,000 are edited.

import pg from 'pg';
import { cases, directory, edits } from './caseload.ts';
import { type Figures, mebibytes, rounded } from './figures.ts';
import { type BenchGateway, oneServer, startGateway } from './gateway.ts';
import { openStage, type StageServers } from './stage.ts';

const baseCases = 125;
const recordsOfCase = 8;
/** Times 1,000 records. */
const sizes = [1, 10, 100];
/** Each gateway edits cases of its own, so that none sees the other's edits on the server. */
const editsOfRound = Math.floor(baseCases / sizes.length);

export interface ScaleOptions {
  readonly concurrency: number;
  readonly rounds: number;
}

/** Seconds and processor time of an edit, by size, each the median of the rounds. */
export async function measureScale({ concurrency, rounds }: ScaleOptions): Promise<readonly Figures[]> {
  const stage = await openStage('postgres');
  const { servers } = stage;
  if (servers === undefined) throw new Error('scale is measured on PostgreSQL');
  const gateways: BenchGateway[] = [];
  const databases: Database[] = [];
  try {
    await stage.server.fresh({ transactions: true });
    const connections = oneServer(stage.server.fhirUrl, concurrency);
    const databaseUrl = await servers.postgres.freshDatabase();
    const redisUrl = await servers.redis.freshRedis();
    await fill(await startGateway({ lanes: true, connections, backends: { databaseUrl, redisUrl } }));
    for (const [index, size] of sizes.entries()) {
      const database = await enlarged(servers, databaseUrl, size);
      databases.push(database);
      const backends = { databaseUrl: database.url, redisUrl: `${redisUrl}/${index + 1}` };
      const gateway = await startGateway({ lanes: true, connections, backends });
      gateways.push(gateway);
      await gateway.untilIdle();
    }
    const measured: Figures[] = [];
    // The first round warms the processes up and does not count.
    for (let round = 0; round <= rounds; round += 1) {
      const figures = await oneRound(gateways, stage.cpuSeconds, round + 1);
      process.stderr.write(`${JSON.stringify(figures)}\n`);
      if (round > 0) measured.push({ ...figures, ...sizeFigures(databases, gateways) });
    }
    return measured;
  } finally {
    for (const gateway of gateways) await gateway.stop();
    await stage.stop();
  }
}

function sizeFigures(databases: readonly Database[], gateways: readonly BenchGateway[]): Figures {
  return Object.fromEntries(
    sizes.flatMap((size, index) => [
      [`${shown(size)} records: database MiB`, mebibytes(databases[index]?.bytes ?? Number.NaN)],
      [`${shown(size)} records: peak memory of serve, MiB`, mebibytes(gateways[index]?.peakBytes()[0] ?? Number.NaN)],
    ]),
  );
}

function shown(size: number): string {
  return (size * baseCases * recordsOfCase).toLocaleString('en');
}

async function fill(gateway: BenchGateway): Promise<void> {
  await gateway.send([...directory, ...cases(baseCases)]);
  await gateway.untilIdle();
  await gateway.stop();
}

async function oneRound(
  gateways: readonly BenchGateway[],
  serverCpu: () => Readonly<Record<string, number>>,
  edition: number,
): Promise<Figures> {
  const figures: Record<string, number> = {};
  const perEdit: number[] = [];
  for (const [index, gateway] of gateways.entries()) {
    const stored = shown(sizes[index] ?? Number.NaN);
    const before = { gateway: gateway.cpuSeconds(), postgres: serverCpu().postgres ?? 0 };
    const sending = await gateway.send(edits(editsOfRound, edition, index * editsOfRound));
    const seconds = sending + (await gateway.untilIdle());
    const ms = (spent: number) => rounded((spent * 1000) / editsOfRound, 2);
    perEdit.push(seconds);
    figures[`${stored} records: ms per edit`] = ms(seconds);
    figures[`${stored} records: CPU ms per edit, gateway`] = ms(gateway.cpuSeconds() - before.gateway);
    figures[`${stored} records: CPU ms per edit, postgres`] = ms((serverCpu().postgres ?? 0) - before.postgres);
  }
  const [smallest = Number.NaN] = perEdit;
  figures['ratio of 100,000 to 1,000 records, time'] = rounded((perEdit.at(-1) ?? Number.NaN) / smallest, 3);
  return figures;
}

interface Database {
  readonly url: string;
  readonly bytes: number;
}

/** A copy of the database with so many times the records. */
async function enlarged({ postgres }: StageServers, databaseUrl: string, size: number): Promise<Database> {
  const copy = await postgres.freshDatabase(databaseUrl);
  const client = new pg.Client(copy);
  await client.connect();
  try {
    if (size > 1) for (const table of await tables(client)) await copyRows(client, table, size - 1);
    await client.query('vacuum analyze');
    const { rows } = await client.query<{ records: number; bytes: string }>(
      'select count(*)::integer as records, pg_database_size(current_database()) as bytes from casebridge.record',
    );
    const [{ records = 0, bytes = '0' } = {}] = rows;
    const expected = size * baseCases * recordsOfCase + directory.length;
    if (records !== expected) throw new Error(`${expected} records were to be stored, not ${records}`);
    return { url: copy, bytes: Number(bytes) };
  } finally {
    await client.end();
  }
}

interface Table {
  readonly name: string;
  /** Without those that number themselves. */
  readonly columns: readonly string[];
}

async function tables(client: pg.Client): Promise<Table[]> {
  const { rows } = await client.query<Table>(
    `select table_name as name, array_agg(column_name::text order by ordinal_position) as columns
     from information_schema.columns
     where table_schema = 'casebridge' and is_identity = 'NO'
     group by table_name`,
  );
  return rows;
}

/** Every row that names a record of block 0, once for each further block; what is past, such as a match lease, may be the same in all. */
async function copyRows(client: pg.Client, { name, columns }: Table, blocks: number): Promise<void> {
  const changed = ["replace(to_jsonb(original)::text, '-0-', '-' || block || '-')::jsonb"];
  if (columns.includes('remote_id'))
    changed.push(`jsonb_build_object('remote_id', original.remote_id || '-' || block)`);
  for (const later of ['next_look_at', 'late_check_at'])
    if (columns.includes(later)) changed.push(`jsonb_build_object('${later}', null)`);
  await client.query(
    `insert into casebridge.${name} (${columns.join(', ')})
     select ${columns.map((column) => `made.${column}`).join(', ')}
     from casebridge.${name} original
     cross join generate_series(1, ${blocks}) block
     cross join lateral jsonb_populate_record(null::casebridge.${name}, ${changed.join(' || ')}) made
     where to_jsonb(original)::text like '%-0-%'
     on conflict do nothing`,
  );
}
