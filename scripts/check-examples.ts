// Checks published examples, which are valid by definition: any error it prints is a false refusal of ours.
//   node scripts/check-examples.ts FOLDER...      folders of JSON resources, such as package/example of a guide

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkBase, checkProfile, type ProfileIssue, profileIds } from '../src/fhir/fhir.ts';
import { isObject, type Json, type JsonObject } from '../src/json.ts';

const known = new Set(profileIds());
const counts = {
  resources: 0,
  resourcesNotKnown: 0,
  resourcesFailed: 0,
  claims: 0,
  claimsNotKnown: 0,
  claimsFailed: 0,
};

for (const folder of process.argv.slice(2)) {
  for (const file of readdirSync(folder).filter((name) => /^[A-Z].*\.json$/.test(name))) {
    const resource: Json = JSON.parse(readFileSync(join(folder, file), 'utf8'));
    if (isObject(resource)) {
      check(file, resource);
    }
  }
}
console.log(JSON.stringify(counts));

function check(file: string, resource: JsonObject): void {
  const base = checkBase(resource);
  counts.resources += 1;
  const isUnknown = base.some(({ rule }) => rule === 'not-checked');
  counts.resourcesNotKnown += isUnknown ? 1 : 0;
  counts.resourcesFailed += report(file, base);
  for (const profile of claimed(resource)) {
    counts.claims += 1;
    if (isUnknown) {
      counts.claimsNotKnown += 1;
    } else {
      counts.claimsFailed += report(file, checkProfile(resource, profile));
    }
  }
}

/** Ids of the profiles that the example claims, as far as a guide of ours has them. */
function claimed({ meta }: JsonObject): string[] {
  const canonicals = isObject(meta) && Array.isArray(meta.profile) ? meta.profile : [];
  return canonicals
    .filter((canonical) => typeof canonical === 'string')
    .map((canonical) => canonical.replace(/\|.*$/, '').replace(/^.*\//, ''))
    .filter((id) => known.has(id));
}

function report(file: string, issues: readonly ProfileIssue[]): number {
  const errors = issues.filter(({ severity }) => severity === 'error');
  for (const { profile, path, message } of errors) {
    console.log(`${file}: ${profile}: ${path}: ${message}`);
  }
  return errors.length > 0 ? 1 : 0;
}
