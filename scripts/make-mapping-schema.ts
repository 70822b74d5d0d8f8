// Writes mappings/mapping.schema.json: `node scripts/make-mapping-schema.ts`.

import { writeFile } from 'node:fs/promises';
import { compileMappings, readMappingFiles } from '../src/mapping/mapping.ts';
import { mappingSchema } from './mapping-schema.ts';

const folder = new URL('../mappings', import.meta.url).pathname;
const compiled = compileMappings(await readMappingFiles(folder));
if (!('set' in compiled)) throw new Error('The shipped mappings do not load.');
await writeFile(`${folder}/mapping.schema.json`, `${JSON.stringify(mappingSchema(compiled.set), undefined, 2)}\n`);
