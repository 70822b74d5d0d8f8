// How many resources a second are checked against base R4 and the profile that they claim.

import { checkBase, claimProfile } from '../../src/fhir/fhir.ts';
import { isObject, type JsonObject } from '../../src/json.ts';
import type { MappingSet } from '../../src/mapping/mapping.ts';
import type { Source } from './cases.ts';
import type { Task } from './cpu.ts';

/** One piece is one resource. Throws when one of them is invalid, since that would be another measure. */
export function validatorTask(mappings: MappingSet, source: Source, texts: readonly string[]): Task {
  const resources = texts
    .flatMap((text) => source.opened(text))
    .flatMap(({ type, record }) => mappings.mapping(type)?.assemble(record, source.context) ?? [])
    .map(({ resource }) => ({ resource, ladder: ladderOf(resource) }));
  for (const { resource, ladder } of resources) {
    const { claimed } = claimProfile(resource, ladder);
    const invalid = checkBase(resource).filter(({ severity }) => severity === 'error');
    if (invalid.length > 0 || (ladder.length > 0 && claimed === undefined)) {
      throw new Error(`bench: a ${String(resource.resourceType)} of the caseload is not valid`);
    }
  }
  return {
    name: 'resources checked',
    run: (n) => {
      const one = resources[n % resources.length];
      return one && [checkBase(one.resource), claimProfile(one.resource, one.ladder)];
    },
  };
}

function ladderOf({ meta }: JsonObject): string[] {
  const claimed = isObject(meta) && Array.isArray(meta.profile) ? meta.profile : [];
  return claimed.map((url) => String(url).replace(/^.*\//, ''));
}
