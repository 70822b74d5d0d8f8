// `npm run chaos`: real processes, PostgreSQL, Redis and simulated servers under kill -9, frozen and restarted parts and faults; judged from the
// servers' own stores and journals. Ends with 1 when anything is wrong, and keeps the history then. With --experiment, one narrower question.

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { isGood, page } from './report.ts';
import { run } from './run.ts';
import { vendorNames } from './simulated.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    minutes: { type: 'string', default: '1' },
    changes: { type: 'string', default: '600' },
    vendors: { type: 'string', default: vendorNames.join(',') },
    workers: { type: 'string', default: '3' },
    serves: { type: 'string', default: '2' },
    every: { type: 'string', default: '4' },
    'no-versions': { type: 'boolean', default: false },
    history: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
});

const { report, evidence, folder } = await run({
  seed: Number(values.seed),
  minutes: Number(values.minutes),
  changes: Number(values.changes),
  vendors: vendorNames.filter((name) => values.vendors.split(',').includes(name)),
  workers: Number(values.workers),
  serves: Number(values.serves),
  every: Number(values.every),
  versions: !values['no-versions'],
  say: (line) => process.stderr.write(`${new Date().toISOString()} ${line}\n`),
});
console.log(values.json ? JSON.stringify(report) : page(report));
const history = values.history ?? (isGood(report) ? undefined : join(folder, 'history.json'));
if (history !== undefined) {
  await writeFile(history, JSON.stringify({ report, evidence }));
  process.stderr.write(`The history is in ${history}.\n`);
}
if (!isGood(report)) process.exitCode = 1;
