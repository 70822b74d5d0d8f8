// `map`: what records become as FHIR, from files, with nothing stored or sent; and what each mapping carries one way only.

import { InvalidArgumentError, Option } from 'commander';
import { type Config, loadConfig, namePattern } from '../config.ts';
import { errorCode } from '../error-code.ts';
import { CasebridgeError } from '../errors.ts';
import { checkLine } from '../http/http.ts';
import { isObject, type JsonObject } from '../json.ts';
import { collectionBundle, issuesOf, lineageOf, type Projected, projectWith } from '../lanes/lanes.ts';
import {
  compileMappings,
  exportFml,
  fmlLimits,
  type MappingFile,
  type MappingSet,
  readGuideFiles,
  readMappingFiles,
  readOverlayFiles,
  unreadable,
} from '../mapping/mapping.ts';
import { type CheckedRecord, readRecordLines } from '../records/records.ts';
import { type CommandCall, type CommandLine, configuredSource, flag, textOption } from './command.ts';
import { absorbAll, absorbedLines, resourcesIn } from './map-absorb.ts';
import { lineageLines } from './map-lineage.ts';
import { differences, onChange } from './map-watch.ts';
import { untilStopped } from './process.ts';
import { bytesOf, checkReadable, refusedText } from './record-files.ts';
import { aligned, type Terminal } from './terminal.ts';

export const map: CommandLine = {
  name: 'map',
  configuration: 'configuration file, for its guides, overlay, identifier systems and time zones (default: none)',

  describe(command) {
    command
      .description('Show what records become as FHIR. Nothing is stored or sent.')
      .argument('[file...]', 'files of records, as for import')
      .option('--source <name>', 'whose records these are', nameOf, anySource)
      .option('--mappings <folder>', 'mapping files (default: those of this program)')
      .option('--overlay <folder>', 'fields and codes of your own (default: those of the configuration)')
      .option('--watch', 'map again when a file changes, and show what differs; Ctrl-C ends it')
      .option('--lineage', 'show where each element comes from, and which values are sent nowhere and why')
      .option('--absorb', 'the files hold FHIR resources, and records to lay them beside: show what they would change')
      .addOption(
        new Option(
          '--export <language>',
          'write instead the mappings as StructureMaps, forward (docs/mapping-export.md)',
        ).choices(['fml']),
      )
      .option('--loss', 'show instead which elements of each mapping come back, and which only go out');
  },

  async run(call) {
    if (flag(call, 'watch') && call.words.length > 0) return watchFiles(call);
    const compiled = await compiledMappings(call);
    if (flag(call, 'loss')) return showLoss(compiled, call.terminal);
    if (textOption(call, 'export') === 'fml') return exportMaps(call);
    if (call.words.length === 0) throw new CasebridgeError('file-missing');
    await checkReadable(call.words);
    return flag(call, 'absorb') ? absorbFiles(compiled.set, call) : mapFiles(compiled.set, call);
  },
};

async function exportMaps(call: CommandCall): Promise<number> {
  const { terminal } = call;
  const config = await configOf(call);
  const { maps, leftOut } = exportFml(await filesOf(call), systemsOf(call, config));
  for (const { at, record, slot, element, reason } of leftOut)
    terminal.warn(`${at}: not in the map of ${record} ${slot}: ${element || 'all of it'}: ${reason}.`);
  for (const limit of fmlLimits) terminal.warn(limit);
  const texts = maps.map(({ fml }) => fml);
  terminal.result({ maps, leftOut, limits: fmlLimits }, texts);
  return 0;
}

type Compiled = Extract<ReturnType<typeof compileMappings>, { set: MappingSet }>;

async function mappingFolderOf(call: CommandCall): Promise<string> {
  return textOption(call, 'mappings') ?? (await import('../gateway.ts')).mappingFolder;
}

async function overlayOf(call: CommandCall): Promise<string | undefined> {
  return textOption(call, 'overlay') ?? (await configOf(call))?.overlay;
}

async function filesOf(call: CommandCall): Promise<MappingFile[]> {
  const folder = await mappingFolderOf(call);
  const overlay = await overlayOf(call);
  const setting = textOption(call, 'overlay') === undefined ? undefined : '--overlay';
  try {
    const own = await readMappingFiles(folder);
    return [...own, ...(overlay === undefined ? [] : await readOverlayFiles(overlay, setting))];
  } catch (error) {
    if (errorCode(error) === undefined || error instanceof CasebridgeError) throw error;
    throw unreadable(error, '--mappings', folder);
  }
}

async function compiledMappings(call: CommandCall): Promise<Compiled> {
  const config = await configOf(call);
  const compiled = compileMappings([...(await filesOf(call)), ...(await readGuideFiles(config?.guides ?? []))]);
  if ('set' in compiled) return compiled;
  for (const { path, line, column, message } of compiled.problems)
    call.terminal.warn(`${path}:${line}:${column}: ${message}`);
  throw new CasebridgeError('mappings-invalid', { count: compiled.problems.length });
}

/** Maps until a signal ends it; what cannot be read just now is told, and what was shown last stands. */
async function watchFiles(call: CommandCall): Promise<number> {
  const { terminal } = call;
  let shown: string | undefined;
  const show = async (): Promise<void> => {
    try {
      const { set } = await compiledMappings(call);
      await checkReadable(call.words);
      const { projected } = await projectFiles(set, call);
      const text = `${JSON.stringify(collectionBundle(projected), undefined, 2)}\n`;
      if (shown === undefined) terminal.say(text.trimEnd());
      else for (const line of differences(shown, text)) terminal.say(line);
      if (shown === text) terminal.say('Nothing differs.');
      shown = text;
    } catch (error) {
      if (!(error instanceof CasebridgeError)) throw error;
      terminal.warn(error.message);
    }
  };
  const stopped = untilStopped();
  await show();
  const watching = new AbortController();
  let work = Promise.resolve();
  const changed = (): void => {
    work = work.then(show);
  };
  const overlay = await overlayOf(call);
  const folders = [await mappingFolderOf(call), ...(overlay === undefined ? [] : [overlay])];
  onChange({ folders, files: call.words }, changed, watching.signal);
  terminal.warn('Watching; Ctrl-C ends it.');
  await stopped;
  watching.abort();
  await work;
  return 0;
}

async function projectFiles(
  mappings: MappingSet,
  call: CommandCall,
): Promise<{ projected: readonly Projected[]; refused: number }> {
  const config = await configOf(call);
  const systems = systemsOf(call, config);
  const { records, refused } = await readRecords(
    call,
    mappings,
    call.words,
    config?.sources.get(systems.source)?.timeZone,
  );
  return { projected: await projectWith(async () => undefined, { ...systems, mappings, records }), refused };
}

async function mapFiles(mappings: MappingSet, call: CommandCall): Promise<number> {
  const { terminal } = call;
  const { projected, refused } = await projectFiles(mappings, call);
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
  const { records, refused } = await readRecords(call, mappings, recordFiles);
  const { absorbed, unknown } = absorbAll(mappings, records, resources);
  for (const resource of unknown) terminal.warn(`${resource}: no mapping makes this type, so it changes nothing.`);
  terminal.result({ absorbed, unknown, refused }, absorbedLines(absorbed));
  return refused === 0 ? 0 : 1;
}

async function configOf(call: CommandCall): Promise<Config | undefined> {
  const file = textOption(call, 'config');
  return file === undefined ? undefined : loadConfig(file);
}

function systemsOf(call: CommandCall, config: Config | undefined) {
  const source = textOption(call, 'source') ?? anySource;
  if (config !== undefined && source !== anySource) configuredSource(config.sources, source);
  return {
    source,
    identifierSystem: config?.identifierSystem ?? exampleSystem,
    identifierSystems: identifierSystems(config),
  };
}

function nameOf(text: string): string {
  if (new RegExp(namePattern).test(text)) return text;
  throw new InvalidArgumentError(
    'A name has small letters, digits and dashes, begins with a letter, and has 32 characters at most.',
  );
}

/** Where none is named. */
const anySource = 'source';

// Without a configuration; a name that nobody owns (RFC 2606).
const exampleSystem = 'https://casebridge.example/identifiers';

/** The identifier systems of all connections together: for a look at the mapping it matters that there is one. */
function identifierSystems(config: Config | undefined): Record<string, string> {
  const all = [...(config?.connections.values() ?? [])].map((connection) => connection.identifierSystems);
  return Object.assign({}, ...all);
}

async function readRecords(
  call: CommandCall,
  { schemas }: MappingSet,
  files: readonly string[],
  timeZone?: string,
): Promise<{ records: CheckedRecord[]; refused: number }> {
  const records: CheckedRecord[] = [];
  const now = new Date();
  let refused = 0;
  for (const file of files) {
    for await (const line of readRecordLines(bytesOf(file))) {
      const checked = checkLine(line, { now, timeZone, schemas });
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
  /** `both` ways; `out` only; by the rules of status moves; or `never` sent. */
  readonly way: 'both' | 'out' | 'moves' | 'never';
  readonly at: string;
}

function showLoss({ set }: Compiled, terminal: Terminal): number {
  const { warnings } = set;
  const rows = set.mappings.flatMap(({ recordType, slots, unsent }): LossRow[] =>
    unsent === undefined
      ? slots.flatMap(({ name, elements }) =>
          elements.map(({ key, moves, derived, at }): LossRow => {
            const way = moves === undefined ? (derived ? 'out' : 'both') : 'moves';
            return { mapping: recordType, slot: name, element: key, way, at };
          }),
        )
      : [{ mapping: recordType, slot: 'none', element: unsent.why, way: 'never', at: unsent.at }],
  );
  for (const { path, line, message } of warnings) terminal.warn(`${path}:${line}: ${message}`);
  const shown = rows.map((row) => [wayTexts[row.way], `${row.mapping} ${row.slot}`, row.element, row.at]);
  terminal.result({ elements: rows, warnings }, aligned(shown));
  return 0;
}

const wayTexts = { both: 'both ways', out: 'out only', moves: 'by status moves', never: 'never sent' } as const;
