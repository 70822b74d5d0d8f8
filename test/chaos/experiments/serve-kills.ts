// A record that was answered `accepted` survives any crash of ours (G1): processes that take records, and run the lanes, are killed at random times
// while a source puts and streams. Judged by every answer that the source had, against all versions in the store.

import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { openStore, sql } from '../../../src/store/store.ts';
import { onDatabase } from '../../support/backends.ts';
import type { Program } from '../programs.ts';
import { randomOf } from '../random.ts';
import type { Answer } from '../source.ts';
import { allMarksIn, isWorkloadMark, workload } from '../workload.ts';
import { type ExperimentOptions, experiment, type Result } from './experiment.ts';
import { median } from './stops.ts';

const mostCases = 500;
/** Of one stream: it is accepted in several transactions, and cut between them. */
const mostLines = 400;
const readyWithinMs = 5_000;

export async function serveKills(options: ExperimentOptions): Promise<Result> {
  const random = randomOf(options.seed, 'serve-kills');
  const load = workload(randomOf(options.seed, 'workload'), {
    changes: options.changes,
    cases: Math.min(mostCases, Math.ceil(options.changes / 20)),
  });
  const setting = { vendors: ['standard'], workers: 0, serves: 2, lease: '5s', settle: '0s' } as const;
  const act: Parameters<typeof experiment>[2] = async ({ cluster, source, changes }) => {
    const aboutMs = options.count * 3_500;
    const sending = source.send(changes, aboutMs, mostLines);
    const starts: Start[] = [];
    for (let kill = 0; kill < options.count; kill += 1) {
      await sleep(random.between(0, 2_000));
      const one = random.pick(cluster.serves);
      await one.kill();
      starts.push(await readyAgain(one));
    }
    await sending;
    const accepted = source.answers.filter(({ outcome }) => outcome === 'accepted');
    return {
      n: { accepted: accepted.length },
      kills: { 'kill serve': options.count },
      findings: {
        'accepted and gone': await gone(cluster.database?.url ?? '', accepted),
        'late starts': lateStarts(starts),
      },
      figures: startFigures(starts),
    };
  };
  return experiment(options, setting, act, load);
}

interface Start {
  /** Until it said that records can come in. */
  readonly ms: number;
  /** Of them, how long it was ready to run and others had the processors: that says something about the machine, not about it. */
  readonly waitedMs: number;
}

export async function readyAgain(one: Program): Promise<Start> {
  const began = performance.now();
  await one.start();
  while (!(await fetch(`${one.url}/health/ready`)).ok) await sleep(20);
  return { ms: performance.now() - began, waitedMs: await waitedFor(one.pid) };
}

/** Of a process's main thread, as Linux counts it (proc_pid_schedstat); 0 elsewhere. */
async function waitedFor(pid: number | undefined): Promise<number> {
  const text = await readFile(`/proc/${pid}/schedstat`, 'utf8').catch(() => '');
  return Number(text.split(' ')[1] ?? 0) / 1e6;
}

export function lateStarts(starts: readonly Start[]): string[] {
  return starts
    .filter(({ ms, waitedMs }) => ms - waitedMs > readyWithinMs)
    .map(({ ms, waitedMs }) => `ready after ${seconds(ms)} s, of which it waited ${seconds(waitedMs)}`);
}

export function startFigures(starts: readonly Start[]): Record<string, string> {
  return {
    'ready after a kill, s': spread(starts.map(({ ms }) => ms)),
    'without waiting, s': spread(starts.map(({ ms, waitedMs }) => ms - waitedMs)),
  };
}

export function spread(ms: readonly number[]): string {
  return `median ${seconds(median(ms))}, p95 ${seconds(quantile(ms, 0.95))}, most ${seconds(Math.max(...ms))}`;
}

export function quantile(values: readonly number[], part: number): number {
  return values.toSorted((one, other) => one - other)[Math.ceil(values.length * part) - 1] ?? Number.NaN;
}

const seconds = (ms: number) => Math.round(ms / 100) / 10;

/** Accepted versions that the store does not have, whether or not it has later ones. */
export async function gone(url: string, accepted: readonly Answer[]): Promise<string[]> {
  const { rows } = await onDatabase(url, (client) =>
    client.query<{ content: string }>(`select content::text from casebridge.record_version`),
  );
  return notAmong(rows, accepted);
}

/** The same of an embedded store, which nobody else may have open. */
export async function goneFrom(folder: string, accepted: readonly Answer[]): Promise<string[]> {
  const store = await openStore({ folder });
  try {
    const { rows } = await sql<{ content: string }>`select content::text from casebridge.record_version`.execute(
      store.db,
    );
    return notAmong(rows, accepted);
  } finally {
    await store.close();
  }
}

function notAmong(versions: readonly { readonly content: string }[], accepted: readonly Answer[]): string[] {
  const held = new Set(versions.flatMap(({ content }) => allMarksIn(content)));
  return accepted
    .filter(({ id, version }) => isWorkloadMark(id) && !held.has(`${id}.v${version}`))
    .map(({ type, id, version }) => `${type}/${id} v${version}`);
}
