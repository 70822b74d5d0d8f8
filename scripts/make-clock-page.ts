// Writes the table of docs/clocks.md from the rules.

import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Happening, type Rule, rules } from '../src/clocks/clocks.ts';

const page = join(import.meta.dirname, '..', 'docs', 'clocks.md');

export function clockTable(): string {
  const head = ['clock', 'of', 'starts', 'limit', 'runs until', 'paused while', 'void when', 'due soon', 'told to'];
  const rows = rules.map((rule) => [
    `\`${rule.name}\``,
    rule.appliesTo,
    said(rule.starts, ', else '),
    `${limitOf(rule)}${rule.sooner ? `; ${rule.sooner.days} days after ${said(rule.sooner.after, ', ')}, if that is earlier` : ''}${rule.later ? `; ${rule.later.days} days after the end while ${rule.later.says} on the day` : ''}`,
    `${rule.awaits}: ${said(rule.stops, ', ')}`,
    rule.pauses.map(({ says }) => says).join(', ') || (rule.later?.says ?? '-'),
    said(rule.voids, ', ') || '-',
    `${rule.dueSoonHours} h before`,
    rule.tells.join(', '),
  ]);
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

/** The page with the table between its marks. */
export function withTable(text: string): string {
  const [begins, ends] = ['<!-- rules -->\n', '\n<!-- end of rules -->'];
  const [before = ''] = text.split(begins);
  const after = text.split(ends.trim())[1] ?? '';
  return [before, begins, clockTable(), ends, after].join('');
}

function limitOf({ limit }: Rule): string {
  if ('hours' in limit) return `${limit.hours} hours`;
  return 'says' in limit ? limit.says : `${limit.days} days`;
}

function said(happenings: readonly Happening[], between: string): string {
  return happenings.map(({ says }) => says).join(between);
}

if (process.argv[1] === import.meta.filename) await writeFile(page, withTable(await readFile(page, 'utf8')));
