// What each fixture becomes, compared with the golden file beside it. After a wanted change, CASEBRIDGE_WRITE_GOLDENS=1 writes them anew:
// read the difference before it is committed, because it is what partners will see.

import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { checkBase, checkProfile } from '../../src/fhir/fhir.ts';
import { isObject, type Json, type JsonObject } from '../../src/json.ts';
import type { Desired, SlotRef } from '../../src/mapping/mapping.ts';
import { parseRecord } from '../../src/records/records.ts';
import { receivedAt } from '../builders.ts';
import { context, type Fixture, fixtureFolder, fixtures, mappingOf, shippedMappings } from './fixtures.ts';

describe.each(fixtures.map((fixture) => ({ ...fixture, title: `${fixture.type}/${fixture.name}` })))(
  '$title',
  (fixture) => {
    const desired = mappingOf(fixture.type).project(fixture.record, context);

    test('is a record that is accepted', () => {
      expect(parseRecord(fixture.type, fixture.record, { now: receivedAt })).toMatchObject({ ok: true });
    });

    test('becomes what its golden file says', async () => {
      const found = desired.map(goldenOf);
      const file = goldenFile(fixture);
      if (process.env.CASEBRIDGE_WRITE_GOLDENS === '1') {
        await writeFile(file, `${JSON.stringify(found, undefined, 2)}\n`);
      }
      expect(found).toEqual(JSON.parse(await readFile(file, 'utf8')));
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

const everyLink = {
  ...context,
  reference: ({ type, id, slot }: SlotRef) => `${mappingOf(type).slot(slot).resourceType}/${type}.${id}`,
};

/** Without the lines of rules, which move with every comment, and without facts, which follow from the resource. */
function goldenOf({ slot, resource, issues, references }: Desired): JsonObject {
  const unlinked = references
    .filter(({ reference }) => reference === undefined)
    .map(({ element, target, required }) => ({
      element,
      target: `${target.type}/${target.id}#${target.slot}`,
      required,
    }));
  return {
    slot,
    resource,
    issues: issues.map(({ at, ...issue }) => ({ ...issue, at: at.replace(/:\d+$/, '') })),
    ...(unlinked.length > 0 && { unlinked }),
  };
}

function goldenFile({ type, name }: Fixture): string {
  return join(fixtureFolder, type, `${name}.fhir.json`);
}

function profilesOf({ meta }: JsonObject): string[] {
  const profiles: Json = isObject(meta) ? (meta.profile ?? []) : [];
  return Array.isArray(profiles) ? profiles.map((url) => String(url).replace(/^.*\//, '')) : [];
}

function errors<Issue extends { severity: string }>(issues: readonly Issue[]): Issue[] {
  return issues.filter(({ severity }) => severity === 'error');
}
