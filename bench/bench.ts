// `npm run bench`: how fast records are accepted, how fast their changes reach a FHIR server, and how a bare loop that writes the same prebuilt
// resources at the same concurrency compares. With --scale: time per change as the store grows. With --peers: beside a script and an
// OpenFn job, without and with faults. With --fairness: what a stuck case and a connection that hangs cost the others. `npm run bench --
// mapping`: the mapping engine alone, beside a mapper by hand and other tools, with --memory over a million records. `npm run bench -- clocks`: a
// sweep of 10,000 clocks. Everything runs on this machine, so read the ratios; the rates are those of its cores.

import { mkdir } from 'node:fs/promises';
import { toolOptions } from '../scripts/tool-options.ts';
import { measureClocks } from './clocks.ts';
import { measureFairness } from './fairness.ts';
import { type Figures, headed, summaries, table } from './figures.ts';
import { type MappingFigures, measureMapping } from './mapping.ts';
import { selfTimes } from './profile.ts';
import { measureScale } from './scale.ts';
import { measurePeers } from './side-by-side.ts';
import { type StoreKind, storesHere } from './stage.ts';
import { measureThroughput, type ProfiledSpan } from './throughput.ts';

const { values, positionals } = toolOptions(
  'bench',
  {
    store: { type: 'string' },
    runs: { type: 'string', default: '3' },
    cases: { type: 'string', default: '60' },
    accept: { type: 'string', default: '1000' },
    concurrency: { type: 'string', default: '8' },
    workers: { type: 'string', default: '0' },
    profile: { type: 'string' },
    scale: { type: 'boolean', default: false },
    peers: { type: 'boolean', default: false },
    fairness: { type: 'boolean', default: false },
    memory: { type: 'boolean', default: false },
    'edits-per-second': { type: 'string', default: '5' },
    json: { type: 'boolean', default: false },
  },
  '[mapping|clocks]',
);
const runs = Number(values.runs);
const cases = Number(values.cases);
const concurrency = Number(values.concurrency);
const workers = Number(values.workers);
const spans: ProfiledSpan[] = [];

if (positionals.length === 0) {
  const figures = await measured();
  tell(figures, { runs, workers, cases, concurrency }, `${concurrency} requests at a time`);
} else if (positionals.length === 1 && positionals[0] === 'mapping') {
  const { figures, notes }: MappingFigures = await measureMapping({ runs, memory: values.memory });
  for (const note of notes) process.stderr.write(`${note}\n`);
  tell(figures, { runs, notes: [...notes] }, values.memory ? 'after a collection' : 'by CPU time');
} else if (positionals.length === 1 && positionals[0] === 'clocks') {
  tell(await measureClocks({ kinds: kinds(), runs }), { runs }, '10,000 running clocks');
} else {
  throw new Error(
    `There is no bench "${positionals.join(' ')}"; without a word it is the gateway's, "mapping" and "clocks" are others.`,
  );
}
for (const span of spans) await tellProfile(span);

function tell(figures: readonly Figures[], setting: Readonly<Record<string, number | string[]>>, how: string): void {
  const rows = summaries(figures);
  if (values.json) {
    const medians = Object.fromEntries(rows.map(({ name, median }) => [name, median]));
    console.log(JSON.stringify({ ...setting, ...medians }));
    return;
  }
  console.log(`medians of ${figures.length} runs (least to most), ${how}`);
  for (const line of table(rows)) console.log(line);
}

async function measured(): Promise<readonly Figures[]> {
  if (values.scale) return measureScale({ concurrency, rounds: runs });
  if (values.peers) return measurePeers({ kind: kinds().at(-1) ?? 'embedded', cases, concurrency, runs });
  if (values.fairness) {
    const editsPerSecond = Number(values['edits-per-second']);
    return measureFairness({ kind: kinds().at(-1) ?? 'embedded', cases, concurrency, runs, editsPerSecond });
  }
  return throughputs();
}

async function throughputs(): Promise<Figures[]> {
  const { profile } = values;
  if (profile !== undefined) await mkdir(profile, { recursive: true });
  const all: Figures[] = [];
  for (let run = 1; run <= runs; run += 1) {
    const figures: Record<string, number> = {};
    for (const kind of kinds()) {
      process.stderr.write(`run ${run} of ${runs}, ${kind}\n`);
      const throughput = await measureThroughput({
        kind,
        cases,
        accept: Number(values.accept),
        concurrency,
        workers: kind === 'postgres' ? workers : 0,
        profile,
      });
      Object.assign(figures, headed(kind, throughput.figures));
      spans.push(...throughput.spans);
    }
    process.stderr.write(`${JSON.stringify(figures)}\n`);
    all.push(figures);
  }
  return all;
}

/** Without --store: all that this machine can run. */
function kinds(): readonly StoreKind[] {
  if (values.store === undefined) return storesHere();
  const named = storesHere().filter((kind) => kind === values.store);
  if (named.length === 0)
    throw new Error(
      `--store is one of: ${storesHere().join(', ')} (postgres needs PostgreSQL and Redis on this machine).`,
    );
  return named;
}

/** On standard error, beside the figures. */
async function tellProfile(span: ProfiledSpan): Promise<void> {
  const { seconds, functions, places } = await selfTimes(span.file, span);
  const line = ([name, ms]: readonly [string, number]) => `  ${ms.toFixed(0).padStart(8)} ms  ${name}\n`;
  process.stderr.write(`\n${span.title}: self time of serve in ${seconds.toFixed(1)} s (${span.file})\n`);
  process.stderr.write(places.slice(0, 20).map(line).join(''));
  process.stderr.write(`  by function:\n${functions.slice(0, 40).map(line).join('')}`);
}
