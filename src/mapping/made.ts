// What the template of a slot can make, as far as it can be read from the rules alone: for the checks of profiles when mappings load.

import { childNames, elementFact, type Made, type MadeElement } from '../fhir/fhir.ts';
import type { Json } from '../json.ts';
import { type Build, isPlainText, rule } from './build.ts';
import { type ConceptMap, codingsOf, everyTarget, type Target } from './concept-map.ts';
import { type MapNode, type Node, Problems } from './positions.ts';
import { codingOf } from './systems.ts';
import { isRule } from './template.ts';

/** The whole resource. */
export function madeResource(elements: MapNode, build: Build): Made {
  return { type: build.resourceType, parts: partsOf(elements, '', build), at: rule(elements.at) };
}

function partsOf(node: MapNode, path: string, build: Build): Map<string, MadeElement> {
  const names = childNames(build.resourceType, path);
  const entries = [...node.entries.values()].filter(({ name }) => names.includes(name));
  return new Map(
    entries.map(({ name, value }) => {
      const at = path === '' ? name : `${path}.${name}`;
      const isList = (elementFact(build.resourceType, at)?.max ?? 1) > 1;
      return [name, { isList, ways: waysOf(value, at, build) }];
    }),
  );
}

function waysOf(node: Node, path: string, build: Build): Made[] {
  const type = elementFact(build.resourceType, path)?.types[0] ?? '';
  const at = rule(node.at);
  if (node.kind === 'list') {
    return node.items.flatMap((item) => waysOf(item, path, build));
  }
  if (node.kind === 'scalar') {
    return [{ type, values: node.value === null ? [] : [node.value], at }];
  }
  if (!isRule(node, path, build)) {
    return [{ type, parts: partsOf(node, path, build), at }];
  }
  const first = node.entries.get('first')?.value;
  const item = node.entries.get('each') && node.entries.get('item')?.value;
  if (first ?? item) {
    return [first, item].flatMap((inner) => (inner ? waysOf(inner, path, build) : []));
  }
  const values = fixedValues(node, type, build) ?? codeValues(node, type, build);
  return [{ type, ...(values && { values }), at }];
}

function fixedValues(node: MapNode, type: string, { systems }: Build): Json[] | undefined {
  const fixed = node.entries.get('fixed')?.value;
  if (fixed?.kind !== 'scalar' || fixed.value === null) {
    return undefined;
  }
  // What is wrong with the rule is told where it is compiled.
  const problems = new Problems();
  const text = String(fixed.value);
  if (['uri', 'url', 'canonical'].includes(type)) {
    const url = systems.urls.get(text);
    return url === undefined ? undefined : [url];
  }
  if (type !== 'Coding' && type !== 'CodeableConcept') {
    return [fixed.value];
  }
  const coding = codingOf(text, systems, fixed.at, problems);
  return coding && [codedAs(type, [codingJson(coding)])];
}

/** The codes that a ConceptMap gives; undefined where it lets any code pass. */
function codeValues(node: MapNode, type: string, { conceptMaps }: Build): Json[] | undefined {
  const name = node.entries.get('code')?.value;
  const map = isPlainText(name) ? conceptMaps.get(name.value) : undefined;
  if (!map || map.unmapped?.same === true) {
    return undefined;
  }
  return targetsOf(map).map(([code, target]) => {
    const codings = codingsOf(map, target, code, '');
    return type === 'code' ? (codings[0]?.code ?? '') : codedAs(type, codings.map(codingJson));
  });
}

function targetsOf(map: ConceptMap): [string, Target][] {
  return [...everyTarget(map), ...(map.unmapped ? [['', map.unmapped] satisfies [string, Target]] : [])];
}

function codedAs(type: string, codings: Json[]): Json {
  return type === 'Coding' ? (codings[0] ?? {}) : { coding: codings };
}

function codingJson({ system, code }: { readonly system?: string; readonly code: string }): Json {
  return { ...(system !== undefined && { system }), code };
}
