// `{fixed: alias#code}` and plain values: the same in every resource. What a list item must have to be recognised as ours.

import { isObject, type Json, type JsonObject } from '../../json.ts';
import { didYouMean } from '../../nearest.ts';
import { type Build, isPlainText, type Place, rule } from '../build.ts';
import { type Lens, replaceUnlessSame, sameJson } from '../lens.ts';
import type { MapNode, Node } from '../positions.ts';
import { primitiveFact } from '../primitives.ts';
import { codingOf, localSystem, urlOf } from '../systems.ts';

/** A plain value in a rule: `intent: order`, `use: work`. */
export function compilePlain(node: Node, place: Place, build: Build): Lens | undefined {
  if (node.kind !== 'scalar' || node.value === null) {
    return build.problems.error(node.at, 'A value is expected here.');
  }
  const expected = {
    boolean: 'boolean',
    decimal: 'number',
    integer: 'number',
    positiveInt: 'number',
    unsignedInt: 'number',
  }[place.type];
  if (expected === undefined && !/^[a-z]/.test(place.type)) {
    return build.problems.error(node.at, `A ${place.type} cannot be a plain value; write {fixed: alias#code}.`);
  }
  if (typeof node.value !== (expected ?? 'string')) {
    return build.problems.error(
      node.at,
      `${place.fact.path} is a ${place.type}; ${describe(node.value)} does not fit.`,
    );
  }
  const codes = place.fact.binding?.codes;
  if (codes && typeof node.value === 'string' && !codes.includes(node.value)) {
    return build.problems.error(node.at, `"${node.value}" is not a code of ${place.fact.path} (${codes.join(', ')}).`);
  }
  return constantLens(node.value, (raw) => sameJson(raw, node.value));
}

/** `{fixed: alias#code, text}` for codings and concepts, `{fixed: alias}` for URLs. */
export function compileFixed(node: Node, place: Place, build: Build): Lens | undefined {
  const fixed = node.kind === 'map' ? node.entries.get('fixed')?.value : undefined;
  if (node.kind !== 'map' || !fixed) {
    return undefined;
  }
  if (!isPlainText(fixed) || ['boolean', 'code', 'string', 'integer', 'decimal'].includes(place.type)) {
    return compilePlain(fixed, place, build);
  }
  if (['uri', 'url', 'canonical'].includes(place.type)) {
    const url = urlOf(fixed.value, build.systems, fixed.at, build.problems);
    return url === undefined ? undefined : constantLens(url, (raw) => raw === url);
  }
  const coding = codingOf(fixed.value, build.systems, fixed.at, build.problems);
  const text = node.entries.get('text')?.value;
  if (text && (!isPlainText(text) || place.type !== 'CodeableConcept')) {
    return build.problems.error(
      text.at,
      `"text" is a fixed text here, beside the code of a CodeableConcept; ${place.fact.path} is a ${place.type}.`,
    );
  }
  if (!coding) {
    return undefined;
  }
  const bound = place.fact.binding?.codes;
  if (bound && !bound.includes(`${coding.system ?? ''}|${coding.code}`)) {
    const near = didYouMean(
      coding.code,
      bound.map((key) => key.replace(/^.*\|/, '')),
    );
    return build.problems.error(fixed.at, `"${fixed.value}" is no code that ${place.fact.path} allows.${near}`);
  }
  const plain: JsonObject = { ...(coding.system !== undefined && { system: coding.system }), code: coding.code };
  const isIt = (raw: Json): boolean => isObject(raw) && raw.system === coding.system && raw.code === coding.code;
  if (place.type === 'Coding') {
    return constantLens(plain, isIt);
  }
  if (place.type === 'CodeableConcept') {
    const concept: JsonObject = { coding: [plain], ...(isPlainText(text) && { text: text.value }) };
    return constantLens(concept, (raw) => isObject(raw) && Array.isArray(raw.coding) && raw.coding.some(isIt));
  }
  return build.problems.error(
    node.at,
    `${place.fact.path} is a ${place.type}, which has no fixed code (${rule(node.at)}).`,
  );
}

/** `{local: conceptMap#code}`: a coding of one of our local lists, which hang below the configured identifier system. */
export function compileLocal(node: MapNode, place: Place, build: Build): Lens | undefined {
  const local = node.entries.get('local')?.value;
  const [name = '', code = ''] = isPlainText(local) ? local.value.split('#') : [];
  if (place.type !== 'Coding' || code === '') {
    return build.problems.error(node.at, '"local" is written conceptMap#code, for an element of type Coding.');
  }
  const map = build.conceptMaps.get(name);
  if (!map) {
    const names = build.conceptMaps.keys();
    return build.problems.error(local?.at ?? node.at, `There is no ConceptMap "${name}".${didYouMean(name, names)}`);
  }
  const codes = (map.editions ?? [{ map }]).flatMap((edition) => [...edition.map.codes]);
  if (!codes.includes(code) && map.unmapped?.local !== true) {
    return build.problems.error(
      local?.at ?? node.at,
      `ConceptMap ${name} has no code "${code}".${didYouMean(code, codes)}`,
    );
  }
  const isIt = (raw: Json): boolean =>
    isObject(raw) && raw.code === code && typeof raw.system === 'string' && raw.system.endsWith(`/CodeSystem/${name}`);
  const lens = constantLens(code, isIt);
  return {
    ...lens,
    project: (_, run) => ({ system: localSystem(run.context.identifierSystem, name), code }),
  };
}

/** A lens that always says `value`. Anything else that stands there is a fact of its own, so a change of it is seen. */
function constantLens(value: Json, isIt: (raw: Json) => boolean): Lens {
  const own = primitiveFact(value) ?? value;
  const lens: Lens = {
    constant: true,
    twoWay: true,
    present: () => true,
    project: () => value,
    fact: (raw) => (isIt(raw) ? own : primitiveFact(raw)),
    claims: isIt,
    put: (raw, old) => replaceUnlessSame(lens, raw, old),
    absorb: () => undefined,
  };
  return lens;
}

function describe(value: Json): string {
  return typeof value === 'string' ? 'a text' : `a ${typeof value}`;
}
