// One slot at work: what its resource says (facts), taking elements over (copy), retiring it, and the way back to the record (absorb).

import { elementFact, type Profiles, profileUrl, requiredPaths } from '../fhir/fhir.ts';
import { cloneJson, isObject, type Json, type JsonObject, textAt } from '../json.ts';
import type { RecordType } from '../records/records.ts';
import { newlyBroken } from './acceptable.ts';
import type { Condition } from './condition.ts';
import { setElement } from './elements.ts';
import { ownIdentifier } from './identity.ts';
import { type AbsorbRun, addIssue, blindRun, holdsNoNews, type Lens, sameJson } from './lens.ts';
import { mergePatch } from './merge-patch.ts';
import type { Position } from './positions.ts';
import { type Draft, type RecordPath, reader, writer } from './scope.ts';
import { bySpeakers, type Speaker } from './speaking.ts';
import type { CompiledSlot, Facts, Leaving, MappingIssue, Owner, SlotElement } from './types.ts';
import { isEnteredInError, isPlainlyTold, isQualified, isUntold, qualifierOf } from './untold.ts';

/** True where the resource has a place for our identifier. */
export function hasIdentifier({ identity }: SlotDefinition): boolean {
  return identity.length > 1;
}

/** An owner before the record's direction has resolved it. */
export type OwnerRule = Owner | 'requester' | 'performer';

export interface Element extends SlotElement, Speaker {
  /** Names from the resource down; the last one may be a list. */
  readonly path: readonly string[];
  readonly lens: Lens;
  /** All fields that it reads, as dotted paths. */
  readonly reads: readonly string[];
}

export interface SlotList {
  readonly path: RecordPath;
  readonly by: string;
}

export interface ProfileStep {
  readonly profile: string;
  readonly at: Position;
  readonly when?: Condition;
}

export interface SlotDefinition {
  readonly recordType: RecordType;
  /** Its first one, whatever it is called by now. */
  readonly name: string;
  readonly resourceType: string;
  readonly owner: OwnerRule;
  /** `file:line` */
  readonly at: string;
  readonly when: Condition;
  /** The record's list that the slot repeats over, and the field by which its items are told apart. */
  readonly each?: SlotList;
  readonly profiles: readonly ProfileStep[];
  /** Where the profiles are defined. */
  readonly guides: Profiles;
  /** What the mapping says. */
  readonly rules: readonly Element[];
  readonly form: string;
  /** What the engine adds to every resource. */
  readonly identity: readonly Element[];
  /** Element path -> value, null to remove it; absent: the type cannot say that it is retired. */
  readonly retired?: Said;
  /** The same for what was no error; absent: as retired. */
  readonly ended?: Said;
}

type Said = readonly { readonly path: readonly string[]; readonly value: Json }[];

export interface Slot extends CompiledSlot {
  readonly definition: SlotDefinition;
  /** Those of the rules, in order, that can make something of a record with these fields. */
  stepsFor(record: JsonObject): readonly Step[];
  /** Our identifier is one of a list of them; absent: the resource has no place for it. */
  readonly identifierIsList?: boolean;
  /** The canonical URLs of the definition's profiles, one for each. */
  readonly profileUrls: readonly (string | undefined)[];
  /** The slot for one item of the list that it repeats over. */
  forItem(id: string): CompiledSlot;
}

/** A rule as it makes its element, all of one shape. */
export interface Step extends Speaker {
  readonly element: Element;
  readonly key: string;
  readonly project: Lens['project'];
  /** The name of an element of the resource that nothing else fills; undefined where something may be there already, or for one further down. */
  readonly ownName: string | undefined;
}

export function compileSlotDefinition(definition: SlotDefinition): Slot {
  const { name, resourceType } = definition;
  const elements = [...definition.rules, ...definition.identity];
  const byKey = new Map(elements.map((element) => [element.key, element]));
  const absorbing = absorbingOf(definition, byKey);
  const slot: Slot = {
    definition,
    stepsFor: stepsOf(definition.rules),
    ...(hasIdentifier(definition) && { identifierIsList: (elementFact(resourceType, 'identifier')?.max ?? 0) > 1 }),
    profileUrls: definition.profiles.map(({ profile }) => profileUrl(profile, definition.guides)),
    name,
    resourceType,
    form: definition.form,
    owner: (record) => resolveOwner(definition.owner, record),
    elements,
    facts: (resource) => factsOf(elements, resource),
    copy: (keys, from, to, sent) => copyElements(keys, byKey, from, to, sent),
    withOurs: (...call) => withOurs(byKey, ...call),
    remade: (...call) => remade(absorbing, undefined, ...call),
    retire: (resource, leaving = 'error') => retire(definition, resource, leaving),
    recall: (resource, leaving = 'error', wanted) => recall(definition, elements, resource, leaving, wanted),
    raw: (key, resource) => valueAt(resource, byKey.get(key)?.path ?? []),
    says: (...call) => says(absorbing, undefined, ...call),
    absorb: (...call) => absorb(absorbing, undefined, ...call),
    forItem: (id) => ({
      ...slot,
      remade: (...call) => remade(absorbing, id, ...call),
      says: (...call) => says(absorbing, id, ...call),
      absorb: (...call) => absorb(absorbing, id, ...call),
    }),
  };
  return slot;
}

/** Elements of a resource that are there before any rule. */
const engineFills = ['resourceType', 'meta', 'identifier'];

/** The rules as they make their elements. */
function stepsOf(rules: readonly Element[]): (record: JsonObject) => readonly Step[] {
  const first = ({ path }: Element): string => path[0] ?? '';
  const count = (name: string): number => rules.filter((rule) => first(rule) === name).length;
  const steps = rules.map((element): Step => {
    const { key, lens, path, fields } = element;
    const isOwn = path.length === 1 && !engineFills.includes(first(element)) && count(first(element)) === 1;
    return { element, key, fields, project: lens.project, ownName: isOwn ? path[0] : undefined };
  });
  return bySpeakers(steps, (speaking) => speaking);
}

export function resolveOwner(rule: OwnerRule, record: JsonObject): Owner {
  if (rule !== 'requester' && rule !== 'performer') {
    return rule;
  }
  const weRequest = record.direction !== 'incoming';
  return (rule === 'requester') === weRequest ? 'source' : 'remote';
}

export function valueAt(resource: JsonObject, path: readonly string[]): Json | undefined {
  const [only] = path;
  if (path.length === 1 && only !== undefined) return resource[only];
  let value: Json | undefined = resource;
  for (const name of path) {
    value = isObject(value) ? value[name] : undefined;
  }
  return value;
}

/** Sets a path in place, making and removing the objects on the way as needed. */
function setAt(target: JsonObject, path: readonly string[], value: Json | undefined, from = 0): void {
  const name = path[from];
  if (name === undefined) {
    return;
  }
  if (from < path.length - 1) {
    const below = target[name];
    const next: JsonObject = isObject(below) ? below : {};
    setAt(next, path, value, from + 1);
    target[name] = next;
    if (Object.keys(next).length === 0) {
      delete target[name];
    }
  } else {
    setElement(target, name, value);
  }
}

function factsOf(elements: readonly Element[], resource: JsonObject): Facts {
  const facts: JsonObject = {};
  for (const { key, path, lens } of elements) {
    const raw = valueAt(resource, path);
    const fact = raw === undefined ? undefined : lens.fact(raw);
    if (fact !== undefined) {
      facts[key] = fact;
    }
  }
  return facts;
}

function copyElements(
  keys: readonly string[],
  byKey: ReadonlyMap<string, Element>,
  from: JsonObject,
  to: JsonObject,
  sent: Facts | undefined,
): JsonObject {
  const result = cloneJson(to);
  for (const key of keys) {
    const element = byKey.get(key);
    if (element) {
      const { lens, path } = element;
      const put = lens.put(valueAt(from, path), valueAt(result, path), sent && (sent[key] ?? {}));
      setAt(result, path, cloneJson(put));
    }
  }
  return result;
}

function withOurs(
  byKey: ReadonlyMap<string, Element>,
  ...[keys, observed, ours, seen]: Parameters<CompiledSlot['withOurs']>
): JsonObject {
  const result = cloneJson(observed);
  for (const key of keys) {
    const element = byKey.get(key);
    if (!element) continue;
    const { lens, path } = element;
    const held = valueAt(result, path);
    // The other way round than `copy`: what they still say as it was seen is left as we have it.
    const theirs = lens.put(held, valueAt(ours, path), seen[key] ?? {});
    const fact = held === undefined ? undefined : lens.fact(held);
    setAt(result, path, cloneJson(lens.put(theirs, held, fact ?? {})));
  }
  return result;
}

/** Elements without a way back, and those of which the record alone does not tell, stay. */
function remade(
  { definition, byKey }: Absorbing,
  itemId: string | undefined,
  ...[keys, resource, record, { linked, isTold }]: Parameters<CompiledSlot['remade']>
): JsonObject {
  const draft = draftFor(record, definition.each, itemId);
  if (!draft) return resource;
  const result = cloneJson(resource);
  const blind = blindRun(linked, identifierSystemIn(resource, definition), isTold);
  for (const key of keys) {
    const element = byKey.get(key);
    if (!element?.lens.twoWay) continue;
    const { lens, path } = element;
    blind.unknown = false;
    const made = lens.project(draft, blind);
    if (!blind.unknown) setAt(result, path, cloneJson(lens.put(made, valueAt(result, path))));
  }
  return result;
}

function retire({ retired, ended }: SlotDefinition, resource: JsonObject, leaving: Leaving): JsonObject | undefined {
  const said = leaving === 'ended' ? (ended ?? retired) : retired;
  if (!said) {
    return undefined;
  }
  const result = cloneJson(resource);
  for (const { path, value } of said) {
    setAt(result, path, value === null ? undefined : cloneJson(value));
  }
  return result;
}

/** Who it is about and who agreed stay readable: a patient without a name, or a consent without its terms, is a danger of its own. */
const keptWhole = ['Patient', 'Consent'];

/** All but whom else a consent names: that may be why it is taken back. */
const recipientsPath = ['provision', 'actor'];

function recall(
  definition: SlotDefinition,
  elements: readonly Element[],
  resource: JsonObject,
  leaving: Leaving,
  wanted: JsonObject | undefined,
): JsonObject | undefined {
  const { resourceType, retired = [] } = definition;
  const result = retire(definition, resource, leaving);
  if (result !== undefined && resourceType === 'Consent' && wanted !== undefined)
    setAt(result, recipientsPath, cloneJson(valueAt(wanted, recipientsPath)));
  if (result === undefined || keptWhole.includes(resourceType)) return result;
  const required = new Set(requiredPaths(resourceType).map(({ path }) => path));
  const kept = new Set(['identifier', 'meta', ...retired.flatMap(({ path }) => path.slice(0, 1))]);
  for (const name of new Set(elements.flatMap(({ path }) => path.slice(0, 1)))) {
    const value = result[name];
    if (kept.has(name) || value === undefined) continue;
    if (!required.has(name)) delete result[name];
    else if (isConcept(value)) result[name] = { text: 'Withdrawn' };
    else if (resourceType === 'DocumentReference' && name === 'content')
      result[name] = [{ attachment: { title: 'Withdrawn' } }];
    else result[name] = withoutNames(value);
  }
  delete result.text;
  if (isObject(result.meta)) {
    const { profile: _claim, security: _label, ...meta } = result.meta;
    result.meta = meta;
  }
  return result;
}

/** Whom it is about may stay where R4 requires a reference; everybody else whom it names, by reference or in words, is gone. */
function withoutNames(value: Json): Json {
  if (Array.isArray(value)) return value.map(withoutNames);
  if (!isObject(value)) return value;
  if (typeof value.reference === 'string') {
    const { display: _name, ...patient } = value;
    return /(?:^|\/)Patient\//.test(value.reference) ? patient : { display: 'Withdrawn' };
  }
  const parts = Object.entries(value).map(([name, part]) => [name, withoutNames(part)] as const);
  const kept = Object.fromEntries(parts);
  return typeof value.display === 'string' && value.code === undefined ? { ...kept, display: 'Withdrawn' } : kept;
}

function isConcept(value: Json): boolean {
  return isObject(value) && (value.coding !== undefined || value.text !== undefined);
}

type AbsorbCall = Parameters<CompiledSlot['absorb']>;
type Absorbed = ReturnType<CompiledSlot['absorb']>;

/** An element that the other side may change, all of one shape. */
interface Taken extends Speaker {
  readonly key: string;
  readonly path: readonly string[];
  readonly lens: Lens;
  readonly at: string;
}

/** What absorbing needs of a slot. */
interface Absorbing {
  readonly definition: SlotDefinition;
  readonly byKey: ReadonlyMap<string, Element>;
  /** Of these, what may be absorbed. */
  readonly taken: ReadonlyMap<string, Taken>;
  /** The keys of those that can make something of a record. */
  readonly speaking: (record: JsonObject) => ReadonlySet<string>;
}

function absorbingOf(definition: SlotDefinition, byKey: ReadonlyMap<string, Element>): Absorbing {
  const taken = [...byKey.values()]
    .filter(({ derived, moves, goesWith }) => !derived && moves === undefined && goesWith === undefined)
    .map(({ key, path, lens, at, fields }): Taken => ({ key, path, lens, at, fields }));
  return {
    definition,
    byKey,
    taken: new Map(taken.map((one) => [one.key, one])),
    speaking: bySpeakers(taken, (speaking) => new Set(speaking.map(({ key }) => key))),
  };
}

/** Elements that together would make a record of it that its source refuses are left out, and told. */
function absorb(
  absorbing: Absorbing,
  itemId: string | undefined,
  ...[keys, observed, record, context]: AbsorbCall
): Absorbed {
  const { definition, byKey } = absorbing;
  const take = (some: readonly string[]): Attempt => attempt(absorbing, itemId, some, observed, record, context);
  const whole = take(keys);
  const broken = brokenBy(definition, record, whole);
  if (broken === undefined) return whole;
  const kept = acceptableKeys(keys, (some) => brokenBy(definition, record, take(some)) === undefined);
  const { patch, issues } = take(kept);
  const refused = keys
    .filter((key) => !kept.includes(key))
    .map(
      (element): MappingIssue => ({
        code: 'does-not-fit',
        element,
        message: `With what the other side holds here the record would break its rule ${broken}.`,
        at: byKey.get(element)?.at ?? definition.at,
      }),
    );
  return { patch, issues: [...issues, ...refused] };
}

interface Attempt extends Absorbed {
  readonly after: JsonObject;
}

function brokenBy({ recordType }: SlotDefinition, record: JsonObject, { patch, after }: Attempt): string | undefined {
  return Object.keys(patch).length === 0 ? undefined : newlyBroken(recordType, record, after);
}

/** All but one where that is enough; else one after the other, as far as they go together. */
function acceptableKeys(
  keys: readonly string[],
  isAcceptable: (keys: readonly string[]) => boolean,
): readonly string[] {
  const others = keys.map((key) => keys.filter((other) => other !== key)).find(isAcceptable);
  if (others) return others;
  const kept: string[] = [];
  for (const key of keys) {
    if (isAcceptable([...kept, key])) kept.push(key);
  }
  return kept;
}

function attempt(
  { definition, byKey, taken, speaking }: Absorbing,
  itemId: string | undefined,
  ...[keys, observed, record, { resolve, linked, timeZone, isTold }]: AbsorbCall
): Attempt {
  const { each, at } = definition;
  const issues: MappingIssue[] = [];
  const isPlain = isPlainlyTold(observed);
  const compared = blindRun(linked, identifierSystemIn(observed, definition), isTold);
  const where = { ...(linked && { linked }), ...(timeZone !== undefined && { timeZone }) };
  const run: AbsorbRun = { element: '', issues, resolve, compared, isPlain, ...where };
  const isInError = isEnteredInError(observed);
  const qualifier = isPlain ? undefined : qualifierOf(observed);
  if (qualifier !== undefined && keys.length > 0) {
    run.element = qualifier;
    addIssue(run, 'left-out', 'The other side says here that the resource means something else than it seems to.', at);
    return { patch: {}, issues, after: record };
  }
  // The record itself until something has to be changed; then a copy that shares with it what is not written.
  let after = record;
  let draft = draftFor(record, each, itemId);
  let speakers = speaking(record);
  for (const key of keys) {
    const element = taken.get(key);
    if (!draft || !element) continue;
    const { path, lens } = element;
    const raw = valueAt(observed, path);
    // Of what was entered in error servers show a few elements; the others were not removed.
    if (raw === undefined && isInError) continue;
    run.element = key;
    if (!isPlain && isUntold(observed, path)) {
      addIssue(run, 'left-out', 'The other side says that it does not tell this.', element.at);
    } else if (!isPlain && isQualified(observed, path, byKey)) {
      addIssue(
        run,
        'left-out',
        'What the other side holds here is qualified in a way that the record has no place for.',
        element.at,
      );
    } else if ((raw !== undefined || speakers.has(key)) && !holdsNoNews(lens, raw, draft, run)) {
      if (after === record) {
        after = { ...record };
        draft = itemOfItsOwn(draftFor(after, each, itemId) ?? draft, each);
      }
      lens.absorb(raw, draft, run);
      speakers = speaking(draft.record);
    }
  }
  return { patch: after === record ? {} : mergePatch(record, after), issues: once(issues), after };
}

function says(
  { definition, byKey }: Absorbing,
  itemId: string | undefined,
  ...[key, observed, record, timeZone, linked]: Parameters<CompiledSlot['says']>
): boolean {
  const element = byKey.get(key);
  const draft = draftFor(record, definition.each, itemId);
  if (!element || !draft) return false;
  const { lens, path } = element;
  const blind = { ...blindRun(linked, identifierSystemIn(observed, definition)), linksKnown: false };
  const made = lens.project(draft, blind);
  const raw = valueAt(observed, path);
  const factOf = (value: Json | undefined): Json | undefined => (value === undefined ? undefined : lens.fact(value));
  if (!blind.unknown && sameJson(factOf(made), factOf(raw))) return true;
  if (raw === undefined || timeZone === undefined) return false;
  const unresolved = { element: '', issues: [], resolve: () => undefined, compared: blind, isPlain: true };
  return lens.agrees?.(raw, draft, { ...unresolved, timeZone }) === true;
}

/** The system of our identifier in the resource: below it hang the lists of our own that its codings are of. */
function identifierSystemIn(observed: JsonObject, { recordType, name }: SlotDefinition): string | undefined {
  const { identifier } = observed;
  const own = (Array.isArray(identifier) ? identifier : [identifier ?? null]).find(ownIdentifier(recordType, name));
  return textAt(isObject(own) ? own : undefined, 'system');
}

/** Every item of a list may say the same: an element that is not understood is told once. */
function once(issues: readonly MappingIssue[]): MappingIssue[] {
  if (issues.length < 2) return [...issues];
  const told = new Map(issues.map((issue) => [JSON.stringify(issue), issue]));
  return [...told.values()];
}

/** The draft with a copy of the item that it is over, in a list of its own: what is below may be written then without the lists of others. */
function itemOfItsOwn(draft: Draft, each: SlotList | undefined): Draft {
  const { record, item, pointer } = draft;
  if (!each || !isObject(item)) return draft;
  const whole: Draft = { record, item: record, pointer: '' };
  const list = reader(each.path)(whole);
  const copy = { ...item };
  writer(each.path)(
    whole,
    (Array.isArray(list) ? list : []).map((one) => (one === item ? copy : one)),
  );
  return { record, item: copy, pointer };
}

/** The draft over the record, or over the list item that the slot stands for; undefined where that item is gone. */
function draftFor(record: JsonObject, each: SlotList | undefined, itemId: string | undefined): Draft | undefined {
  if (!each) {
    return { record, item: record, pointer: '' };
  }
  const { path, by } = each;
  const list = reader(path)({ record, item: record, pointer: '' });
  const items = Array.isArray(list) ? list : [];
  const index = items.findIndex((item) => isObject(item) && item[by] === itemId);
  const item = items[index];
  return item === undefined ? undefined : { record, item, pointer: `/${path.names.join('/')}/${index}` };
}
