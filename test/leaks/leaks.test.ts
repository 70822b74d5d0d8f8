// No content of a record leaves by any way but those made for it (design section 9, G16): records full of canaries are sent, sent on, refused,
// decided on, while hospitals fail in every way, and whatever Casebridge says besides is searched. Each way of saying is also tried with a
// leak in it, which the search must find.

import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { runCommandLine } from '../../src/commands/commands.ts';
import { CasebridgeError, reason } from '../../src/errors.ts';
import { buildApp, type GatewayApi, listen } from '../../src/http/http.ts';
import { openWakeUps } from '../../src/queue/queue.ts';
import { json, sql } from '../../src/store/store.ts';
import { aClient } from '../builders.ts';
import { aFolder, casebridge, collected, listening } from '../commands/program.ts';
import { freshEmbedded, freshFolder } from '../support/embedded.ts';
import { eventually, identifierSystem } from '../support/rig.ts';
import { Canaries } from './canaries.ts';
import { fileTexts, searched, storeTexts, watchQueue } from './channels.ts';
import type { Planted } from './records.ts';
import { refusedAnswers } from './refusals.ts';
import { type Site, startSite, tokens } from './site.ts';
import { liveThrough, type Told } from './story.ts';

const canaries = new Canaries();
let site: Site;
let told: Told;
let queueRows: () => Promise<[string, string][]>;

beforeAll(async () => {
  const store = await freshEmbedded();
  queueRows = await watchQueue(store);
  site = await startSite({ store });
  told = await liveThrough(site, canaries);
}, 400_000);
afterAll(() => site?.stop());

/** Nothing was found in this way of saying, and it did say something. */
function expectClean(channel: string, texts: readonly (readonly [string, string])[], atLeast = 1): void {
  const { bytes, hits } = searched(canaries, texts);
  expect({ channel, hits }).toEqual({ channel, hits: [] });
  expect(bytes).toBeGreaterThanOrEqual(atLeast);
  if (process.env.TEST_LOG !== undefined)
    process.stderr.write(`${channel}: ${bytes} bytes, ${canaries.size} canaries\n`);
}

/** The planted leak is found there. */
function expectFound(texts: readonly (readonly [string, string])[], word: string): void {
  expect(searched(canaries, texts).hits).toContainEqual(expect.stringContaining(word));
}

async function textAt(url: string, path: string): Promise<[string, string]> {
  const response = await fetch(`${url}${path}`, { headers: { authorization: `Bearer ${tokens.ops}` } });
  return [path, `${JSON.stringify([...response.headers])}\n${await response.text()}`];
}

describe('what the records went through', () => {
  test('every trouble struck, for a read, a create and an update, and the lanes came to rest', () => {
    const never = Object.entries(told.struck).filter(([, times]) => times === 0);
    expect(never).toEqual([]);
  });

  test('each hospital holds what it takes, with the content in it', async () => {
    const held = async (vendor: keyof Site['servers'], type: string) => {
      const all = await site.servers[vendor].all(type);
      return { count: all.length, found: canaries.search(JSON.stringify(all)).length };
    };
    for (const [vendor, type] of [
      ['standard', 'Patient'],
      ['standard', 'Goal'],
      ['standard', 'ServiceRequest'],
      ['standard', 'CarePlan'],
      ['epic', 'DocumentReference'],
      ['oracle', 'DocumentReference'],
    ] as const) {
      const { count, found } = await held(vendor, type);
      expect({ vendor, type, count, found }).toMatchObject({ count: expect.any(Number), found: expect.any(Number) });
      expect([vendor, type, count > 0, found > 0]).toEqual([vendor, type, true, true]);
    }
    const { rows } = await sql<{ kind: string }>`select distinct kind from decision order by kind`.execute(
      site.store.db,
    );
    expect(rows.map(({ kind }) => kind)).toEqual(expect.arrayContaining(['patient-match']));
  });
});

describe('nothing of it stands', () => {
  test('in the log, at its most talkative', () => {
    expectClean('log', [['log', site.log.join('')]], 1000);
  });

  test('in refusals, their headers, and what is logged of them', async () => {
    expectClean('refusals', await refusedAnswers(site, canaries), 10_000);
    expectClean('log', [['log', site.log.join('')]], 10_000);
  });

  test('in metrics, health, keys and the description of the API', async () => {
    const open = ['/metrics', '/health/live', '/health/ready', '/.well-known/jwks.json', '/openapi.json'];
    expectClean('open addresses', await Promise.all(open.map((path) => textAt(site.url, path))), 10_000);
  });

  test('in the lists of lanes and connections, and in what connections can do', async () => {
    const lists = ['/api/lanes?limit=1000', '/api/connections', '/api/cases', '/api/unknown-outcomes'];
    const reports = ['standard', 'epic', 'oracle'].map((id) => `/api/connections/${id}/capabilities`);
    const texts = await Promise.all([...lists, ...reports].map((path) => textAt(site.url, path)));
    // What an operator says of a lane is for those who look at it.
    const said = JSON.stringify(told.note);
    expect(texts[0]?.[1]).toContain(`"note":${said}`);
    expectClean(
      'lists',
      texts.map(([path, text]) => [path, path.startsWith('/api/lanes') ? text.replace(said, '') : text]),
      10_000,
    );
  });

  test('in reasons, alerts, cursors or any other column of the store that is not for content', async () => {
    expectClean('store', await storeTexts(site.store), 10_000);
    const { rows } = await sql<{ said: string }>`
      select string_agg(set_aside ->> 'note', ' ') as said from link where set_aside is not null`.execute(
      site.store.db,
    );
    expect(canaries.search(rows[0]?.said ?? '').length).toBeGreaterThan(0);
  });

  test('in what is logged of faults that nobody foresaw, though their texts quote rows', async () => {
    const { db } = site.store;
    await sql`create function public.quote_row() returns trigger language plpgsql as
      $$ begin raise exception 'no room for % at line 1', to_jsonb(new); end $$`.execute(db);
    const from = site.log.length;
    const logged = (message: string) => site.log.slice(from).some((line) => line.includes(message));
    const failing = async (table: string, message: string, act: () => Promise<unknown>): Promise<void> => {
      const on = sql.table(table);
      await sql`create trigger quote before insert or update on ${on} for each row
        execute function public.quote_row()`.execute(db);
      await act();
      await eventually(async () => logged(message), message);
      await sql`drop trigger quote on ${on}`.execute(db);
    };
    const [goal] = told.records.filter(({ type }) => type === 'goal');
    const record = { ...goal?.record, updatedAt: '2026-04-01T09:15:00-05:00', statement: canaries.word('a last goal') };
    const put = async () => {
      const headers = { 'content-type': 'application/json' };
      const path = `/api/records/goal/${goal?.record.id}`;
      return (await site.send('county', 'PUT', path, { headers, body: JSON.stringify(record) })).text();
    };
    await failing('record_version', 'request failed', async () => expectClean('a 500', [['answer', await put()]]));
    await failing('operation', 'a lane run failed', put);
    await site.settle();
    await failing('seen', 'a poll failed', async () => {
      const { standard } = site.servers;
      for (const held of await standard.all('ServiceRequest')) {
        const note = [{ text: canaries.word('a last edit') }];
        const { status } = await standard.fhir('PUT', `ServiceRequest/${String(held.id)}`, { ...held, note });
        expect(status).toBe(200);
      }
      await site.poll();
    });
    await site.settle();
    expectClean('unforeseen faults', [['log', site.log.slice(from).join('')]], 1000);
  });

  test('in what webhooks say beside their bodies, which hold it', async () => {
    const { journal } = site.receiver;
    await eventually(async () => journal.some(({ isNew }) => isNew), 'a change posted');
    const beside = journal.map(({ path, headers }): [string, string] => [path, `${path} ${JSON.stringify(headers)}`]);
    expectClean('webhooks', beside, 100);
    expect(canaries.search(JSON.stringify(journal.map(({ body }) => body))).length).toBeGreaterThan(0);
    expect(await textAt(site.url, '/metrics')).toContainEqual(
      expect.stringContaining('webhook_deliveries_total{source="county",outcome="5xx"} 1'),
    );
    expectClean('the list of webhooks', [await textAt(site.url, '/api/webhooks')], 100);
  });

  test('in the queue, in no row that was ever written there', async () => {
    expectClean('queue', await queueRows(), 10_000);
  });
});

describe('a leak is found', () => {
  const word = canaries.word('a planted leak');

  /** A build of the HTTP interface that says too much somewhere. */
  async function withLeak<T>(
    leak: (api: GatewayApi) => Partial<GatewayApi>,
    look: (url: string) => Promise<T>,
  ): Promise<T> {
    const { api } = site.gateway;
    const server = await listen(buildApp({ ...api, ...leak(api) }), { port: 0, host: '127.0.0.1' });
    return look(server.url).finally(() => server.close(0));
  }

  function put(url: string): Promise<Response> {
    const record = aClient({ id: 'c-leak', pronouns: word });
    const headers = { authorization: `Bearer ${tokens.county}`, 'content-type': 'application/json' };
    return fetch(`${url}/api/records/client/c-leak`, { method: 'PUT', headers, body: JSON.stringify(record) });
  }

  test('in the log, by a build that logs what it takes in', async () => {
    const from = site.log.length;
    await withLeak(
      (api) => ({
        accept: async (_source, items) => {
          api.logger.trace({ body: Buffer.from(JSON.stringify(items)).toString('base64') }, 'accepting');
          return [{ outcome: 'unchanged', version: 1, lanes: [] }];
        },
      }),
      put,
    );
    expectFound([['log', site.log.slice(from).join('')]], word);
  });

  test('in an answer, by a build whose error quotes the value', async () => {
    const text = await withLeak(
      () => ({
        accept: async (_source, items) => {
          throw new CasebridgeError('parameter-invalid', {
            name: JSON.stringify(items[0]?.record.pronouns),
            form: 'else',
          });
        },
      }),
      async (url) => (await put(url)).text(),
    );
    expectFound([['answer', text]], word);
  });

  test('in a metric, by a build that counts by content', async () => {
    const metrics = await withLeak(
      (api) => ({
        accept: async (source, items) => {
          api.metrics.records.inc({ source: `${source} ${JSON.stringify(items)}`, outcome: 'accepted' });
          return [{ outcome: 'unchanged', version: 1, lanes: [] }];
        },
      }),
      async (url) => {
        await put(url);
        return textAt(url, '/metrics');
      },
    );
    site.gateway.api.metrics.records.reset();
    expectFound([metrics], word);
  });

  test('in health, by a build whose checks say why in full', async () => {
    const why = reason('store-unusable', { where: word, problem: 'x' });
    const health = await withLeak(
      () => ({
        ready: async () => ({ checks: [{ name: 'store', ok: false, reason: why }], mappingVersion: undefined }),
      }),
      (url) => textAt(url, '/health/ready'),
    );
    expectFound([health], word);
  });

  test('in a header, where a caller puts it there', async () => {
    const response = await site.send(undefined, 'GET', '/health/live', { headers: { 'x-request-id': word } });
    expectFound([['headers', JSON.stringify([...response.headers])]], word);
  });

  test.each([
    ['alert', 'reason'],
    ['lane', 'reason'],
    ['link', 'reason'],
    ['decision', 'reason'],
    ['decision', 'topic'],
    ['poll', 'reason'],
    ['operation', 'reason'],
  ])('in the store, by a build that writes content into %s.%s', async (table, column) => {
    const leak = column === 'topic' ? sql`topic || ${word}` : json({ code: 'internal', text: word });
    const texts = await site.store
      .tx(async (trx) => {
        await sql`update ${sql.table(table)} set ${sql.ref(column)} = ${leak} where ctid =
          (select ctid from ${sql.table(table)} limit 1)`.execute(trx);
        throw new RolledBack(await storeTexts({ db: trx }, table));
      })
      .catch((error: unknown) => {
        if (error instanceof RolledBack) return error.texts;
        throw error;
      });
    expectFound(texts, word);
  });

  test('in the queue, by a build whose jobs carry content', async () => {
    const errors: unknown[] = [];
    const queue = await openWakeUps({ store: site.store, onError: (error) => errors.push(error) });
    await queue.add([{ connection: 'gone', subject: JSON.stringify({ name: word }) }]);
    await queue.close();
    expect(errors).toEqual([]);
    expectFound(await queueRows(), word);
  });
});

class RolledBack extends Error {
  readonly texts: [string, string][];

  constructor(texts: [string, string][]) {
    super('on purpose');
    this.texts = texts;
  }
}

describe('the command line', () => {
  const word = canaries.word('a planted leak of a command');
  let folder = '';

  beforeAll(async () => {
    const line = ({ type, record }: Planted) => `${JSON.stringify({ type, record })}\n`;
    const bad = told.records.map(({ type, record }) => ({
      type,
      record: { ...record, [`x ${record.id}`]: word, updatedAt: word },
    }));
    folder = await aFolder({
      'casebridge.yaml': configuration(site.servers.standard.base, await freshFolder()),
      'good.ndjson': told.records.map(line).join(''),
      'bad.ndjson': `${bad.map((one) => JSON.stringify(one)).join('\n')}\n{"type":"client","record":{"names":"${word}`,
      [`${word}.ndjson`]: told.records.map(line).join(''),
      county: tokens.county,
      ops: tokens.ops,
    });
    await mkdir(join(folder, 'tmp'));
  });

  /** On a terminal, so that progress is shown. */
  async function run(...words: string[]): Promise<[out: string, err: string]> {
    const [out, err]: [string[], string[]] = [[], []];
    const terminal = (texts: string[]) => Object.assign(collected(texts), { isTTY: true });
    await runCommandLine([...words, '--config', join(folder, 'casebridge.yaml')], {
      out: terminal(out),
      err: terminal(err),
    });
    return [out.join(''), err.join('')];
  }

  const file = (name: string) => join(folder, name);
  const remote = (token = 'county') => ['--url', site.url, '--token', `file:${file(token)}`];

  test('says nothing of it: import with its progress and its refusals, map, doctor, replay', async () => {
    const texts: [string, string][] = [];
    const here = await run('import', '--source', 'county', file('good.ndjson'), file('bad.ndjson'), '--json');
    texts.push(['import', here.join('\n')]);
    const there = await run('import', '--source', 'county', file('bad.ndjson'), ...remote());
    texts.push(['import --url', there.join('\n')]);
    texts.push(['doctor', (await run('doctor')).join('\n')]);
    // Its dry run shows what would change, as it was asked to.
    const replayed = (await run('replay', ...remote('ops'))).join('\n');
    expect(replayed).toMatch(/\d+ lanes: \d+ done/);
    texts.push(['replay', replayed]);
    const [bundle, problems] = await run(
      'map',
      '--source',
      'county',
      file('good.ndjson'),
      file('bad.ndjson'),
      '--json',
    );
    texts.push(['map', problems]);
    // What it was asked for; and the proof that the search sees what a command says.
    expect(canaries.search(bundle).length).toBeGreaterThan(100);
    expectClean('command line', texts, 10_000);
  });

  test('a leak in its progress is found', async () => {
    const [, err] = await run('import', '--source', 'county', file(`${word}.ndjson`), ...remote());
    expectFound([['progress', err]], word);
  });

  const env = (): Record<string, string> => {
    const preload = new URL('./crash.ts', import.meta.url).href;
    return { NODE_OPTIONS: `--import ${preload}`, TMPDIR: file('tmp'), CONTENT: word };
  };

  test('a crash tells its kind and its place, in no log and no temporary file its content', async () => {
    const running = await listening(['serve', '--config', file('casebridge.yaml')], { cwd: folder, env: env() });
    const headers = { authorization: `Bearer ${tokens.county}`, 'content-type': 'application/x-ndjson' };
    const body = told.records.map((one) => `${JSON.stringify(one)}\n`).join('');
    await (await fetch(`${running.url}/api/records`, { method: 'POST', headers, body })).text();
    const { code, out, err } = await running.stop('SIGUSR2');
    expect([code, err]).toEqual([1, expect.stringContaining('This is a fault of Casebridge (Error)')]);
    expect(err).toMatch(/\n {4}at .*crash\.ts:\d+:\d+/);
    expectClean('a process that crashes', [
      ['standard output', out],
      ['standard error', err],
    ]);
    expectClean('temporary files', await fileTexts(file('tmp')), 0);
  });

  test('a leak at a crash is found, on standard error and in a temporary file', async () => {
    const { err } = await casebridge(['--help'], { env: { ...env(), LEAK: '1' } });
    expectFound([['standard error', err]], word);
    expectFound(await fileTexts(file('tmp')), word);
  });
});

function configuration(baseUrl: string, data: string): string {
  return `server: { port: 0, host: 127.0.0.1 }
identifierSystem: ${identifierSystem}
log: { level: trace }
store: { folder: ${data} }
operators:
  ops: { token: file:ops, may: [read] }
sources:
  county: { token: file:county, timeZone: America/New_York }
connections:
  standard: { vendor: standard, baseUrl: "${baseUrl}", auth: { type: none }, createPatients: true }
`;
}
