// `npm run mutate`: breaks one thing at a time in the mapping files and tells which faults no test of the mappings would see.
//   npm run mutate -- [goal.yaml ...] [--json]
// A whole run takes a few minutes of one processor: a fault is looked for in what its own file makes, and only what nobody sees there is tried
// on all files. What survives must be explained in equivalents.ts; exit 1 where something is not, or where an explanation no longer holds.

import { toolOptions } from '../../../scripts/tool-options.ts';
import type { MappingFile } from '../../../src/mapping/mapping.ts';
import { shippedMappings } from '../fixtures.ts';
import { knowLists } from '../golden.ts';
import { type Equivalent, equivalents } from './equivalents.ts';
import { type Mutant, mutantsOf } from './mutants.ts';
import { killedBy, quickVerdict } from './verdict.ts';

const { values, positionals } = toolOptions('mutate', { json: { type: 'boolean', default: false } }, '[FILE...]');
const chosen = shippedMappings.filter(({ path }) => positionals.length === 0 || positionals.includes(path));
const unknown = positionals.filter((path) => chosen.every((file) => file.path !== path));
if (unknown.length > 0) throw new Error(`There is no mapping file ${unknown.join(', ')}.`);
knowLists(shippedMappings);
if (killedBy(shippedMappings) !== undefined) throw new Error('The mappings as they are do not pass their tests.');

const quickly = quickVerdict(shippedMappings);
const kills = new Map<string, number>();
const survivors: Mutant[] = [];
let count = 0;
for (const file of chosen.filter(({ path }) => path !== 'systems.yaml')) {
  for (const mutant of mutantsOf(file)) {
    count += 1;
    const by = quickly(mutant) ?? killedBy(shippedMappings.map((one) => (one.path === mutant.path ? mutant : one)));
    if (by === undefined) survivors.push(mutant);
    else kills.set(by, (kills.get(by) ?? 0) + 1);
    if (count % 50 === 0) process.stderr.write(`\r${count} tried, ${survivors.length} survive `);
  }
}
process.stderr.write('\n');

const linesOf = new Map(chosen.map(({ path, text }: MappingFile) => [path, text.split('\n')]));
const isExplainedBy = (mutant: Mutant, { path, line, what }: Equivalent): boolean =>
  mutant.path === path && mutant.what === what && linesOf.get(path)?.[mutant.line - 1]?.trim() === line;
const unexplained = survivors.filter((mutant) => !equivalents.some((known) => isExplainedBy(mutant, known)));
const stale = equivalents.filter(
  (known) => linesOf.has(known.path) && !survivors.some((mutant) => isExplainedBy(mutant, known)),
);
const killRate = Math.round((1000 * (count - survivors.length)) / count) / 1000;
const { user, system } = process.cpuUsage();
if (values.json) {
  const shown = unexplained.map(({ path, line, what }) => ({ path, line, what }));
  const explained = survivors.length - unexplained.length;
  const killed = Object.fromEntries(kills);
  console.log(JSON.stringify({ mutants: count, killRate, killedBy: killed, explained, survivors: shown, stale }));
} else {
  for (const { path, line, what } of unexplained) console.log(`survives: ${path}:${line}: ${what}`);
  for (const { path, line, what } of stale) console.log(`explained, but seen or gone: ${path}: "${line}": ${what}`);
  const explained = survivors.length - unexplained.length;
  console.log(
    `${count} mutants, ${survivors.length} survive, of which ${explained} are explained; kill rate ${killRate}`,
  );
  for (const [by, times] of kills) console.log(`  seen by ${by}: ${times}`);
  console.log(`${Math.round((user + system) / 1e6)} s of processor`);
}
process.exitCode = unexplained.length + stale.length > 0 ? 1 : 0;
