// Front door of mapping/: two-way mappings between records and FHIR, compiled once from the files of a folder.

import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { errorCode, errorPath } from '../error-code.ts';
import { CasebridgeError } from '../errors.ts';
import { mappingVersion } from './compile.ts';
import { overlayFolder } from './overlay/overlay.ts';
import type { MappingFile } from './types.ts';

export { compileMappings, mappingVersion } from './compile.ts';
export { owners, stateMachines } from './compile-slot.ts';
export { derivations } from './derive.ts';
export { setElement } from './elements.ts';
export { type ExplainedAbsorb, explainAbsorb } from './explain-absorb.ts';
export { exportFml, fmlLimits, type LeftOut } from './export-fml/export-fml.ts';
export { mergePatch, patched } from './merge-patch.ts';
export {
  conceptMapWords,
  lineWords,
  mappingWords,
  profileWords,
  ruleWords,
  slotWords,
  type ValueKind,
} from './notation.ts';
export type * from './types.ts';
export { isEnteredInError } from './untold.ts';

/**
 * Reads all `.yaml` files of a folder and its subfolders, in the order of their paths. Files that change meanwhile, within 20 ms, are read again, so that no half
 * of a change is taken for a mapping. Throws what the file system throws, and CasebridgeError `mappings-changing`.
 */
export async function readMappingFiles(folder: string): Promise<MappingFile[]> {
  let before = await readOnce(folder);
  for (let tries = 0; tries < mostReadings; tries += 1) {
    await setTimeout(quietMs);
    const files = await readOnce(folder);
    if (mappingVersion(files) === mappingVersion(before)) return files;
    before = files;
  }
  throw new CasebridgeError('mappings-changing', { folder });
}

const mostReadings = 20;
/** How long the files must rest: whoever writes them one after the other is done by then. */
const quietMs = 20;

async function readOnce(folder: string): Promise<MappingFile[]> {
  const names = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith('.yaml')).sort();
  return Promise.all(
    names.map(async (path) => ({ path: path.replaceAll('\\', '/'), text: await readFile(join(folder, path), 'utf8') })),
  );
}

/**
 * Reads the files of an overlay, to be compiled together with the mapping files.
 * @param setting where its folder is named, for people
 * @throws CasebridgeError `setting-unreadable`
 */
export async function readOverlayFiles(
  folder: string,
  setting = '"overlay" in the configuration',
): Promise<MappingFile[]> {
  try {
    const files = await readMappingFiles(folder);
    return files.map(({ path, text }) => ({ path: `${overlayFolder}${path}`, text }));
  } catch (error) {
    throw unreadable(error, setting, folder);
  }
}

/** Reads the facts of guides that `casebridge guide` made, to be compiled together with the mapping files. @throws CasebridgeError `setting-unreadable` */
export async function readGuideFiles(paths: readonly string[]): Promise<MappingFile[]> {
  return Promise.all(paths.map(async (path) => ({ path: `guides/${basename(path)}`, text: await readText(path) })));
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw unreadable(error, '"guides" in the configuration', file);
  }
}

/** What cannot be read may lie within the folder that is named. */
export function unreadable(error: unknown, setting: string, named: string): CasebridgeError {
  const [file, code] = [errorPath(error) ?? named, errorCode(error) ?? 'unknown'];
  return new CasebridgeError('setting-unreadable', { setting, file, code }, { cause: error });
}
