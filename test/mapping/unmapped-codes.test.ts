// What a rule does with a code that its ConceptMap does not know: leave it out, say another one, or park the resource.

import { describe, expect, test } from '@jest/globals';
import type { JsonObject } from '../../src/json.ts';
import { compileMappings, type MappingSet } from '../../src/mapping/mapping.ts';
import { aGoal, aReferral } from '../builders.ts';
import { context, mappingOf, shippedMappings } from './fixtures.ts';

/** The shipped mappings, with another policy for the service that a referral asks for, and no default in its map. */
function withPolicy(policy: string): ReturnType<typeof compileMappings> {
  return compileMappings(
    shippedMappings.map(({ path, text }) => ({
      path,
      text: text
        .replace('            code: sdoh-intervention\n', `            code: sdoh-intervention\n${policy}`)
        .replace(/(conceptMap: sdoh-intervention[\s\S]*)unmapped: \[.*\]/, '$1'),
    })),
  );
}

const rule = (policy: string) => `            unmapped: ${policy}\n`;

function made(policy: string): { request: JsonObject | undefined; issues: object[] } {
  const compiled = withPolicy(policy);
  if (!('set' in compiled)) throw new Error(JSON.stringify(compiled.problems));
  const set: MappingSet = compiled.set;
  const referral = aReferral({ requestedService: 'crisis-bed', requestedText: 'A bed for tonight' });
  const [desired] = set.mapping('referral')?.project(referral, context) ?? [];
  return {
    request: desired?.resource,
    issues: desired?.issues.filter(({ code }) => code === 'unmapped-code') ?? [],
  };
}

describe('a code that the map does not know', () => {
  test('is left out and told, unless the rule or the map says otherwise', () => {
    const { request, issues } = made('');
    expect(JSON.stringify(request)).not.toContain('crisis-bed');
    expect(issues[0]).toMatchObject({
      pointer: '/requestedService',
      message: 'ConceptMap sdoh-intervention does not know this code.',
      unmapped: { conceptMap: 'sdoh-intervention', code: 'crisis-bed' },
    });
  });

  test('goes as the code that the rule names, and is told all the same', () => {
    const { request, issues } = made(rule('food-pantry'));
    expect(JSON.stringify(request?.code)).toContain('467771000124109');
    expect(issues[0]).toMatchObject({
      message: 'ConceptMap sdoh-intervention does not know this code. It goes as "food-pantry".',
    });
  });

  test('parks the resource where the rule says so', () => {
    expect(made(rule('park')).issues[0]).toMatchObject({ parks: true });
  });
});

test('a policy that is neither park nor a code of the map is refused at load, with the nearest one', () => {
  const compiled = withPolicy(rule('food-pantri'));
  expect('problems' in compiled && compiled.problems).toMatchObject([
    {
      path: 'referral.yaml',
      line: expect.any(Number),
      column: expect.any(Number),
      message: '"unmapped" is park, or a code of ConceptMap sdoh-intervention. Did you mean "food-pantry"?',
    },
  ]);
});

test('a code of a standard list goes back by the map, although a list of ours has the same name', () => {
  const slot = mappingOf('goal').slot('goal');
  const record = aGoal({ achievement: 'improving' });
  const system = 'http://terminology.hl7.org/CodeSystem/goal-achievement';
  const observed = { resourceType: 'Goal', achievementStatus: { coding: [{ system, code: 'no-progress' }] } };
  expect(slot.absorb(['achievementStatus'], observed, record, { resolve: () => undefined })).toMatchObject({
    patch: { achievement: 'no-change' },
    issues: [],
  });
});
