// Resources of a folder, or those that a guide package holds as examples.

import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { readTgz } from '../../src/fhir/make-facts/tar.ts';
import { isObject, type Json, type JsonObject } from '../../src/json.ts';

export interface Example {
  readonly name: string;
  readonly resource: JsonObject;
  /** Ids of the profiles that it claims and that a guide of ours has. */
  readonly profiles: readonly string[];
}

export function readExamples(path: string): Pick<Example, 'name' | 'resource'>[] {
  const files = statSync(path).isDirectory() ? filesBelow(path) : examplesIn(path);
  return files.flatMap(([name, text]) => {
    const resource: Json = JSON.parse(text);
    return isObject(resource) && typeof resource.resourceType === 'string' ? [{ name, resource }] : [];
  });
}

function filesBelow(folder: string): [string, string][] {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
    /(^|\/)[^./][^/]*\.json$/.test(name),
  );
  return names.sort().map((name) => [name, readFileSync(join(folder, name), 'utf8')]);
}

function examplesIn(file: string): [string, string][] {
  const files = [...readTgz(readFileSync(file))].filter(([name]) => /^package\/example\/[^./][^/]*\.json$/.test(name));
  return files.map(([name, body]) => [name, body.toString('utf8')]);
}
