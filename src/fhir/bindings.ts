// Required bindings: whether a coded value holds a code of the value set, as far as its codes are known here.

import type { Json, JsonObject } from '../json.ts';
import { isObject } from '../json.ts';
import { valueSetCodes } from './elements.ts';
import type { ElementRule, ValueSetFacts } from './facts.ts';

export interface BindingCheck {
  readonly valueSet: string;
  /** False when the value certainly holds no code of the value set. */
  readonly allows: (value: Json) => boolean;
}

/** The check for a required binding; undefined where nothing can be said: weaker binding, unknown value set, uncoded type. */
export function compileBinding(
  binding: ElementRule['binding'],
  type: string,
  find: (valueSet: string) => ValueSetFacts | undefined,
): BindingCheck | undefined {
  const [strength, valueSet] = binding ?? [];
  const facts = strength === 'required' && valueSet !== undefined ? find(valueSet) : undefined;
  if (!facts || valueSet === undefined) {
    return undefined;
  }
  const known = compiled.get(facts) ?? new Map<string, BindingCheck | undefined>();
  compiled.set(facts, known);
  if (!known.has(type)) {
    known.set(type, compileSet(valueSet, facts, type));
  }
  return known.get(type);
}

/** By value set and type: many elements of many profiles are bound to the same one. */
const compiled = new WeakMap<ValueSetFacts, Map<string, BindingCheck | undefined>>();

function compileSet(valueSet: string, facts: ValueSetFacts, type: string): BindingCheck | undefined {
  switch (type) {
    case 'code':
    case 'string':
    case 'uri':
      return facts.systems ? undefined : bareCodes(valueSet, facts);
    case 'Coding':
    case 'Quantity':
      return { valueSet, allows: codingCheck(facts) };
    case 'CodeableConcept': {
      const allows = codingCheck(facts);
      return {
        valueSet,
        allows: (concept) => isObject(concept) && Array.isArray(concept.coding) && concept.coding.some(allows),
      };
    }
    default:
      return undefined;
  }
}

function bareCodes(valueSet: string, facts: ValueSetFacts): BindingCheck {
  const codes = new Set<Json>(valueSetCodes(facts, true));
  return { valueSet, allows: (value) => codes.has(value) };
}

/** A coding of a system whose codes are not known here is let pass: only a terminology server could tell. */
function codingCheck(facts: ValueSetFacts): (coding: Json) => boolean {
  const codes = new Map(Object.entries(facts.codes).map(([system, list]) => [system, new Set<Json>(list)]));
  const openSystems = new Set<Json>(facts.systems);
  const isIn = ({ system = '', code }: JsonObject): boolean =>
    code !== undefined &&
    (openSystems.has(system) || (typeof system === 'string' && codes.get(system)?.has(code) === true));
  return (coding) => isObject(coding) && isIn(coding);
}
