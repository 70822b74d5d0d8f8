// Facts that a user made with `casebridge guide`, read back: their shape is checked, because a file may have been edited or cut off since.

import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import type { Json } from '../json.ts';
import { type GuideFacts, shippedGuides } from './facts.ts';
import { Profiles, shippedProfiles } from './profile-tree.ts';

const text = { type: 'string', minLength: 1 } as const;
const texts = { type: 'array', items: text } as const;
const pair = { type: 'array', items: text, minItems: 2, maxItems: 2 } as const;
const closed = (properties: object, required: string[] = []) => ({
  type: 'object',
  additionalProperties: false,
  properties,
  required,
});
const named = (each: object) => ({ type: 'object', additionalProperties: each });

const element = closed({
  min: { type: 'integer', minimum: 0 },
  max: { type: ['integer', 'string'], pattern: '^\\*$', minimum: 0 },
  types: texts,
  targets: texts,
  binding: pair,
  constraints: { type: 'array', items: { type: 'array', items: { type: 'string' }, minItems: 3, maxItems: 3 } },
  fixed: {},
  pattern: {},
  profiles: texts,
  mustSupport: { const: true },
  slicing: closed({ discriminators: { type: 'array', items: pair }, rules: text }, ['discriminators', 'rules']),
});

const schema = closed(
  {
    guide: text,
    version: text,
    profiles: named(
      closed(
        { url: text, version: { type: 'string' }, type: text, base: { type: 'string' }, elements: named(element) },
        ['url', 'version', 'type', 'base', 'elements'],
      ),
    ),
    valueSets: named(closed({ codes: named(texts), systems: texts }, ['codes'])),
  },
  ['guide', 'version', 'profiles', 'valueSets'],
);

let compiled: ValidateFunction<GuideFacts> | undefined;

/** The facts in the text of a file, or what is wrong with it in a sentence. */
export function readGuideFacts(json: string): { facts: GuideFacts } | { problem: string } {
  let value: Json;
  try {
    value = JSON.parse(json);
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof RangeError) return { problem: 'This is no JSON.' };
    throw error;
  }
  // Most gateways have no guide of their own, and the schema takes a while.
  compiled ??= new Ajv2020({ allowUnionTypes: true }).compile<GuideFacts>(schema);
  if (!compiled(value)) {
    const [error] = compiled.errors ?? [];
    const name = error?.params.additionalProperty;
    const what = name === undefined ? error?.message : `must not have "${name}"`;
    return { problem: `These are no facts of a guide: ${error?.instancePath || 'the file'} ${what}. Make them again.` };
  }
  return { facts: value };
}

/**
 * The profiles of the shipped guides and of these. A guide by the name of a shipped one takes its place, as another version of it;
 * a profile id that two guides have is a problem, because a mapping that names it could mean either.
 */
export function profilesWith(
  guides: readonly GuideFacts[],
): { profiles: Profiles } | { problem: string; guide: GuideFacts } {
  if (guides.length === 0) return { profiles: shippedProfiles };
  const names = new Set(guides.map(({ guide }) => guide));
  const owners = new Map<string, GuideFacts>();
  const all = [...shippedGuides.filter(({ guide }) => !names.has(guide)), ...guides];
  for (const guide of all) {
    for (const id of Object.keys(guide.profiles)) {
      const other = owners.get(id);
      if (other) {
        const where = `${other.guide} ${other.version} and in ${guide.guide} ${guide.version}`;
        return { problem: `The profile ${id} is in ${where}; leave one of them out.`, guide };
      }
      owners.set(id, guide);
    }
  }
  return { profiles: new Profiles(all) };
}
