// Every change reaches its source (docs/changes.md): a receiver that fails 30 % of the posts and is killed while they go on, and gateways that are
// killed too. Judged from the receiver's own journal and the feed.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { offerChanges } from '../../../src/lanes/changes.ts';
import { openStore, type Store } from '../../../src/store/store.ts';
import { startPostgres } from '../../support/backends.ts';
import { webhookSecret } from '../../support/receiver.ts';
import { GatewayClient, tokens } from '../gateway.ts';
import { Program } from '../programs.ts';
import { randomOf } from '../random.ts';
import { type Line, readJournal } from '../receiver.ts';
import { isGood, surroundings } from '../report.ts';
import { identifierSystem } from '../simulated.ts';
import type { ExperimentOptions, Result } from './experiment.ts';

const share = 0.3;
const downMs = 2_000;
const mostMs = 480_000;

/** `count`: how often the receiver is killed; a gateway is killed after each of them. */
export async function webhooks({ seed, count, changes, say }: ExperimentOptions): Promise<Result> {
  const folder = await mkdtemp(join(tmpdir(), 'casebridge-chaos-'));
  const toEnd: (() => Promise<unknown>)[] = [];
  let isWell = false;
  try {
    const postgres = await startPostgres();
    toEnd.push(() => postgres.stop());
    const url = await postgres.freshDatabase();
    const receiver = new ReceiverProcess(join(folder, 'journal'), seed);
    toEnd.push(() => receiver.kill());
    await receiver.start();
    const config = join(folder, 'casebridge.yaml');
    await writeFile(config, configuration(receiver.port));
    const env = {
      COUNTY_TOKEN: tokens.county,
      OPS_TOKEN: tokens.ops,
      DATABASE_URL: url,
      WEBHOOK_SECRET: webhookSecret,
    };
    const serves = ['serve-1', 'serve-2'].map(
      (name) => new Program({ name, arguments: ['serve', '--config', config], env, folder }),
    );
    for (const one of serves) {
      toEnd.push(() => one.kill());
      await one.start();
    }
    const store = await openStore({ url, folder: 'unused' });
    toEnd.push(() => store.close());

    const began = performance.now();
    const kills = { 'kill receiver': 0, 'kill serve': 0 };
    const load = offerAll(store, seed, changes);
    for (let at = 1; at <= count; at += 1) {
      await processed(receiver, Math.floor((changes * at) / (count + 1)));
      await receiver.kill();
      kills['kill receiver'] += 1;
      const victim = serves[at % serves.length];
      await victim?.kill();
      kills['kill serve'] += 1;
      await sleep(downMs);
      await Promise.all([receiver.start(), victim?.start()]);
      say(`killed ${at} times: ${receiver.news().length} of ${changes} processed`);
    }
    await load;
    await processed(receiver, changes).catch((error: unknown) => say(String(error)));
    const seconds = Math.round((performance.now() - began) / 100) / 10;

    const gateway = new GatewayClient(() => serves.flatMap((one) => (one.url === undefined ? [] : [one.url])));
    const feed = await gateway.all('/api/changes', 'county');
    const journal = receiver.journal();
    const findings = judged(
      journal,
      feed.map((item) => JSON.stringify(item)),
    );
    const report = {
      ...surroundings(),
      seed,
      n: { changes: feed.length, cases: new Set(journal.map(({ of }) => of)).size, posts: journal.length },
      faults: journal.filter(({ what }) => what === 'failed').length,
      kills,
      results: {
        findings,
        figures: {
          'posts of what was known': journal.filter(({ what }) => what === 'known').length,
          'time to deliver all, s': seconds,
        },
      },
    };
    isWell = isGood(report);
    const evidence = { answers: [], records: [], servers: [], changes: feed, decisions: [], lanes: [], ownEnds: [] };
    return { report, evidence, folder };
  } finally {
    for (const end of toEnd.reverse()) await end();
    if (isWell) await rm(folder, { recursive: true, force: true });
    else say(`the journal and the logs are in ${folder}`);
  }
}

/** @param feed items as JSON, in order */
export function judged(journal: readonly Line[], feed: readonly string[]): Record<string, string[]> {
  const news = journal.filter(({ what }) => what === 'new');
  const places = new Map(feed.map((item, at) => [item, at]));
  const arrived = new Set(news.map(({ body }) => body));
  const byCase = [...Map.groupBy(news, ({ of }) => of)];
  const isBefore = (one: Line | undefined, other: Line) =>
    one === undefined || (places.get(one.body) ?? -1) < (places.get(other.body) ?? -1);
  return {
    lost: feed.filter((item) => !arrived.has(item)),
    'not of the feed': news.filter(({ body }) => !places.has(body)).map(({ id }) => id),
    doubled: news.length === new Set(news.map(({ id }) => id)).size ? [] : ['an id was processed twice'],
    reordered: byCase.flatMap(([of, lines]) =>
      lines.filter((line, at) => !isBefore(lines[at - 1], line)).map(({ id }) => `${id} of ${of}`),
    ),
    'not verified': journal.filter(({ what }) => what === 'refused').map(({ id }) => id),
  };
}

/** Of many cases in turn, in small transactions. */
async function offerAll(store: Store, seed: number, changes: number): Promise<void> {
  const random = randomOf(seed, 'changes');
  const cases = Math.max(5, Math.floor(changes / 20));
  for (let n = 0; n < changes; n += 1) {
    const id = `case-${random.below(cases)}`;
    const lane = { source: 'county', connection: 'general', subject: `county.case.${id}` };
    const change = { op: 'patch', type: 'referral', id, body: { outcomeNote: `change ${n}` } } as const;
    await store.tx((trx) => offerChanges(trx, lane, [change]));
  }
}

async function processed(receiver: ReceiverProcess, count: number): Promise<void> {
  const deadline = performance.now() + mostMs;
  while (receiver.news().length < count) {
    if (performance.now() > deadline) throw new Error(`${receiver.news().length} of ${count} were delivered in time`);
    await sleep(100);
  }
}

class ReceiverProcess {
  readonly #file: string;
  readonly #seed: number;
  #child: ChildProcess | undefined;
  port = 0;

  constructor(file: string, seed: number) {
    this.#file = file;
    this.#seed = seed;
  }

  async start(): Promise<void> {
    const program = join(import.meta.dirname, '..', 'receiver.ts');
    const words = [String(this.port), this.#file, String(this.#seed), String(share)];
    const child = spawn(process.execPath, [program, ...words], { stdio: ['ignore', 'pipe', 'inherit'] });
    process.once('exit', () => child.kill('SIGKILL'));
    this.#child = child;
    const [line] = await once(createInterface({ input: child.stdout }), 'line');
    this.port = Number(line);
  }

  async kill(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  }

  journal(): Line[] {
    return readJournal(this.#file);
  }

  news(): Line[] {
    return this.journal().filter(({ what }) => what === 'new');
  }
}

function configuration(port: number): string {
  return `server: { host: 127.0.0.1, port: 0 }
identifierSystem: ${identifierSystem}
store: { url: env:DATABASE_URL }
operators:
  ops: { token: env:OPS_TOKEN, may: [read, run] }
sources:
  county:
    token: env:COUNTY_TOKEN
    webhook: { url: "http://127.0.0.1:${port}/changes", secrets: [env:WEBHOOK_SECRET], allowPrivate: true }
`;
}
