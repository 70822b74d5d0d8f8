// `map`: what records become as FHIR, from files, with nothing stored or sent; and what each mapping carries one way only.

import { type Config, loadConfig } from '../config.ts';
import { CasebridgeError } from '../errors.ts';
import { checkLine } from '../http/http.ts';
import { isObject, type JsonObject } from '../json.ts';
import { collectionBundle, issuesOf, lineageOf, projectWith } from '../lanes/lanes.ts';
import { compileMappings, type MappingSet } from '../mapping/mapping.ts';
import { type CheckedRecord, readRecordLines } from '../records/records.ts';
import { type CommandCall, type CommandLine, flag, textOption } from './command.ts';
import { absorbAll, absorbedLines, resourcesIn } from './map-absorb.ts';
import { lineageLines } from './map-lineage.ts';
import { bytesOf, checkReadable, refusedText } from './record-files.ts';
import { aligned, type Terminal } from './terminal.ts';

export const map: CommandLine = {
  name: 'map',
  configuration: 'configuration file, for its guides, identifier systems and time zones (default: none)',

  describe(command) {
    command
      .description('Show what records become as FHIR. Nothing is stored or sent.')
      .argument('[file...]', 'files of records, as for import')
      .option('--source <name>', 'whose records these are', 'source')
      .option('--lineage', 'show where each element comes from, and which values are sent nowhere and why')
      .option('--absorb', 'the files hold FHIR resources, and records to lay them beside: show what they would change')
      .option('--loss', 'show instead which elements of each mapping come back, and which only go out');
  },

  async run(call) {
    const file = textOption(call, 'config');
    const config = file === undefined ? undefined : await loadConfig(file);
    const mappings = await shippedMappings(config, call.terminal);
    if (flag(call, 'loss')) return showLoss(mappings, call.terminal);
    if (call.words.length === 0) throw new CasebridgeError('file-missing');
    await checkReadable(call.words);
    return flag(call, 'absorb') ? absorbFiles(mappings, call) : mapFiles(mappings, config, call);
  },
};

async function shippedMappings(config: Config | undefined, terminal: Terminal): Promise<MappingSet> {
  const { mappingFiles } = await import('../gateway.ts');
  const compiled = compileMappings(await mappingFiles(config ?? { guides: [] }));
  if ('set' in compiled) return compiled.set;
  for (const { path, line, column, message } of compiled.problems)
    terminal.warn(`${path}:${line}:${column}: ${message}`);
  throw new CasebridgeError('mappings-invalid', { count: compiled.problems.length });
}

async function mapFiles(mappings: MappingSet, config: Config | undefined, call: CommandCall): Promise<number> {
  const { terminal } = call;
  const source = textOption(call, 'source') ?? 'source';
  const { records, refused } = await readRecords(call, call.words, config?.sources.get(source)?.timeZone);
  const projected = await projectWith(async () => undefined, {
    source,
    identifierSystem: config?.identifierSystem ?? exampleSystem,
    identifierSystems: identifierSystems(config),
    mappings,
    records,
  });
  const bundle = collectionBundle(projected);
  const issues = issuesOf(projected);
  for (const issue of issues) {
    if (isObject(issue)) terminal.warn(`${issue.at}: ${issue.type} ${issue.id}, ${issue.slot}: ${issue.message}`);
  }
  if (flag(call, 'lineage')) {
    const lineage = lineageOf(projected, mappings);
    terminal.result({ bundle, issues, lineage, refused }, lineageLines(projected));
  } else {
    terminal.result({ bundle, issues, refused }, [JSON.stringify(bundle, undefined, 2)]);
  }
  const isSendable = projected.every(({ resources }) => resources.every(({ desired }) => desired.invalid.length === 0));
  return refused === 0 && isSendable ? 0 : 1;
}

async function absorbFiles(mappings: MappingSet, call: CommandCall): Promise<number> {
  const { terminal } = call;
  const resources: JsonObject[] = [];
  const recordFiles: string[] = [];
  for (const file of call.words) {
    const found = await resourcesIn(file);
    if (found === undefined) recordFiles.push(file);
    else resources.push(...found);
  }
  const { records, refused } = await readRecords(call, recordFiles);
  const { absorbed, unknown } = absorbAll(mappings, records, resources);
  for (const resource of unknown) terminal.warn(`${resource}: no mapping makes this type, so it changes nothing.`);
  terminal.result({ absorbed, unknown, refused }, absorbedLines(absorbed));
  return refused === 0 ? 0 : 1;
}

// Without a configuration; a name that nobody owns (RFC 2606).
const exampleSystem = 'https://casebridge.example/identifiers';

/** The identifier systems of all connections together: for a look at the mapping it matters that there is one. */
function identifierSystems(config: Config | undefined): Record<string, string> {
  const all = [...(config?.connections.values() ?? [])].map((connection) => connection.identifierSystems);
  return Object.assign({}, ...all);
}

async function readRecords(
  call: CommandCall,
  files: readonly string[],
  timeZone?: string,
): Promise<{ records: CheckedRecord[]; refused: number }> {
  const records: CheckedRecord[] = [];
  const now = new Date();
  let refused = 0;
  for (const file of files) {
    for await (const line of readRecordLines(bytesOf(file))) {
      const checked = checkLine(line, { now, timeZone });
      if ('item' in checked) {
        records.push(checked.item);
      } else {
        refused += 1;
        call.terminal.warn(refusedText(file, { ...checked, messages: checked.errors.map(({ message }) => message) }));
      }
    }
  }
  return { records, refused };
}

interface LossRow {
  readonly mapping: string;
  readonly slot: string;
  readonly element: string;
  /** `both` ways; `out` only; or by the rules of status moves. */
  readonly way: 'both' | 'out' | 'moves';
  readonly at: string;
}

function showLoss({ mappings, warnings }: MappingSet, terminal: Terminal): number {
  const rows = mappings.flatMap(({ recordType, slots }) =>
    slots.flatMap(({ name, elements }) =>
      elements.map(({ key, moves, derived, at }): LossRow => {
        const way = moves === undefined ? (derived ? 'out' : 'both') : 'moves';
        return { mapping: recordType, slot: name, element: key, way, at };
      }),
    ),
  );
  for (const { path, line, message } of warnings) terminal.warn(`${path}:${line}: ${message}`);
  const shown = rows.map((row) => [wayTexts[row.way], `${row.mapping} ${row.slot}`, row.element, row.at]);
  terminal.result({ elements: rows, warnings }, aligned(shown));
  return 0;
}

const wayTexts = { both: 'both ways', out: 'out only', moves: 'by status moves' } as const;
