// `npm run mutate`: breaks one thing at a time in the mapping files and tells which faults no test of the mappings would see.
//   npm run mutate -- [goal.yaml ...] [--json]

import { parseArgs } from 'node:util';
import { shippedMappings } from '../fixtures.ts';
import { knowLists } from '../golden.ts';
import { type Mutant, mutantsOf } from './mutants.ts';
import { killedBy } from './verdict.ts';

const { values, positionals } = parseArgs({
  options: { json: { type: 'boolean', default: false } },
  allowPositionals: true,
});
knowLists(shippedMappings);
if (killedBy(shippedMappings) !== undefined) throw new Error('The mappings as they are do not pass their tests.');

const chosen = shippedMappings.filter(({ path }) => positionals.length === 0 || positionals.includes(path));
const kills = new Map<string, number>();
const survivors: Mutant[] = [];
let count = 0;
for (const file of chosen.filter(({ path }) => path !== 'systems.yaml')) {
  for (const mutant of mutantsOf(file)) {
    count += 1;
    const by = killedBy(shippedMappings.map((one) => (one.path === mutant.path ? mutant : one)));
    if (by === undefined) survivors.push(mutant);
    else kills.set(by, (kills.get(by) ?? 0) + 1);
    if (count % 50 === 0) process.stderr.write(`\r${count} tried, ${survivors.length} survive `);
  }
}
process.stderr.write('\n');
const killRate = Math.round((1000 * (count - survivors.length)) / count) / 1000;
if (values.json) {
  const shown = survivors.map(({ path, line, what }) => ({ path, line, what }));
  console.log(JSON.stringify({ mutants: count, killRate, killedBy: Object.fromEntries(kills), survivors: shown }));
} else {
  for (const { path, line, what } of survivors) console.log(`survives: ${path}:${line}: ${what}`);
  console.log(`${count} mutants, ${survivors.length} survive, kill rate ${killRate}`);
  for (const [by, times] of kills) console.log(`  seen by ${by}: ${times}`);
}
