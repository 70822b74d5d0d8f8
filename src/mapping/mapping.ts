// Front door of mapping/: two-way mappings between records and FHIR, compiled once from the files of a folder.

import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
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
