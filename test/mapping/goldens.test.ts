// What each fixture becomes, compared with the golden file beside it. After a wanted change, CASEBRIDGE_WRITE_GOLDENS=1 writes them anew:
// read the difference before it is committed, because it is what partners will see.

import { writeFile } from 'node:fs/promises';
import { describe, expect, test } from '@jest/globals';
import { checkBase, checkProfile } from '../../src/fhir/fhir.ts';
import { isObject, type Json, type JsonObject } from '../../src/json.ts';
import type { SlotRef } from '../../src/mapping/mapping.ts';
import { parseRecord } from '../../src/records/records.ts';
import { receivedAt } from '../builders.ts';
import { context, fixtures, mappingOf, mappings, shippedMappings } from './fixtures.ts';
import {
  backward,
  conceptMaps,
  conceptMapsFile,
  elements,
  elementsFile,
  forward,
  goldenFile,
  knowLists,
  readGolden,
} from './golden.ts';

knowLists(shippedMappings);

describe.each(fixtures.map((fixture) => ({ ...fixture, title: `${fixture.type}/${fixture.name}` })))(
  '$title',
  (fixture) => {
    const mapping = mappingOf(fixture.type);
    const desired = mapping.project(fixture.record, context);

    test('is a record that is accepted', () => {
      expect(parseRecord(fixture.type, fixture.record, { now: receivedAt })).toMatchObject({ ok: true });
    });

    test('becomes what its golden file says', async () => {
      expect(forward(mapping, fixture)).toEqual(await golden(goldenFile(fixture, 'fhir'), forward(mapping, fixture)));
    });

    test('comes back, to a record that is not there yet, as its golden file says', async () => {
      expect(backward(mapping, fixture)).toEqual(await golden(goldenFile(fixture, 'back'), backward(mapping, fixture)));
    });

    test('makes, once all links are there, resources that R4 and the claimed profile allow', () => {
      for (const { resource, invalid, slot } of mappingOf(fixture.type).project(fixture.record, everyLink)) {
        const failed = profilesOf(resource).flatMap((id) => errors(checkProfile(resource, id)));
        expect({ slot, invalid, base: errors(checkBase(resource)), failed }).toEqual({
          slot,
          invalid: [],
          base: [],
          failed: [],
        });
      }
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

test('who decides about which element is what the golden file says', async () => {
  expect(elements(mappings)).toEqual(await golden(elementsFile, elements(mappings)));
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
