// A run's result, as one object and as one page.

import { spawnSync } from 'node:child_process';
import { cpus, totalmem } from 'node:os';

export interface Report {
  readonly command: string;
  readonly seed: number;
  /** What was counted, by name. */
  readonly n: Readonly<Record<string, number>>;
  /** Requests that a fault of a server struck. */
  readonly faults: number;
  /** What was done to the programs, by deed. */
  readonly kills: Readonly<Record<string, number>>;
  readonly results: {
    /** What is wrong, by check; all lists must be empty. */
    readonly findings: Readonly<Record<string, readonly string[]>>;
    readonly figures: Readonly<Record<string, number | string>>;
  };
  readonly versions: Readonly<Record<string, string>>;
  readonly machine: string;
}

export function isGood({ results }: Report): boolean {
  return Object.values(results.findings).every((found) => found.length === 0);
}

const shownFindings = 10;

export function page(report: Report): string {
  const { results } = report;
  const rows = [
    `command ${report.command}`,
    `seed ${report.seed}, on ${report.machine}, ${pairs(report.versions)}`,
    '',
    `n        ${pairs(report.n)}`,
    `faults   ${report.faults} requests struck`,
    `deeds    ${pairs(report.kills)}`,
    '',
    ...Object.entries(results.findings).map(([name, found]) => `${name.padEnd(20)} ${found.length}`),
    '',
    ...Object.entries(results.figures).map(([name, value]) => `${name.padEnd(28)} ${value}`),
    ...Object.entries(results.findings).flatMap(([name, found]) =>
      found.slice(0, shownFindings).map((line) => `! ${name}: ${line}`),
    ),
  ];
  return rows.join('\n');
}

function pairs(counts: Readonly<Record<string, number | string>>): string {
  return Object.entries(counts)
    .map(([name, count]) => `${name} ${count}`)
    .join(', ');
}

/** Of what the run stood on. */
export function surroundings(): Pick<Report, 'command' | 'versions' | 'machine'> {
  const said = (program: string, ...words: string[]) =>
    spawnSync(program, words, { encoding: 'utf8' }).stdout?.trim().split('\n')[0] ?? '';
  const [cpu] = cpus();
  return {
    command: `npm run chaos -- ${process.argv.slice(2).join(' ')}`,
    versions: {
      node: process.version,
      commit: said('git', 'rev-parse', '--short', 'HEAD'),
      redis: said('redis-server', '--version').replace(/^.*v=(\S+).*$/, '$1'),
    },
    machine: `${cpus().length} cores of ${cpu?.model.trim() ?? 'unknown'}, ${Math.round(totalmem() / 2 ** 30)} GiB`,
  };
}
