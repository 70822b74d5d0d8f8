// `{from: id, reference: type#slot}` and `{slot: name}`: references to other resources of ours. A link that is not there yet leaves the
// element out and is reported, so that the lane can wait for it or go on without it.

import { fullUrl, identifierValue } from '../../fhir/fhir.ts';
import { isObject, type Json } from '../../json.ts';
import { didYouMean } from '../../nearest.ts';
import { isRecordType, type RecordType } from '../../records/records.ts';
import { type Build, type Cursor, fieldAt, isPlainText, isTrue, type Place, rule } from '../build.ts';
import { addIssue, type Lens, type ProjectRun, replaceUnlessSame } from '../lens.ts';
import { oneWay, presentWhen } from '../one-way.ts';
import type { MapNode, Node } from '../positions.ts';
import { pointerTo, reader, writer } from '../scope.ts';
import type { SlotRef } from '../types.ts';
import { removeField } from './copy.ts';

export const referenceKeys = ['from', 'reference', 'required'];
export const slotKeys = ['slot', 'required'];

export function compileReference(node: MapNode, cursor: Cursor, place: Place, build: Build): Lens | undefined {
  const from = node.entries.get('from')?.value;
  const to = node.entries.get('reference')?.value;
  const found = from && fieldAt(from, cursor, build);
  const target = to && targetOf(to, node, place, build);
  if (!found || !target) {
    return undefined;
  }
  if (found.field.ref !== target.type) {
    const points = found.field.ref ? `points to ${found.field.ref}` : 'points to no record';
    return build.problems.error(found.at, `This field ${points}, not to ${target.type}.`);
  }
  const read = reader(found.path);
  const write = writer(found.path);
  const { type, slot, resourceType } = target;
  const at = rule(found.at);
  const required = isRequired(node, place, build);
  const lens: Lens = {
    ...referenceBase(resourceType),
    quiet: true,
    twoWay: true,
    present: presentWhen(read),
    project: (scope, run) => {
      const id = read(scope);
      return typeof id === 'string' ? referenceTo({ type, id, slot }, required, run) : undefined;
    },
    put: (raw, old) => replaceUnlessSame(lens, raw, old),
    agrees: (raw, draft, run) => {
      const ref = run.resolve(literalOf(raw) ?? '');
      return ref !== undefined && ref.type === type && ref.slot === slot && ref.id === read(draft);
    },
    absorb: (raw, draft, run) => {
      const now = read(draft);
      if (raw === undefined) {
        // A reference that was never sent, or may never have been, was not removed.
        if (typeof now !== 'string' || run.linked?.({ type, id: now, slot }) === undefined) {
          return;
        }
        removeField(
          () => write(draft, undefined),
          found.field,
          now,
          (message) => addIssue(run, 'required-field', message, at),
        );
        return;
      }
      const ref = run.resolve(literalOf(raw) ?? '');
      if (ref === undefined || ref.type !== type || ref.slot !== slot) {
        addIssue(
          run,
          'unresolved-reference',
          'What the other side points to is none of our links.',
          at,
          pointerTo(draft, found.path),
        );
      } else if (ref.id !== now) {
        write(draft, ref.id);
      }
    },
  };
  return lens;
}

/** `{slot: name}`: another resource of the same record. Says nothing of its own, so nothing comes back. */
export function compileSlot(node: MapNode, place: Place, build: Build): Lens | undefined {
  const slotNode = node.entries.get('slot')?.value;
  const slot = isPlainText(slotNode) ? slotNode.value : '';
  const own = build.slots.get(build.recordType);
  const entry = own?.get(slot);
  if (!entry) {
    return build.problems.error(node.at, `This mapping has no slot "${slot}".${didYouMean(slot, own?.keys() ?? [])}`);
  }
  checkTarget(entry.resourceType, place, node, build);
  const type = build.recordType;
  const { identity } = entry;
  const required = isRequired(node, place, build);
  if (required) {
    build.needs.push({ target: `${type}#${identity}`, at: node.at });
  }
  return oneWay({
    ...referenceBase(entry.resourceType),
    twoWay: true,
    present: () => true,
    // A slot that repeats is named by the item of the caller's `each`.
    project: (scope, run) => {
      const id = entry.each === undefined || !isObject(scope.item) ? undefined : scope.item[entry.by ?? 'id'];
      const name = typeof id === 'string' ? `${identity}[${id}]` : identity;
      return referenceTo({ type, id: run.recordId, slot: name }, required, run);
    },
    put: (raw, old) => raw ?? old,
    absorb: () => undefined,
  });
}

function referenceBase(resourceType: string): Pick<Lens, 'constant' | 'fact' | 'claims'> {
  return {
    constant: false,
    fact: (raw) => literalOf(raw),
    claims: (raw) => {
      const reference = literalOf(raw);
      return reference !== undefined && (reference.startsWith('urn:uuid:') || reference.includes(`${resourceType}/`));
    },
  };
}

/** The literal reference without a version; undefined where there is none. */
function literalOf(raw: Json): string | undefined {
  const reference = isObject(raw) ? raw.reference : undefined;
  return typeof reference === 'string' ? reference.trim().replace(/\/_history\/[^/]+$/, '') : undefined;
}

/** Stands for a link that may or may not be there. */
const unknownLink = 'urn:uuid:00000000-0000-0000-0000-000000000000';

function referenceTo(target: SlotRef, required: boolean, run: ProjectRun): Json | undefined {
  const reference = run.context.reference(target);
  const { element } = run;
  run.references.push(
    reference === undefined ? { element, target, required } : { element, target, required, reference },
  );
  if (reference !== undefined) {
    return { reference };
  }
  if (!run.linksKnown) {
    run.unknown = true;
    return { reference: unknownLink };
  }
  if (!run.placeholders) {
    return undefined;
  }
  return {
    reference: fullUrl(
      run.context.identifierSystem,
      identifierValue({ source: run.context.source, ...target }, target.slot),
    ),
  };
}

/** By R4, by the profile, or by the rule itself: without it the resource would say something else. */
function isRequired(rule: MapNode, place: Place, build: Build): boolean {
  const said = rule.entries.get('required')?.value;
  return build.isRequired(place.path) || isTrue(said);
}

function targetOf(
  node: Node,
  rule: MapNode,
  place: Place,
  build: Build,
): { type: RecordType; slot: string; resourceType: string } | undefined {
  const [type = '', named] = isPlainText(node) ? node.value.split('#') : [];
  const slots = build.slots.get(type);
  if (!isRecordType(type) || !slots) {
    return build.problems.error(node.at, `There is no mapping for "${type}".${didYouMean(type, build.slots.keys())}`);
  }
  const slot = named ?? (slots.size === 1 ? [...slots.keys()][0] : undefined);
  if (slot === undefined) {
    return build.problems.error(
      node.at,
      `${type} has several slots (${[...slots.keys()].join(', ')}); write ${type}#slot.`,
    );
  }
  const entry = slots.get(slot);
  if (!entry || entry.each !== undefined) {
    return build.problems.error(node.at, `${type} has no single slot "${slot}".${didYouMean(slot, slots.keys())}`);
  }
  checkTarget(entry.resourceType, place, node, build);
  if (isRequired(rule, place, build)) {
    build.needs.push({ target: `${type}#${entry.identity}`, at: node.at });
  }
  return { type, slot: entry.identity, resourceType: entry.resourceType };
}

function checkTarget(resourceType: string, place: Place, node: Node, { problems }: Build): void {
  if (place.type !== 'Reference') {
    problems.error(node.at, `${place.fact.path} is a ${place.type}, not a Reference.`);
  } else if (place.fact.targets && !place.fact.targets.includes(resourceType)) {
    problems.error(
      node.at,
      `${place.fact.path} may not point to a ${resourceType}, only to ${place.fact.targets.join(', ')}.`,
    );
  }
}
