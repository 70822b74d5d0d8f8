// The files and JSON texts that docs/custom-fields.md shows: what runs in tests is what stands there.

import { mkdir, mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { isObject, type Json, type JsonObject } from '../../src/json.ts';
import type { MappingFile } from '../../src/mapping/mapping.ts';

const page = await readFile(new URL('../../docs/custom-fields.md', import.meta.url), 'utf8');

/** The files of the overlay: each code block that begins with the file's name. */
export const overlayFiles: readonly MappingFile[] = [...page.matchAll(/```yaml\n# (overlay\/\S+)\n(.*?)```/gs)].map(
  ([, path = '', text = '']) => ({ path, text: `# ${path}\n${text}` }),
);

const [record, extensions]: Json[] = [...page.matchAll(/```json\n(.*?)```/gs)].map(([, text = '']) => JSON.parse(text));

/** The need that the source sends. */
export const sentNeed: JsonObject = isObject(record) ? record : {};

/** The extensions of the hospital's Condition that the overlay makes. */
export const extensionsShown: Json = extensions ?? null;

/** The overlay in a folder of its own, which the caller removes. */
export async function overlayFolderOf(files: readonly MappingFile[]): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'casebridge-overlay-'));
  for (const { path, text } of files) {
    const file = join(folder, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text);
  }
  return join(folder, 'overlay');
}
