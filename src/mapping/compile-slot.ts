// One entry of `resources:` compiled: its elements with keys and owners, its profiles, its condition, and how it retires.

import { checkMade, elementFact, isResourceType, requiredPaths } from '../fhir/fhir.ts';
import type { Json } from '../json.ts';
import { didYouMean } from '../nearest.ts';
import type { FieldKind } from '../records/records.ts';
import {
  addUses,
  type Build,
  type Cursor,
  childPlace,
  cursorAt,
  cursorIn,
  fieldAt,
  isPlainText,
  isTrue,
  type Place,
  rule,
} from './build.ts';
import { compileCondition } from './condition.ts';
import { formOf } from './form.ts';
import { identityElements } from './identity.ts';
import { blindRun, type Lens, sameJson } from './lens.ts';
import { madeResource } from './made.ts';
import { areKnown, haveKinds, ofRightKinds, profileWords, slotWords } from './notation.ts';
import type { MapEntry, MapNode, Node, Position } from './positions.ts';
import { RecordScope } from './scope.ts';
import {
  compileSlotDefinition,
  type Element,
  type OwnerRule,
  type ProfileStep,
  resolveOwner,
  type Slot,
} from './slot.ts';
import { checkChoices, compileElement, compileEntries, flattens, isRule, readerOf } from './template.ts';

export const owners: readonly OwnerRule[] = ['source', 'remote', 'latest', 'ask', 'requester', 'performer'];

/** The state machines that the lanes walk (lanes.md 11). */
export const stateMachines: readonly string[] = ['referral-task', 'cancellation-task'];

/** What the slots of one mapping share. */
export type MappingBuild = Pick<
  Build,
  'problems' | 'profiles' | 'systems' | 'conceptMaps' | 'slots' | 'schemas' | 'declared' | 'recordType' | 'uses'
>;

export interface CompiledDefinition {
  readonly slot: Slot;
  /** The slots it cannot go without. */
  readonly needs: Build['needs'];
}

/** @param derive as the mapping has it */
export function compileSlot(
  name: string,
  whole: MapNode,
  shared: MappingBuild,
  derive: Node | undefined,
): CompiledDefinition | undefined {
  const { problems } = shared;
  areKnown('A slot', whole.entries.values(), slotWords, problems);
  const node = ofRightKinds(whole, slotWords, problems);
  const typeNode = node.entries.get('resourceType')?.value;
  const resourceType = isPlainText(typeNode) ? typeNode.value : '';
  const elementsNode = node.entries.get('elements')?.value;
  if (!isResourceType(resourceType) || elementsNode?.kind !== 'map') {
    return problems.error(
      typeNode?.at ?? node.at,
      `Slot "${name}" needs a "resourceType" of R4 and a map of "elements".`,
    );
  }
  const record = cursorAt(shared.recordType, true, shared);
  const identity = shared.slots.get(shared.recordType)?.get(name)?.identity ?? name;
  const when = node.entries.get('when')?.value;
  const profileSteps = node.entries.get('profile')?.value;
  const repeated = readEach(node, record, slotBuild(shared, identity, resourceType));
  const steps = readProfiles(profileSteps, repeated?.cursor ?? record, shared, identity, resourceType);
  const build = slotBuild(shared, identity, resourceType, steps[0]);
  const owner = readOwner(node.entries.get('owner'), 'source', build);
  const context: Walk = { cursor: repeated?.cursor ?? record, build, owner, elements: [] };
  walkElements(elementsNode, '', [], context);
  checkChoices(elementsNode, '', build);
  checkKeys(context.elements, build, node.at);
  checkGoesWith(context.elements, build, node.at);
  checkRequired(build, steps, elementsNode.at);
  checkProfiles(elementsNode, steps, build);
  const retired = node.entries.get('retired')?.value;
  const ended = node.entries.get('ended')?.value;
  return {
    needs: build.needs,
    slot: compileSlotDefinition({
      recordType: shared.recordType,
      name: identity,
      resourceType,
      at: rule(node.at),
      owner,
      when: when ? compileCondition(when, context.cursor, build) : () => true,
      ...(repeated && { each: { path: repeated.path, by: repeated.by } }),
      profiles: steps,
      guides: shared.profiles,
      rules: context.elements,
      form: formOf(node, derive, context.elements, shared),
      identity: identityElements(shared.recordType, identity, resourceType, rule(node.at), shared.profiles),
      ...(retired && { retired: readRetired('retired', retired, context.cursor, build) }),
      ...(ended && { ended: readRetired('ended', ended, context.cursor, build) }),
    }),
  };
}

function slotBuild(shared: MappingBuild, slot: string, resourceType: string, first?: ProfileStep): Build {
  const required = [resourceType, ...(first ? [first.profile] : [])].map((profile) =>
    requiredPaths(profile, shared.profiles),
  );
  return {
    ...shared,
    slot,
    resourceType,
    fills: new Set(),
    needs: [],
    isRequired: (path) => required.some((paths) => paths.some((one) => one.when === undefined && one.path === path)),
    isChoice: (path) => elementFact(resourceType, path) !== undefined,
  };
}

/** `profile: [id, {profile: id, when: {...}}]`: the ladder, the most specific first. */
function readProfiles(
  node: Node | undefined,
  cursor: Cursor,
  shared: MappingBuild,
  slot: string,
  resourceType: string,
): ProfileStep[] {
  const items = node === undefined ? [] : node.kind === 'list' ? node.items : [node];
  return items.flatMap((item) => {
    const id = item.kind === 'map' ? item.entries.get('profile')?.value : item;
    const known = shared.profiles.ids();
    if (!isPlainText(id) || !known.includes(id.value)) {
      const named = isPlainText(id) ? id.value : '';
      shared.problems.error(item.at, `There is no profile "${named}".${didYouMean(named, known)}`);
      return [];
    }
    const of = shared.profiles.byId(id.value)?.facts.type;
    if (of !== resourceType) {
      shared.problems.error(id.at, `Profile "${id.value}" is one of ${of}; this slot makes a ${resourceType}.`);
      return [];
    }
    if (item.kind === 'map') {
      areKnown('An entry of "profile"', item.entries.values(), profileWords, shared.problems);
      haveKinds(item.entries.values(), profileWords, shared.problems);
    }
    const when = item.kind === 'map' ? item.entries.get('when')?.value : undefined;
    const build = slotBuild(shared, slot, resourceType);
    return [{ profile: id.value, at: item.at, ...(when && { when: compileCondition(when, cursor, build) }) }];
  });
}

/** What a slot can be named by. */
const itemNames: readonly FieldKind[] = ['id', 'item-code'];

function readEach(
  node: MapNode,
  cursor: Cursor,
  build: Build,
): { path: ReturnType<typeof pathOf>; by: string; cursor: Cursor } | undefined {
  const each = node.entries.get('each');
  const by = node.entries.get('by')?.value;
  if (by && !each) {
    build.problems.error(by.at, '"by" tells apart the items of "each", and this slot has no "each".');
  }
  const found = each && fieldAt(each.value, cursor, build);
  if (!each || !found) {
    return undefined;
  }
  const named = isPlainText(by) ? found.field.fields?.get(by.value) : undefined;
  if (!found.field.list || !isPlainText(by) || !named?.required || !itemNames.includes(named.kind)) {
    return build.problems.error(
      each.at,
      'A slot repeats over a list whose items each have an id or a code of their own: say "by: id".',
    );
  }
  return { path: pathOf(found), by: by.value, cursor: cursorIn(cursor, found.path, found.field) };
}

function pathOf(found: NonNullable<ReturnType<typeof fieldAt>>): NonNullable<ReturnType<typeof fieldAt>>['path'] {
  return found.path;
}

interface Walk {
  readonly cursor: Cursor;
  readonly build: Build;
  readonly owner: OwnerRule;
  readonly elements: Element[];
}

function walkElements(node: MapNode, path: string, names: readonly string[], walk: Walk): void {
  for (const entry of node.entries.values()) {
    const place = childPlace(entry.name, path, entry.at, walk.build);
    if (place) {
      walkElement(entry, { ...place, isElement: true }, [...names, entry.name], walk);
    }
  }
}

function walkElement(entry: MapEntry, place: Place, names: readonly string[], walk: Walk): void {
  const { value: node } = entry;
  const { cursor } = walk;
  // What this element reads is told apart from what the others do.
  const build: Build = { ...walk.build, uses: new Set() };
  if (node.kind === 'list' && place.fact.max > 1) {
    for (const { key, node: item, lens } of compileEntries(node.items, cursor, place, build)) {
      addElement(`${place.path}[${key}]`, item, lens, names, { ...walk, build });
    }
    addUses(walk.build, build.uses);
    return;
  }
  const isObjectType = /^[A-Z]/.test(place.type);
  if (
    node.kind === 'map' &&
    place.fact.max <= 1 &&
    isObjectType &&
    !isRule(node, place.path, build) &&
    flattens(node)
  ) {
    walkElements(node, place.path, names, walk);
    checkChoices(node, place.path, build);
    return;
  }
  const lens = compileElement(node, cursor, place, build);
  if (lens) {
    addElement(place.path, node, lens, names, { ...walk, build });
  }
  addUses(walk.build, build.uses);
}

function addElement(key: string, node: Node, lens: Lens, path: readonly string[], walk: Walk): void {
  const modifiers = node.kind === 'map' ? node.entries : undefined;
  const ownerRule = readOwner(modifiers?.get('owner'), walk.owner, walk.build);
  const moves = modifiers?.get('moves')?.value;
  const goesWith = modifiers?.get('goesWith')?.value;
  const derived = modifiers?.get('derived')?.value;
  if (moves !== undefined && !(isPlainText(moves) && stateMachines.includes(moves.value))) {
    const given = isPlainText(moves) ? moves.value : '';
    walk.build.problems.error(moves.at, `There is no state machine "${given}".${didYouMean(given, stateMachines)}`);
  }
  walk.elements.push({
    key,
    path,
    lens,
    ...fieldsOf(lens, walk.build.uses),
    reads: [...walk.build.uses],
    owner: (record) => resolveOwner(ownerRule, record),
    ...(isPlainText(moves) && { moves: moves.value }),
    ...(isPlainText(goesWith) && { goesWith: goesWith.value }),
    derived: lens.constant || !lens.twoWay || isTrue(derived),
    converter: readerOf(node, key.replace(/\[.*$/, ''), walk.build),
    at: rule(node.at),
  });
}

/** The record fields without which the element is not there: a rule that makes nothing of an empty record needs one of those that it reads. */
function fieldsOf(lens: Lens, uses: ReadonlySet<string>): Pick<Element, 'fields'> {
  const run = blindRun();
  const fields = new Set([...uses].map((path) => path.replace(/\..*$/, '')));
  const made = lens.project(new RecordScope({}, {}), run);
  const isSilent = made === undefined && run.issues.length + run.references.length === 0;
  return isSilent && !fields.has('') ? { fields: [...fields] } : {};
}

function readOwner(entry: MapEntry | undefined, otherwise: OwnerRule, build: Build): OwnerRule {
  if (!entry) {
    return otherwise;
  }
  const owner = owners.find((name) => isPlainText(entry.value) && entry.value.value === name);
  if (owner === undefined) {
    const given = isPlainText(entry.value) ? entry.value.value : '';
    build.problems.error(entry.at, `An owner is one of ${owners.join(', ')}.${didYouMean(given, owners)}`);
    return otherwise;
  }
  if ((owner === 'requester' || owner === 'performer') && !hasDirection(build)) {
    build.problems.error(entry.at, `The ${build.recordType} record has no direction, so ${owner} is nobody here.`);
  }
  return owner;
}

function hasDirection({ recordType, schemas }: Build): boolean {
  return schemas.tree(recordType).fields?.has('direction') ?? false;
}

function readRetired(
  word: 'retired' | 'ended',
  node: Node,
  cursor: Cursor,
  build: Build,
): { path: string[]; value: Json }[] {
  if (node.kind !== 'map' || node.entries.size === 0) {
    return build.problems.error(node.at, `"${word}" is a map from elements to what they say then, at least one.`) ?? [];
  }
  return [...node.entries.values()].flatMap(({ name, at, value }) => {
    const place = childPlace(name, '', at, { ...build, fills: new Set() });
    if (!place) {
      return [];
    }
    if (value.kind === 'scalar' && value.value === null) {
      return [{ path: [name], value: null }];
    }
    const uses = new Set<string>();
    const lens = compileElement(value, cursor, place, { ...build, uses });
    if (!lens) {
      return [];
    }
    const [made, elsewhere] = ['urn:one', 'urn:other'].map((identifierSystem) =>
      lens.project(new RecordScope({}, {}), blindRun(undefined, identifierSystem)),
    );
    const isFixed = lens.constant && uses.size === 0 && sameJson(made, elsewhere);
    if (made !== undefined && isFixed) {
      return [{ path: [name], value: made }];
    }
    build.problems.error(at, `"${name}" is not the same for every record: "${word}" takes fixed values only.`);
    return [];
  });
}

function checkKeys(elements: readonly Element[], { problems }: Build, at: Position): void {
  const seen = new Set<string>();
  for (const { key, at: where } of elements) {
    if (seen.has(key)) {
      problems.error(at, `Two rules make the element "${key}" (the second one at ${where}).`);
    }
    seen.add(key);
  }
}

function checkGoesWith(elements: readonly Element[], { problems }: Build, at: Position): void {
  const moving = elements.flatMap(({ key, moves }) => (moves === undefined ? [] : [key]));
  for (const { key, goesWith, at: where } of elements) {
    if (goesWith !== undefined && !moving.includes(goesWith)) {
      problems.error(
        at,
        `"${key}" goes with "${goesWith}" (${where}), which does not move.${didYouMean(goesWith, moving)}`,
      );
    }
  }
}

/** What base R4 requires must be filled by some rule; what a profile requires beyond that costs the claim, so it is a warning. */
function checkRequired(build: Build, steps: readonly ProfileStep[], at: Position): void {
  const ladder = [build.resourceType, ...steps.map(({ profile }) => profile)];
  const told = new Set<string>();
  for (const profile of ladder) {
    for (const { path, address, when } of requiredPaths(profile, build.profiles)) {
      const concerned = path === address && (when === undefined || isFilled(when, build));
      if (
        !concerned ||
        told.has(path) ||
        isFilled(path, build) ||
        (path === 'identifier' && profile !== build.resourceType)
      ) {
        continue;
      }
      told.add(path);
      if (profile === build.resourceType) {
        build.problems.error(at, `No rule fills ${build.resourceType}.${path}, which R4 requires.`);
      } else {
        build.problems.warning(at, `No rule fills ${build.resourceType}.${path}, which ${profile} requires.`);
      }
    }
  }
}

/** What can be said of the profiles before there is a record. A resource that falls short of one claims the next: these are warnings. */
function checkProfiles(elements: MapNode, steps: readonly ProfileStep[], build: Build): void {
  const made = madeResource(elements, build);
  for (const { profile, at, when } of steps) {
    const { unsupported, missing, refused } = checkMade(made, profile, build.profiles);
    for (const address of missing) {
      build.problems.warning(at, `No rule fills ${build.resourceType}.${address}, which ${profile} requires.`);
    }
    // Where a condition decides whether the profile counts, it may keep just these values away from it.
    for (const { address, at: where, why } of when ? [] : refused) {
      build.problems.warning(at, `${where} makes what ${profile} refuses at ${build.resourceType}.${address}: ${why}.`);
    }
    if (unsupported.length > 0) {
      const names = unsupported.join(', ');
      build.problems.warning(at, `No rule fills what must be supported by ${profile} in "${build.slot}": ${names}.`);
    }
  }
}

/** Below a rule that makes a whole value (a coding, a reference), nothing is missing. */
function isFilled(path: string, { fills }: Build): boolean {
  const parts = path.split('.');
  return parts.every((_, index) => {
    const part = parts.slice(0, index + 1).join('.');
    const isThere = part.endsWith('[x]')
      ? [...fills].some((filled) => filled.startsWith(part.slice(0, -3)))
      : fills.has(part);
    const parent = parts.slice(0, index).join('.');
    return isThere || (index > 0 && fills.has(parent) && ![...fills].some((filled) => filled.startsWith(`${parent}.`)));
  });
}
