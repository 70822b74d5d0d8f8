// What each fixture becomes, compared with the golden file beside it. After a wanted change, CASEBRIDGE_WRITE_GOLDENS=1 writes them anew:
// read the difference before it is committed, because it is what partners will see.

import { writeFile } from 'node:fs/promises';
import { describe, expect, test } from '@jest/globals';
import { checkBase, checkProfile } from '../../src/fhir/fhir.ts';
import { isObject, type Json, type JsonObject } from '../../src/json.ts';
import type { SlotRef } from '../../src/mapping/mapping.ts';
import { parseRecord } from '../../src/records/records.ts';
import { receivedAt } from '../builders.ts';
import { context, edits, type Fixture, fixtures, mappingOf, mappings, shippedMappings, variants } from './fixtures.ts';
import {
  backward,
  conceptMaps,
  conceptMapsFile,
  edited,
  editsFile,
  elements,
  elementsFile,
  forward,
  goldenFile,
  knowLists,
  readGolden,
  references,
  referencesFile,
  variantsFile,
  varied,
} from './golden.ts';

knowLists(shippedMappings);

describe.each(fixtures.map((fixture) => ({ ...fixture, title: `${fixture.type}/${fixture.name}` })))(
  '$title',
  (fixture) => {
    const mapping = mappingOf(fixture.type);
    const desired = mapping.project(fixture.record, context);

    test('is a record that is accepted', () => {
      accepted(fixture);
    });

    test('becomes what its golden file says', async () => {
      expect(forward(mapping, fixture)).toEqual(await golden(goldenFile(fixture, 'fhir'), forward(mapping, fixture)));
    });

    test('comes back, to a record that is not there yet, as its golden file says', async () => {
      expect(backward(mapping, fixture)).toEqual(await golden(goldenFile(fixture, 'back'), backward(mapping, fixture)));
    });

    test('makes, once all links are there, resources that R4 and the claimed profile allow', () => {
      allowed(fixture);
    });

    test('claims, while links are missing, what it will be with them', () => {
      const complete = mappingOf(fixture.type).project(fixture.record, everyLink);
      expect(desired.map(({ resource }) => profilesOf(resource))).toEqual(
        complete.map(({ resource }) => profilesOf(resource)),
      );
    });

    test('names for each issue the rule that found it', () => {
      for (const { at } of desired.flatMap(({ issues }) => issues)) {
        const [path, line] = at.split(':');
        const file = shippedMappings.find((candidate) => candidate.path === path);
        expect(file?.text.split('\n')[Number(line) - 1]?.trim()).toBeTruthy();
      }
    });
  },
);

describe.each(
  [...new Set(variants.map(({ type }) => type))].map((type) => ({
    type,
    those: variants.filter((one) => one.type === type),
  })),
)('the variants of $type', ({ type, those }) => {
  test('become what their golden file says', async () => {
    const found = varied(mappingOf(type), those);
    expect(found).toEqual(await golden(variantsFile(type), found));
  });

  test('are accepted, and make what R4 and the claimed profile allow', () => {
    those.forEach(accepted);
    those.forEach(allowed);
  });
});

describe.each(
  [...new Set(edits.map(({ type }) => type))].map((type) => ({
    type,
    those: edits.filter((one) => one.type === type),
  })),
)('edits on the other side of $type', ({ type, those }) => {
  test('come to what their golden file says', async () => {
    const found = edited(mappingOf(type), those);
    expect(found).toEqual(await golden(editsFile(type), found));
  });

  test('make a record that is still accepted, but for fields that its other fields ask for', () => {
    const results = edited(mappingOf(type), those);
    for (const { name, of } of those) {
      const result = results[name];
      const patch = isObject(result) && isObject(result.patch) ? result.patch : {};
      const parsed = parseRecord(type, patched(of.record, patch), { now: receivedAt });
      const refused = parsed.ok ? [] : parsed.errors.filter(({ rule }) => rule !== 'required');
      expect({ name, refused }).toEqual({ name, refused: [] });
    }
  });
});

/** RFC 7396 */
function patched(target: JsonObject, patch: JsonObject): JsonObject {
  const result = { ...target };
  for (const [name, value] of Object.entries(patch)) {
    const old = result[name];
    if (value === null) delete result[name];
    else result[name] = isObject(value) ? patched(isObject(old) ? old : {}, value) : value;
  }
  return result;
}

function accepted({ type, name, record }: Fixture): void {
  expect({ name, ...parseRecord(type, record, { now: receivedAt }) }).toMatchObject({ name, ok: true });
}

function allowed({ type, name, record }: Fixture): void {
  for (const { resource, invalid, slot } of mappingOf(type).project(record, everyLink)) {
    const failed = profilesOf(resource).flatMap((id) => errors(checkProfile(resource, id)));
    expect({ name, slot, invalid, base: errors(checkBase(resource)), failed }).toEqual({
      name,
      slot,
      invalid: [],
      base: [],
      failed: [],
    });
  }
}

test('who decides about which element is what the golden file says', async () => {
  expect(elements(mappings)).toEqual(await golden(elementsFile, elements(mappings)));
});

test('what resources refer to, and which of it they wait for, is what the golden file says', async () => {
  const found = Object.assign(
    {},
    ...mappings.mappings.map((mapping) =>
      references(
        mapping,
        [...fixtures, ...variants].filter(({ type }) => type === mapping.recordType),
      ),
    ),
  );
  expect(found).toEqual(await golden(referencesFile, found));
});

test('what each ConceptMap says, out and back, is what the golden file says', async () => {
  expect(conceptMaps(shippedMappings)).toEqual(await golden(conceptMapsFile, conceptMaps(shippedMappings)));
});

/** What the file holds; after a wanted change it is written first. */
async function golden(file: string, found: Json): Promise<Json> {
  if (process.env.CASEBRIDGE_WRITE_GOLDENS === '1') await writeFile(file, `${JSON.stringify(found, undefined, 2)}\n`);
  return readGolden(file);
}

const everyLink = {
  ...context,
  reference: ({ type, id, slot }: SlotRef) => `${mappingOf(type).slot(slot).resourceType}/${type}.${id}`,
};

function profilesOf({ meta }: JsonObject): string[] {
  const profiles: Json = isObject(meta) ? (meta.profile ?? []) : [];
  return Array.isArray(profiles) ? profiles.map((url) => String(url).replace(/^.*\//, '')) : [];
}

function errors<Issue extends { severity: string }>(issues: readonly Issue[]): Issue[] {
  return issues.filter(({ severity }) => severity === 'error');
}
