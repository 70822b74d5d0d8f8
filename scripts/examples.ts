// Checks published examples, which are valid by definition: any error that it prints is a false refusal of ours.
// With --mutate each rule of base R4 and of the claimed profiles is broken in them, one at a time: any that our checks do not name is a miss.
//   npm run examples -- [--mutate] [--seed N] FOLDER|PACKAGE.tgz...

import { checkBase, checkProfile, type ProfileIssue, profileIds } from '../src/fhir/fhir.ts';
import { isObject, type JsonObject } from '../src/json.ts';
import { breakInvariants } from './examples/invariants.ts';
import { type Example, readExamples } from './examples/read.ts';
import { breakStructure } from './examples/structure.ts';
import { toolOptions } from './tool-options.ts';

const { values, positionals } = toolOptions(
  'examples',
  {
    mutate: { type: 'boolean' },
    seed: { type: 'string', default: '1' },
    rounds: { type: 'string', default: '60' },
  },
  'FOLDER|PACKAGE.tgz...',
);
if (positionals.length === 0) {
  console.error('Usage: npm run examples -- [--mutate] [--seed N] [--rounds N] FOLDER|PACKAGE.tgz...');
  process.exit(2);
}

const known = new Set(profileIds());
const counts = { resources: 0, ofOtherTypes: 0, failed: 0, claims: 0, claimsOfOtherTypes: 0, claimsFailed: 0 };
const valid: Example[] = [];

for (const { name, resource } of positionals.flatMap(readExamples)) {
  const base = checkBase(resource);
  const isOther = base.some(({ rule }) => rule === 'not-checked');
  const profiles = claimed(resource);
  counts.resources += 1;
  counts.ofOtherTypes += isOther ? 1 : 0;
  counts.claims += profiles.length;
  if (isOther) {
    counts.claimsOfOtherTypes += profiles.length;
    continue;
  }
  const failed = report(name, base);
  const failedClaims = profiles.filter((profile) => report(name, checkProfile(resource, profile)));
  counts.failed += failed ? 1 : 0;
  counts.claimsFailed += failedClaims.length;
  if (!failed && failedClaims.length === 0) {
    valid.push({ name, resource, profiles });
  }
}
console.log(`examples ${JSON.stringify(counts)}`);
let misses = 0;
if (values.mutate === true) {
  misses += breakStructure(valid);
  misses += breakInvariants(valid, { seed: Number(values.seed), rounds: Number(values.rounds) });
}
process.exitCode = counts.failed + counts.claimsFailed + misses > 0 ? 1 : 0;

/** Ids of the profiles that the example claims, as far as a guide of ours has them. */
function claimed({ meta }: JsonObject): string[] {
  const canonicals = isObject(meta) && Array.isArray(meta.profile) ? meta.profile : [];
  return canonicals
    .filter((canonical) => typeof canonical === 'string')
    .map((canonical) => canonical.replace(/\|.*$/, '').replace(/^.*\//, ''))
    .filter((id) => known.has(id));
}

function report(file: string, issues: readonly ProfileIssue[]): boolean {
  const errors = issues.filter(({ severity }) => severity === 'error');
  for (const { profile, path, message } of errors) {
    console.log(`${file}: ${profile}: ${path}: ${message}`);
  }
  return errors.length > 0;
}
