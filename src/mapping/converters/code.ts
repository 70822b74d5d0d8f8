// `{from: path, code: conceptMap, text}`: a record's code through a ConceptMap, as a code, a Coding or a CodeableConcept.
// Two concepts are the same when they agree in the systems of that map; what else a server adds to them is its own affair.

import { isObject, type Json, type JsonObject } from '../../json.ts';
import { didYouMean } from '../../nearest.ts';
import type { Field } from '../../records/records.ts';
import { type Build, type Cursor, conceptMapNamed, fieldAt, isPlainText, type Place, rule } from '../build.ts';
import {
  type ConceptMap,
  codeFor,
  codingsOf,
  everyTarget,
  isLocal,
  isSystemOf,
  onDayOf,
  targetOf,
  textOf,
} from '../concept-map.ts';
import { addIssue, type Lens, replaceUnlessSame, sameJson } from '../lens.ts';
import { presentWhen } from '../one-way.ts';
import type { MapNode, Position } from '../positions.ts';
import { text as trimmed } from '../primitives.ts';
import { pointerTo, type RecordPath, reader, writer } from '../scope.ts';
import type { Coding } from '../systems.ts';
import { removeField } from './copy.ts';

export const codeKeys = ['from', 'code', 'text', 'unmapped'];

/** `text` is a lens of its own on the concept's text, compiled by the caller. */
export function compileCode(node: MapNode, cursor: Cursor, place: Place, build: Build, text?: Lens): Lens | undefined {
  const from = node.entries.get('from')?.value;
  const mapNode = node.entries.get('code')?.value;
  const found = from && fieldAt(from, cursor, build);
  const map = mapNode && conceptMapNamed(mapNode, build);
  if (!found || !map) {
    return undefined;
  }
  if (!['code', 'item-code', 'line', 'bcp47'].includes(found.field.kind)) {
    return build.problems.error(found.at, `A ConceptMap takes codes; this field is a ${found.field.kind}.`);
  }
  if (!['code', 'Coding', 'CodeableConcept'].includes(place.type)) {
    return build.problems.error(found.at, `${place.fact.path} is a ${place.type}, which takes no code.`);
  }
  checkCodes(map, found.field, place, found.at, build);
  const policy = readPolicy(node, map, build);
  return codeLens({ path: found.path, field: found.field, map, type: place.type, at: found.at, text, ...policy });
}

/** `unmapped: park`, or the code of the map that a code outside it goes as. */
function readPolicy(node: MapNode, map: ConceptMap, build: Build): Pick<CodeRule, 'parks' | 'instead'> {
  const said = node.entries.get('unmapped')?.value;
  if (said === undefined) {
    return { parks: false };
  }
  const word = isPlainText(said) ? said.value : '';
  const isAlwaysThere = (map.editions ?? [{ map }]).every((edition) => edition.map.targets.has(word));
  if (word !== 'park' && !isAlwaysThere) {
    const known = ['park', ...map.targets.keys()];
    build.problems.error(said.at, `"unmapped" is park, or a code of ConceptMap ${map.name}.${didYouMean(word, known)}`);
  }
  return word === 'park' ? { parks: true } : { parks: false, instead: word };
}

interface CodeRule {
  readonly path: RecordPath;
  readonly field: Field;
  readonly map: ConceptMap;
  readonly type: string;
  readonly at: Position;
  readonly text?: Lens;
  /** A code outside the map parks the resource. */
  readonly parks: boolean;
  /** The code of the map that one outside it goes as. */
  readonly instead?: string;
}

function codeLens({ path, field, map, type, at, text, parks, instead }: CodeRule): Lens {
  const read = reader(path);
  const write = writer(path);
  const factOfText = text?.twoWay ? text.fact : undefined;

  const fact = (raw: Json): Json | undefined => {
    const keys = codingsIn(raw, type)
      .filter(({ system }) => isSystemOf(map, system))
      .map((coding) => keyOf(map, coding));
    const words = isObject(raw) && raw.text !== undefined ? raw.text : undefined;
    if (keys.length === 0) {
      const plain = words === undefined ? undefined : trimmed(words);
      return plain === undefined ? undefined : { text: plain };
    }
    const codes = type === 'CodeableConcept' ? [...new Set(keys)].sort() : (keys[0] ?? null);
    const said = words !== undefined && factOfText ? factOfText(words) : undefined;
    return said === undefined ? codes : { codes, text: said };
  };

  const maker =
    (map: ConceptMap) =>
    (code: string, identifierSystem: string): Json | undefined => {
      const target = targetOf(map, code);
      const codings = target && codingsOf(map, target, code, identifierSystem);
      const [first] = codings ?? [];
      if (!codings || !first) {
        return undefined;
      }
      if (type === 'code') {
        return first.code;
      }
      if (type === 'Coding') {
        return codingJson(first);
      }
      const words = text ? undefined : textOf(map, code);
      const concept = { coding: codings.map(codingJson) };
      return words === undefined ? concept : { ...concept, text: words };
    };
  const builderFor = (map: ConceptMap) => ({ map, ...remembered(map, maker(map)) });
  const always = builderFor(map);
  const isOpen = (map.editions ?? [{ map }]).every((edition) => takesAll(edition.map));
  const dated = map.editions?.map(({ from, map }) => ({ from, ...builderFor(map) }));
  const inForce = (record: JsonObject): typeof always =>
    dated === undefined ? always : (onDayOf(record, dated) ?? always);

  const lens: Lens = {
    constant: false,
    quiet: true,
    twoWay: true,
    present: presentWhen(read),
    project: (scope, run) => {
      const code = read(scope);
      if (typeof code !== 'string') {
        return undefined;
      }
      const { map, known, build } = inForce(scope.record);
      const { identifierSystem } = run.context;
      const held = known(code, identifierSystem);
      const concept = held === undefined ? build(instead ?? code, identifierSystem) : held.concept;
      if (held === undefined && (parks || instead !== undefined || !isOpen)) {
        addIssue(
          run,
          'unmapped-code',
          unknownCode(map, dated !== undefined, concept, instead),
          rule(at),
          pointerTo(scope, path),
          {
            unmapped: { conceptMap: map.name, code },
            ...(parks && { parks }),
          },
        );
      }
      if (!text || !isObject(concept)) {
        return concept;
      }
      run.trace?.enter('text');
      const words = text.project(scope, run);
      run.trace?.leave();
      return words === undefined ? concept : { ...concept, text: words };
    },
    fact,
    claims:
      type === 'code'
        ? (raw) => typeof raw === 'string' && map.back.has(`|${raw.trim()}`)
        : type === 'Coding'
          ? (raw) => isCodingOf(map, raw)
          : (raw) => isObject(raw) && Array.isArray(raw.coding) && raw.coding.some((coding) => isCodingOf(map, coding)),
    put: (raw, old) => replaceUnlessSame(lens, raw, old),
    absorb: (raw, draft, run) => {
      if (text?.twoWay) {
        text.absorb(isObject(raw) ? raw.text : undefined, draft, run);
      }
      const { map, build } = inForce(draft.record);
      const now = read(draft);
      const projected = typeof now === 'string' ? build(now, '') : undefined;
      if (sameJson(codeFact(fact, raw), codeFact(fact, projected))) {
        return;
      }
      if (raw === undefined) {
        removeField(
          () => write(draft, undefined),
          field,
          now,
          (message) => addIssue(run, 'required-field', message, rule(at)),
        );
        return;
      }
      const codings = codingsIn(raw, type);
      const code = meantBy(map, codings, now);
      if (code === undefined || (field.enum && !field.enum.includes(code))) {
        addIssue(
          run,
          'unmapped-code',
          `ConceptMap ${map.name} knows no way back for what the other side holds.`,
          rule(at),
          pointerTo(draft, path),
          codings.length === 0
            ? undefined
            : { unmapped: { conceptMap: map.name, code: codings.map((coding) => keyOf(map, coding)).join(', ') } },
        );
      } else {
        write(draft, code);
      }
    },
  };
  return lens;
}

/**
 * The code of the record that these codings name: our own list's, else the one that most of them mean. A server may add codings of its own;
 * what the record says already stands for as long as as many mean it as anything else.
 */
function meantBy(map: ConceptMap, codings: readonly Coding[], now: Json | undefined): string | undefined {
  const local = codings.find((coding) => isLocal(map, coding.system));
  if (local) return codeFor(map, local);
  const meant = codings.flatMap((coding) => codeFor(map, coding) ?? []);
  const weight = (code: string): number => 2 * meant.filter((one) => one === code).length + (code === now ? 1 : 0);
  const [first] = meant;
  return meant
    .slice(1)
    .reduce((best, code) => (best === undefined || weight(code) > weight(best) ? code : best), first);
}

interface Builder {
  /** What a code of the map becomes; undefined for one that the map does not know. Made once for each identifier system: a process has one. */
  readonly known: (code: string, identifierSystem: string) => { readonly concept: Json | undefined } | undefined;
  /** What any code becomes. */
  readonly build: (code: string, identifierSystem: string) => Json | undefined;
}

function remembered(
  { codes }: ConceptMap,
  make: (code: string, identifierSystem: string) => Json | undefined,
): Builder {
  type Made = Map<string, { readonly concept: Json | undefined }>;
  const bySystem = new Map<string, Made>();
  let made: Made = new Map();
  let madeFor: string | undefined;
  const known: Builder['known'] = (code, identifierSystem) => {
    if (madeFor !== identifierSystem) {
      made = bySystem.get(identifierSystem) ?? new Map();
      // A server may show any.
      if (bySystem.size > 4) bySystem.clear();
      bySystem.set(identifierSystem, made);
      madeFor = identifierSystem;
    }
    const held = made.get(code);
    if (held !== undefined || !codes.has(code)) {
      return held;
    }
    const fresh = { concept: make(code, identifierSystem) };
    made.set(code, fresh);
    return fresh;
  };
  return {
    known,
    build: (code, identifierSystem) => {
      const held = known(code, identifierSystem);
      return held === undefined ? make(code, identifierSystem) : held.concept;
    },
  };
}

/** A map of which every code goes as it is, one that is wholly local, and one that wants no others, have nothing to ask for. */
function takesAll({ codes, unmapped, dropsUnmapped }: ConceptMap): boolean {
  return dropsUnmapped || (unmapped !== undefined && (unmapped.same || codes.size === 0));
}

function unknownCode(
  map: ConceptMap,
  isDated: boolean,
  concept: Json | undefined,
  instead: string | undefined,
): string {
  const goes =
    concept === undefined ? '' : ` It goes as ${instead === undefined ? 'a code of our own list' : `"${instead}"`}.`;
  const when = isDated ? ' on the day of the record' : '';
  return `ConceptMap ${map.name} does not know this code${when}.${goes}`;
}

/** The fact without the text, which is absorbed by itself. */
function codeFact(fact: (raw: Json) => Json | undefined, raw: Json | undefined): Json | undefined {
  const whole = raw === undefined ? undefined : fact(raw);
  return isObject(whole) && whole.codes !== undefined ? whole.codes : whole;
}

function keyOf(map: ConceptMap, { system, code }: Coding): string {
  if (isLocal(map, system)) {
    return `local|${code}`;
  }
  return system === undefined ? code : `${system}|${code}`;
}

function codingJson({ system, code, display }: Coding): JsonObject {
  return { ...(system !== undefined && { system }), code, ...(display !== undefined && { display }) };
}

function isCodingOf(map: ConceptMap, raw: Json): boolean {
  if (!isObject(raw) || typeof raw.code !== 'string') return false;
  return isSystemOf(map, typeof raw.system === 'string' ? raw.system : undefined);
}

function codingsIn(raw: Json, type: string): Coding[] {
  if (type === 'code') {
    return typeof raw === 'string' ? [{ code: raw.trim() }] : [];
  }
  const list = type === 'Coding' ? [raw] : isObject(raw) && Array.isArray(raw.coding) ? raw.coding : [];
  return list
    .filter(isObject)
    .flatMap(({ system, code }) =>
      typeof code === 'string' ? [{ code, ...(typeof system === 'string' && { system }) }] : [],
    );
}

/** Every value of a closed list needs a target or an explicit `none`; every target must be a code of the element's binding. */
function checkCodes(map: ConceptMap, field: Field, place: Place, at: Position, { problems }: Build): void {
  for (const { from, map: edition } of map.editions ?? [{ from: undefined, map }]) {
    const missing = map.unmapped ? [] : (field.enum ?? []).filter((code) => !edition.codes.has(code));
    if (missing.length > 0) {
      const when = from === undefined ? '' : from === '' ? ` before ${map.editions?.[1]?.from}` : ` on ${from}`;
      problems.error(
        at,
        `ConceptMap ${map.name} has no entry for ${missing.join(', ')}${when}; give a target, or none.`,
      );
    }
  }
  const bound = place.fact.binding?.codes;
  for (const [code, target] of everyTarget(map)) {
    for (const coding of target.codings) {
      const key = coding.system === undefined ? coding.code : `${coding.system}|${coding.code}`;
      if (place.type === 'code' && coding.system !== undefined) {
        problems.error(
          at,
          `${place.fact.path} is a code without system, but ConceptMap ${map.name} names one for ${code}.`,
        );
      } else if (place.type !== 'code' && coding.system === undefined) {
        problems.error(at, `${place.fact.path} needs a system, but ConceptMap ${map.name} names none for ${code}.`);
      } else if (bound && !bound.includes(key)) {
        problems.error(
          at,
          `ConceptMap ${map.name} makes ${coding.code} of ${code}, which ${place.fact.path} does not allow.`,
        );
      }
    }
    if (target.local && place.type === 'code') {
      problems.error(at, `${place.fact.path} is a code without system; ConceptMap ${map.name} makes ${code} local.`);
    }
  }
}
