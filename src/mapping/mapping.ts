// Front door of mapping/: two-way mappings between records and FHIR, compiled once from the files of a folder.

import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { errorCode } from '../error-code.ts';
import { CasebridgeError } from '../errors.ts';
import { overlayFolder } from './overlay/overlay.ts';
import type { MappingFile } from './types.ts';

export { compileMappings, mappingVersion } from './compile.ts';
export { owners, stateMachines } from './compile-slot.ts';
export { derivations } from './derive.ts';
export { explainAbsorb } from './explain-absorb.ts';
export { exportFml, type FmlExport, type FmlMap, fmlLimits, type LeftOut } from './export-fml/export-fml.ts';
export type * from './types.ts';

/** Reads all `.yaml` files of a folder and its subfolders, in the order of their paths. Throws what the file system throws. */
export async function readMappingFiles(folder: string): Promise<MappingFile[]> {
  const names = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith('.yaml')).sort();
  return Promise.all(
    names.map(async (path) => ({ path: path.replaceAll('\\', '/'), text: await readFile(join(folder, path), 'utf8') })),
  );
}

/** Reads the files of an overlay, to be compiled together with the mapping files. @throws CasebridgeError `file-unreadable` */
export async function readOverlayFiles(folder: string): Promise<MappingFile[]> {
  try {
    const files = await readMappingFiles(folder);
    return files.map(({ path, text }) => ({ path: `${overlayFolder}${path}`, text }));
  } catch (error) {
    throw new CasebridgeError(
      'file-unreadable',
      { file: folder, code: errorCode(error) ?? 'unknown' },
      { cause: error },
    );
  }
}

/** Reads the facts of guides that `casebridge guide` made, to be compiled together with the mapping files. @throws CasebridgeError `file-unreadable` */
export async function readGuideFiles(paths: readonly string[]): Promise<MappingFile[]> {
  return Promise.all(paths.map(async (path) => ({ path: `guides/${basename(path)}`, text: await readText(path) })));
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new CasebridgeError('file-unreadable', { file, code: errorCode(error) ?? 'unknown' }, { cause: error });
  }
}
