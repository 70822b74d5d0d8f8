// A record into the resources it wants: elements put together, identity added, checked, and the best profile claimed.

import { checkBase, claimProfile, identifierValue, type ProfileIssue } from '../fhir/fhir.ts';
import { isObject, type Json, type JsonObject, objectsIn, valueBelow } from '../json.ts';
import type { RecordType } from '../records/records.ts';
import type { Derived } from './derive.ts';
import { type ProjectRun, sameJson } from './lens.ts';
import { type FieldReasons, Trace, unsentOf } from './lineage.ts';
import { commonPointer, elementOf, locate } from './locate.ts';
import { listPointer, RecordScope, reader, type Scope } from './scope.ts';
import { type Element, hasIdentifier, type Slot, type SlotDefinition, type SlotList, valueAt } from './slot.ts';
import { localSystem } from './systems.ts';
import type {
  Assembled,
  Breach,
  Desired,
  DesiredReference,
  Explained,
  Facts,
  MappingIssue,
  Origin,
  ProjectContext,
} from './types.ts';

export interface Derivation {
  readonly derive: (record: JsonObject) => Derived;
  /** `file:line` */
  readonly at: string;
}

export interface Projected {
  readonly type: RecordType;
  readonly slots: readonly Slot[];
  readonly derive?: Derivation | undefined;
}

/** The resources of one record, checked, each claiming the best profile that it satisfies. Pure. */
export function projectRecord(projected: Projected, record: JsonObject, context: ProjectContext): Desired[] {
  return projectionsOf(projected, record, context).map((projection) => projectSlot(projection));
}

/** The same, with where each element comes from. Pure. */
export function explainRecord(
  projected: Projected,
  reasons: FieldReasons,
  record: JsonObject,
  context: ProjectContext,
): Explained {
  const resources = projectionsOf(projected, record, context).map((projection) => {
    const trace = new Trace();
    const desired = projectSlot(projection, trace);
    const lineage = trace.origins.map((origin) => withDerived(origin, projected.derive, record));
    return { desired, lineage: [...ownOrigins(projection, desired), ...lineage] };
  });
  const origins = resources.flatMap(({ lineage }) => lineage);
  const issues = resources.flatMap(({ desired }) => desired.issues);
  return { resources, unsent: record.deleted === true ? [] : unsentOf(record, origins, issues, reasons) };
}

/** What stands nowhere in the record was derived from it. */
function withDerived(origin: Origin, derive: Derivation | undefined, record: JsonObject): Origin {
  const { element, pointers, raw, record: other } = origin;
  if (derive === undefined || other !== undefined || raw === undefined) {
    return origin;
  }
  const names = (pointers[0] ?? '').split('/').slice(1);
  return sameJson(valueBelow(record, names), raw)
    ? origin
    : { element, rule: derive.at, converter: 'derive', pointers: [] };
}

/** Of what every resource of ours carries. */
function ownOrigins({ slot: { definition } }: Projection, { resource }: Desired): Origin[] {
  const { at } = definition;
  const own = (element: string): Origin => ({ element, rule: at, converter: 'casebridge', pointers: [] });
  const identifier = Array.isArray(resource.identifier) ? 'identifier[0]' : 'identifier';
  return [
    own('resourceType'),
    own('meta.source'),
    own('meta.tag[0]'),
    ...(isObject(resource.meta) && Array.isArray(resource.meta.profile) ? [own('meta.profile[0]')] : []),
    ...(hasIdentifier(definition) ? [{ ...own(identifier), pointers: ['/id'] }] : []),
  ];
}

/** The same without any check; each claims the first profile of its ladder. Pure. */
export function assembleRecord(projected: Projected, record: JsonObject, context: ProjectContext): Assembled[] {
  return projectionsOf(projected, record, context).map(assembleSlot);
}

function projectionsOf({ type, slots, derive }: Projected, given: JsonObject, context: ProjectContext): Projection[] {
  if (given.deleted === true) {
    return [];
  }
  const { record, findings } = derive?.derive(given) ?? { record: given, findings: noFindings };
  const at = derive?.at ?? '';
  const whole = new RecordScope(record, record);
  const projections: Projection[] = [];
  for (const slot of slots) {
    const { when, each } = slot.definition;
    for (const { name, scope } of each
      ? scopesOf(slot.name, each, record, whole)
      : [{ name: slot.name, scope: whole }]) {
      if (when(scope, context)) {
        const found = findings.length === 0 ? noIssues : issuesOf(findings, name, at);
        projections.push({ type, slot, name, scope, record, context, found });
      }
    }
  }
  return projections;
}

const noFindings: Derived['findings'] = [];
const noIssues: readonly MappingIssue[] = [];

function issuesOf(findings: Derived['findings'], name: string, at: string): MappingIssue[] {
  return findings
    .filter(({ slot }) => slot === name)
    .map(({ pointer, message }) => ({ code: 'does-not-add-up', element: '', pointer, message, at }));
}

interface Projection {
  readonly type: RecordType;
  readonly slot: Slot;
  readonly name: string;
  readonly scope: Scope;
  readonly record: JsonObject;
  readonly context: ProjectContext;
  /** What deriving has found to tell of. */
  readonly found: readonly MappingIssue[];
}

function scopesOf(
  name: string,
  { path, by }: SlotList,
  record: JsonObject,
  whole: Scope,
): { name: string; scope: Scope }[] {
  return objectsIn(reader(path)(whole)).map((item, index) => ({
    name: `${name}[${String(item[by])}]`,
    scope: new RecordScope(record, item, listPointer(whole, path), index),
  }));
}

function projectSlot(projection: Projection, trace?: Trace): Desired {
  const { slot, name, scope, context } = projection;
  const issues: MappingIssue[] = [];
  const references: DesiredReference[] = [];
  const resource = assemble(projection, issues, references, false, trace);
  // A link that is only missing so far breaks no rule: what is checked is the resource as it will be.
  const complete = references.every(({ reference }) => reference !== undefined);
  const checked = complete ? resource : assemble(projection, [], [], true);
  let origins: readonly Origin[] | undefined;
  const placed = (issue: ProfileIssue): Breach => ({
    ...issue,
    ...locate(issue, checked, slot.definition, () => {
      origins ??= originsOf(projection, !complete);
      return origins;
    }),
  });
  const invalid = checkBase(checked)
    .filter(({ severity }) => severity === 'error')
    .map(placed);
  if (invalid.length === 0) {
    const { claimed, stepsDown } = claimProfile(
      checked,
      ladderOf(slot.definition, scope, context),
      slot.definition.guides,
    );
    claim(resource, claimed);
    issues.push(...stepsDown.map((step) => stepDown(placed(step))));
  }
  issues.push(...projection.found);
  let facts: Facts | undefined;
  return {
    slot: name,
    resourceType: slot.resourceType,
    resource,
    get facts() {
      facts ??= slot.facts(resource);
      return facts;
    },
    references,
    issues,
    invalid,
  };
}

function assembleSlot(projection: Projection): Assembled {
  const { slot, name, scope, context } = projection;
  const issues: MappingIssue[] = [];
  const references: DesiredReference[] = [];
  const resource = assemble(projection, issues, references, false);
  claim(resource, firstProfile(slot, scope, context));
  if (projection.found.length > 0) issues.push(...projection.found);
  return { slot: name, resourceType: slot.resourceType, resource, references, issues };
}

/** Of the ladder, the first one that the record may claim at all. */
function firstProfile({ definition, profileUrls }: Slot, scope: Scope, context: ProjectContext): string | undefined {
  const { profiles } = definition;
  for (let at = 0; at < profiles.length; at += 1) {
    const when = profiles[at]?.when;
    if (when === undefined || when(scope, context)) return profileUrls[at];
  }
  return undefined;
}

function assemble(
  { type, slot, name, scope, record, context }: Projection,
  issues: MappingIssue[],
  references: DesiredReference[],
  placeholders: boolean,
  trace?: Trace,
): JsonObject {
  const id = String(record.id);
  const resource: JsonObject = {
    resourceType: slot.resourceType,
    meta: {
      source: `${context.identifierSystem}/${context.source}`,
      tag: [{ system: localSystem(context.identifierSystem, 'tags'), code: 'casebridge' }],
    },
  };
  if (slot.identifierIsList !== undefined) {
    const value = identifierValue({ source: context.source, type, id }, name);
    const own = { system: context.identifierSystem, value };
    resource.identifier = slot.identifierIsList ? [own] : own;
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
    trace,
  };
  for (const { element, key, project, ownName } of slot.stepsFor(record)) {
    run.element = key;
    const value = trace === undefined ? project(scope, run) : follow(trace, resource, element, scope, run);
    if (value === undefined) {
      continue;
    }
    if (ownName !== undefined) {
      resource[ownName] = value;
    } else {
      place(resource, element.path, value);
    }
  }
  return resource;
}

/** Makes an element with its path known to the trace, and how many items its list has already. */
function follow(
  trace: Trace,
  resource: JsonObject,
  { path, lens }: Element,
  scope: Scope,
  run: ProjectRun,
): Json | undefined {
  const there = valueAt(resource, path);
  for (const name of path) trace.enter(name);
  trace.startAt(Array.isArray(there) ? there.length : 0);
  const made = lens.project(scope, run);
  trace.startAt(0);
  for (const _ of path) trace.leave();
  return made;
}

/** Makes the objects on the way. Several rules may make one list. */
function place(resource: JsonObject, path: readonly string[], value: Json): void {
  const last = path.length - 1;
  let holder = resource;
  for (let at = 0; at < last; at += 1) {
    const name = path[at] ?? '';
    const below = holder[name];
    const next: JsonObject = isObject(below) ? below : {};
    if (next !== below) holder[name] = next;
    holder = next;
  }
  const name = path[last] ?? '';
  const there = holder[name];
  holder[name] = Array.isArray(value) && Array.isArray(there) ? [...there, ...value] : value;
}

function ladderOf({ profiles }: SlotDefinition, scope: Scope, context: ProjectContext): string[] {
  return profiles.filter(({ when }) => when === undefined || when(scope, context)).map(({ profile }) => profile);
}

function claim(resource: JsonObject, claimed: string | undefined): void {
  if (claimed !== undefined && isObject(resource.meta)) {
    resource.meta.profile = [claimed];
  }
}

function stepDown(step: Breach): MappingIssue {
  const { profile, rule, message, at, pointers } = step;
  const pointer = commonPointer(pointers);
  return {
    code: 'profile-step-down',
    element: elementOf(step),
    ...(pointer !== undefined && { pointer }),
    message: `Not claimed as ${profile}: ${rule}: ${message}`,
    at,
  };
}

function originsOf(projection: Projection, placeholders: boolean): readonly Origin[] {
  const trace = new Trace();
  assemble(projection, [], [], placeholders, trace);
  return trace.origins;
}
