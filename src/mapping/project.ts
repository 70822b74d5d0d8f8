// A record into the resources it wants: elements put together, identity added, checked, and the best profile claimed.

import { checkBase, claimProfile, elementFact, identifierValue, type ProfileIssue } from '../fhir/fhir.ts';
import { isObject, type Json, type JsonObject } from '../json.ts';
import type { RecordType } from '../records/records.ts';
import type { Derived } from './derive.ts';
import type { ProjectRun } from './lens.ts';
import { reader, type Scope } from './scope.ts';
import { type Element, type Slot, type SlotDefinition, setAt } from './slot.ts';
import { localSystem } from './systems.ts';
import type { Desired, DesiredReference, MappingIssue, ProjectContext } from './types.ts';

export interface Derivation {
  readonly derive: (record: JsonObject) => Derived;
  /** `file:line` */
  readonly at: string;
}

interface Projected {
  readonly type: RecordType;
  readonly slots: readonly Slot[];
  readonly derive?: Derivation | undefined;
}

/** The resources of one record. Pure. */
export function projectRecord(
  { type, slots, derive }: Projected,
  given: JsonObject,
  context: ProjectContext,
): Desired[] {
  if (given.deleted === true) {
    return [];
  }
  const { record, findings } = derive?.derive(given) ?? { record: given, findings: [] };
  const made = slots.flatMap((slot) =>
    scopesOf(slot.definition, record)
      .filter(({ scope }) => slot.definition.when(scope, context))
      .map(({ name, scope }) => projectSlot({ type, slot, name, scope, record, context })),
  );
  if (findings.length === 0) {
    return made;
  }
  const at = derive?.at ?? '';
  return made.map((desired) => {
    const own = findings.filter(({ slot }) => slot === desired.slot);
    const told = own.map(
      ({ pointer, message }): MappingIssue => ({ code: 'does-not-add-up', element: '', pointer, message, at }),
    );
    return own.length === 0 ? desired : { ...desired, issues: [...desired.issues, ...told] };
  });
}

interface Projection {
  readonly type: RecordType;
  readonly slot: Slot;
  readonly name: string;
  readonly scope: Scope;
  readonly record: JsonObject;
  readonly context: ProjectContext;
}

function scopesOf(definition: SlotDefinition, record: JsonObject): { name: string; scope: Scope }[] {
  const { name, each } = definition;
  const whole: Scope = { record, item: record, pointer: '' };
  if (!each) {
    return [{ name, scope: whole }];
  }
  const { path, by } = each;
  const list = reader(path)(whole);
  return (Array.isArray(list) ? list : []).filter(isObject).map((item, index) => ({
    name: `${name}[${String(item[by])}]`,
    scope: { record, item, pointer: `/${path.names.join('/')}/${index}` },
  }));
}

function projectSlot(projection: Projection): Desired {
  const { slot, name, scope, context } = projection;
  const issues: MappingIssue[] = [];
  const references: DesiredReference[] = [];
  const resource = assemble(projection, issues, references, false);
  // A link that is only missing so far breaks no rule: what is checked is the resource as it will be.
  const complete = references.every(({ reference }) => reference !== undefined);
  const checked = complete ? resource : assemble(projection, [], [], true);
  const invalid = checkBase(checked).filter(({ severity }) => severity === 'error');
  if (invalid.length === 0) {
    claim(slot.definition, scope, context, checked, resource, issues);
  }
  return {
    slot: name,
    resourceType: slot.resourceType,
    resource,
    facts: slot.facts(resource),
    references,
    issues,
    invalid,
  };
}

function assemble(
  { type, slot, name, scope, record, context }: Projection,
  issues: MappingIssue[],
  references: DesiredReference[],
  placeholders: boolean,
): JsonObject {
  const { definition } = slot;
  const id = String(record.id);
  const value = identifierValue({ source: context.source, type, id }, name);
  const resource: JsonObject = {
    resourceType: definition.resourceType,
    meta: {
      source: `${context.identifierSystem}/${context.source}`,
      tag: [{ system: localSystem(context.identifierSystem, 'tags'), code: 'casebridge' }],
    },
  };
  if (definition.elements.some(({ key }) => key === 'identifier[casebridge]')) {
    const own = { system: context.identifierSystem, value };
    const isList = (elementFact(definition.resourceType, 'identifier')?.max ?? 0) > 1;
    resource.identifier = isList ? [own] : own;
  }
  const run: ProjectRun = {
    context,
    recordId: id,
    blind: false,
    linksKnown: true,
    placeholders,
    element: '',
    unknown: false,
    issues,
    references,
  };
  for (const element of definition.elements) {
    run.element = element.key;
    place(resource, element, element.lens.project(scope, run));
  }
  return resource;
}

function place(resource: JsonObject, { path }: Element, value: Json | undefined): void {
  if (value === undefined) {
    return;
  }
  const [name, ...rest] = path;
  const there = name !== undefined && rest.length === 0 ? resource[name] : undefined;
  if (Array.isArray(value) && Array.isArray(there)) {
    there.push(...value);
  } else if (Array.isArray(value) && rest.length > 0) {
    const old = valueAt(resource, path);
    setAt(resource, path, Array.isArray(old) ? [...old, ...value] : value);
  } else {
    setAt(resource, path, value);
  }
}

function valueAt(resource: JsonObject, path: readonly string[]): Json | undefined {
  return path.reduce<Json | undefined>((value, name) => (isObject(value) ? value[name] : undefined), resource);
}

function claim(
  { profiles, resourceType, elements }: SlotDefinition,
  scope: Scope,
  context: ProjectContext,
  checked: JsonObject,
  resource: JsonObject,
  issues: MappingIssue[],
): void {
  const ladder = profiles
    .filter(({ when }) => when === undefined || when(scope, context))
    .map(({ profile }) => profile);
  const { claimed, stepsDown } = claimProfile(checked, ladder);
  const meta = resource.meta;
  if (claimed !== undefined && isObject(meta)) {
    resource.meta = { ...meta, profile: [claimed] };
  }
  const at = elements[0]?.at ?? '';
  issues.push(...stepsDown.map((step) => stepDown(step, resourceType, at)));
}

function stepDown({ path, profile, rule, message }: ProfileIssue, resourceType: string, at: string): MappingIssue {
  const element = path.startsWith(`${resourceType}.`) ? path.slice(resourceType.length + 1) : path;
  return { code: 'profile-step-down', element, message: `Not claimed as ${profile}: ${rule}: ${message}`, at };
}
