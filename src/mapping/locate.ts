// Where a broken rule of a profile comes from: the rule of the mapping, and the fields of the record.

import type { ProfileIssue } from '../fhir/fhir.ts';
import { type JsonObject, valueBelow } from '../json.ts';
import { fieldPointer } from './scope.ts';
import type { SlotDefinition } from './slot.ts';
import type { Origin } from './types.ts';

export interface Located {
  /** `file:line` of the rule that makes the element, or would; of the slot where none does. */
  readonly at: string;
  /** JSON pointers to the fields that it was, or would be, made from. */
  readonly pointers: readonly string[];
}

/** The element without the resource type in front; '' for the whole resource. */
export function elementOf({ path }: ProfileIssue): string {
  const cut = path.indexOf('.');
  return cut < 0 ? '' : path.slice(cut + 1);
}

/** `origins` is asked for only where the element is there: that costs making the resource once more. */
export function locate(
  issue: ProfileIssue,
  resource: JsonObject,
  definition: SlotDefinition,
  origins: () => readonly Origin[],
): Located {
  const element = elementOf(issue);
  const made = element !== '' && isThere(resource, element) ? nearestOrigins(element, origins()) : [];
  const [first] = made;
  if (first) {
    return { at: first.rule, pointers: [...new Set(made.flatMap(({ pointers }) => pointers))] };
  }
  return ruleFor(element, definition) ?? { at: definition.at, pointers: [] };
}

/** The field that all of these are or are parts of; else the first. */
export function commonPointer(pointers: readonly string[]): string | undefined {
  const [first = '', ...others] = pointers;
  const parts = first.split('/');
  const common = parts.findLastIndex((_, index) =>
    others.every((other) => `${other}/`.startsWith(`${parts.slice(0, index + 1).join('/')}/`)),
  );
  return common > 0 ? parts.slice(0, common + 1).join('/') : pointers[0];
}

/** Of the element itself, else of what it is part of, else of its parts. */
function nearestOrigins(element: string, origins: readonly Origin[]): readonly Origin[] {
  const around = origins.filter((origin) => isWithin(element, origin.element));
  const closest = Math.max(0, ...around.map((origin) => origin.element.length));
  return around.length > 0
    ? around.filter((origin) => origin.element.length === closest)
    : origins.filter((origin) => isWithin(origin.element, element));
}

function isWithin(inner: string, outer: string): boolean {
  return inner === outer || inner.startsWith(`${outer}.`) || inner.startsWith(`${outer}[`);
}

/** The rule that would have made what is not there. */
function ruleFor(element: string, { rules }: SlotDefinition): Located | undefined {
  const plain = element.replaceAll(/\[\d*x?\]/g, '');
  const near = rules.filter(({ path }) => {
    const made = path.join('.');
    const isChoice = element.endsWith('[x]') && made.startsWith(plain);
    return plain !== '' && (isChoice || isWithin(plain, made) || isWithin(made, plain));
  });
  const [first] = near;
  return first && { at: first.at, pointers: [...new Set(near.flatMap(({ reads }) => reads))].map(fieldPointer) };
}

function isThere(resource: JsonObject, element: string): boolean {
  const steps = element.split(/[.[\]]+/).filter((part) => part !== '');
  return valueBelow(resource, steps) !== undefined;
}
