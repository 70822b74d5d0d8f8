// The bench compares speeds only where its other mappers say what ours say, so a slot that is new in a mapping has to be new in them, too.

import { expect, test } from '@jest/globals';
import { checkCases, checkFixtures, checkGenerated } from '../../bench/mapping/agree.ts';
import { handTables } from '../../bench/mapping/by-hand/hand-tables.ts';
import { caseTexts, identifierSystem, mappingFolder, Source } from '../../bench/mapping/cases.ts';
import { casebridge, handWritten } from '../../bench/mapping/contenders.ts';
import { inJsonata } from '../../bench/mapping/jsonata.ts';
import { structureMaps } from '../../bench/mapping/structure-maps.ts';
import { readTables } from '../../bench/mapping/tables.ts';
import { mappings } from './fixtures.ts';

test('the mapper by hand and the one in JSONata make of every fixture and variant what the mappings make', async () => {
  expect(await checkFixtures(mappings)).toBeGreaterThan(100);
});

test('the mapper by hand makes of generated records what the mappings make', async () => {
  expect(await checkGenerated(mappings, 10)).toBeGreaterThan(40);
});

test('every mapper of the bench says of a case what it promises', async () => {
  const texts = caseTexts(2);
  const source = new Source(mappings, texts);
  const tables = await readTables(mappingFolder, identifierSystem);
  const { assemble } = casebridge(mappings, source);
  const others = [
    handWritten(handTables(tables), source),
    await inJsonata(tables, source),
    await structureMaps(source),
  ];
  for (const contender of others) await checkCases(contender, assemble, texts);
});
