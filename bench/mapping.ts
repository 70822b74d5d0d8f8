// `npm run bench -- mapping`: cases as JSON text in, their resources as JSON text out, by Casebridge, by a mapper written by hand for this one
// job, and by other tools; then the way back, the validator, and the start. All say the same of the same cases, or the bench stops.

import { type Figures, rounded } from './figures.ts';
import { checkCases, checkFixtures, checkGenerated } from './mapping/agree.ts';
import { absorbed, backwardNames, backwardTasks } from './mapping/backward.ts';
import { handTables } from './mapping/by-hand/hand-tables.ts';
import { caseTexts, compiledMappings, identifierSystem, mappingFolder, Source } from './mapping/cases.ts';
import { type Casebridge, type Contender, casebridge, handWritten } from './mapping/contenders.ts';
import { speeds, type Task } from './mapping/cpu.ts';
import { inJsonata } from './mapping/jsonata.ts';
import { measureLoading } from './mapping/loading.ts';
import { measureMemory } from './mapping/memory.ts';
import { structureMaps } from './mapping/structure-maps.ts';
import { readTables } from './mapping/tables.ts';
import { validatorTask } from './mapping/validator.ts';

export interface MappingFigures {
  readonly figures: readonly Figures[];
  /** What has to be known to read the figures. */
  readonly notes: readonly string[];
}

/** Different cases, so that no mapper meets the same values twice in a row. */
const differentCases = 200;

/** CPU milliseconds of each contender in each run. */
const msPerRun = 1500;

export async function measureMapping({ runs, memory }: { runs: number; memory: boolean }): Promise<MappingFigures> {
  const mappings = await compiledMappings();
  if (memory) return { figures: [measureMemory(mappings)], notes: [] };

  const texts = caseTexts(differentCases);
  const source = new Source(mappings, texts);
  const tables = await readTables(mappingFolder, identifierSystem);
  const { assemble, project, explain } = casebridge(mappings, source);
  const hand = handWritten(handTables(tables), source);
  const peers: Contender[] = [await inJsonata(tables, source), await structureMaps(source)];

  const fixtures = await checkFixtures(mappings);
  const generated = await checkGenerated(mappings);
  for (const contender of [hand, ...peers]) await checkCases(contender, assemble, texts);
  const { patches, issues } = absorbed(mappings, source, texts[0] ?? '');
  const notes = [
    `Of ${texts.length} cases, ${fixtures} golden fixtures and variants and ${generated} generated records, the mapper by hand says what Casebridge says: resources, issues and missing links.`,
    'Assemble puts resources together; project also checks them and claims the best profile that each satisfies; explain is project with lineage.',
    `The way back finds ${patches.filter((patch) => Object.keys(patch).length > 0).length} changed records and ${issues} issues in a case of ${patches.length} resources.`,
    ...peers.flatMap(({ name, lacks }) => (lacks === undefined ? [] : [`${name}: ${lacks}`])),
  ];

  const contenders = [hand, assemble, project, explain, ...peers];
  const measured = await speeds(
    [
      ...contenders.map(
        (contender): Task => ({
          name: contender.name,
          run: (n) => contender.map(texts[n % texts.length] ?? ''),
        }),
      ),
      ...backwardTasks(mappings, source, texts),
      validatorTask(mappings, source, texts),
    ],
    { runs, msPerRun },
  );
  const figures: Figures[] = [];
  for (const speed of measured) {
    figures.push({
      ...figuresOf(speed, contenders, { hand, assemble, project, explain, peers }),
      ...(await measureLoading()),
    });
  }
  return { figures, notes };
}

function figuresOf(
  speed: ReadonlyMap<string, number>,
  contenders: readonly Contender[],
  { hand, assemble, project, explain, peers }: Casebridge & { hand: Contender; peers: readonly Contender[] },
): Figures {
  const of = (name: string): number => speed.get(name) ?? Number.NaN;
  const times = (one: string, other: string): number => rounded(of(one) / of(other), 3);
  return {
    ...Object.fromEntries(contenders.map(({ name }) => [`${name} (cases/s)`, Math.round(of(name))])),
    ...Object.fromEntries(
      contenders.flatMap(({ name }) => (name === hand.name ? [] : [[`${name} / by hand`, times(name, hand.name)]])),
    ),
    ...Object.fromEntries(peers.map(({ name }) => [`Casebridge, assemble / ${name}`, times(assemble.name, name)])),
    'lineage costs (times project)': times(project.name, explain.name),
    'back / out, JSON in and out': times(backwardNames.backInJson, assemble.name),
    'back / out, both without JSON': times(backwardNames.back, backwardNames.out),
    'resources checked (resources/s)': Math.round(of('resources checked')),
  };
}
