// `npm run experiment:twins` (G24): looks for clients among patients who share names, birth dates, numbers and phones with each other, and compares
// every link with the truth. Ends with 1 when a link is wrong, a known client was made again, or an outcome has no explanation.

import { toolOptions } from '../scripts/tool-options.ts';
import { searchTwins, type TwinVendor } from '../test/support/twins.ts';

const { values } = toolOptions('experiment:twins', {
  count: { type: 'string', default: '2000' },
  seed: { type: 'string', default: '1' },
  vendor: { type: 'string', default: 'standard' },
  json: { type: 'boolean', default: false },
});
const vendors: readonly TwinVendor[] = ['standard', 'epic', 'oracle'];
const vendor = vendors.find((known) => known === values.vendor);
if (vendor === undefined) throw new Error(`--vendor is one of ${vendors.join(', ')}.`);

const found = await searchTwins({
  vendor,
  count: Number(values.count),
  seed: Number(values.seed),
  withinMs: 3_600_000,
});
const { byScenario, ...totals } = found;
if (values.json) {
  console.log(JSON.stringify(found));
} else {
  console.log(
    Object.entries(totals)
      .map(([name, value]) => `${name} ${value}`)
      .join(', '),
  );
  for (const [name, counts] of Object.entries(byScenario)) {
    const said = Object.entries(counts).filter(([, count]) => count > 0);
    console.log(`${name.padEnd(44)} ${said.map(([outcome, count]) => `${outcome} ${count}`).join(', ')}`);
  }
}
if (found.wrong + found.doubled + found.unexplained > 0 || found.linked === 0) process.exitCode = 1;
