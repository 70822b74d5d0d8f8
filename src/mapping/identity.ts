// What every resource of ours carries besides its mapping: our identifier and the profile it claims. Both are elements, so that they are
// compared and mended like others; a found resource gets them when it is first written.

import { childNames, elementFact, type Profiles, profileUrl } from '../fhir/fhir.ts';
import { isObject, type Json } from '../json.ts';
import type { Lens } from './lens.ts';
import { singleItemLens } from './list-lens.ts';
import { primitiveFact } from './primitives.ts';
import type { Element } from './slot.ts';
import type { Owner } from './types.ts';

/** The elements that the engine adds to a slot; `made` when a resource is put together, not by a rule. */
export function identityElements(
  recordType: string,
  slot: string,
  resourceType: string,
  at: string,
  profiles: Profiles,
): Element[] {
  const added = { derived: true, converter: 'engine', reads: [], at, owner: (): Owner => 'source' };
  const profile: Element = { ...added, key: 'meta.profile', path: ['meta', 'profile'], lens: profileLens(profiles) };
  if (!childNames(resourceType, '').includes('identifier')) {
    return [profile];
  }
  const isList = (elementFact(resourceType, 'identifier')?.max ?? 0) > 1;
  const lens = isList ? singleItemLens(identifierLens, ownIdentifier(recordType, slot)) : identifierLens;
  return [{ ...added, key: 'identifier[casebridge]', path: ['identifier'], lens }, profile];
}

/** The claim of our own identifier, which no rule on the list may take. */
export function ownIdentifier(recordType: string, slot: string): (item: Json) => boolean {
  return (item) => isOurs(item, recordType, slot);
}

/** The number of the resource among those that took each other's place (lanes.md 17). */
const generation = /~\d+$/;

/** Ours by the form of its value, `source/type/id#slot`, since the system is a matter of configuration. */
function isOurs(item: Json, recordType: string, slot: string): boolean {
  const value = isObject(item) ? item.value : undefined;
  const form = /^[^/]+\/([^/]+)\/[^/#]+#([^#]+)$/;
  const [, type, named] = typeof value === 'string' ? (form.exec(value.replace(generation, '')) ?? []) : [];
  return type === recordType && (named === slot || named?.startsWith(`${slot}[`) === true);
}

const silent: Omit<Lens, 'fact' | 'put'> = {
  constant: true,
  twoWay: false,
  present: () => false,
  project: () => undefined,
  claims: () => true,
  absorb: () => undefined,
};

const identifierLens: Lens = {
  ...silent,
  fact: (raw) => (isObject(raw) ? { system: raw.system ?? null, value: valueOfSlot(raw.value) ?? null } : undefined),
  put: (raw, old) => (isObject(raw) && isObject(old) ? { ...old, ...raw } : raw),
};

/** Which generation a resource is of is no matter of what it says. */
function valueOfSlot(value: Json | undefined): Json | undefined {
  return typeof value === 'string' ? value.replace(generation, '') : value;
}

function profileLens(profiles: Profiles): Lens {
  const roots = [...new Set(profiles.ids().map((id) => rootOf(profileUrl(id, profiles) ?? '')))];
  const isOfGuide = (url: Json): url is string => typeof url === 'string' && roots.includes(rootOf(url));
  const claimsIn = (raw: Json | undefined): string[] => (Array.isArray(raw) ? raw : []).filter(isOfGuide);
  return {
    ...silent,
    fact: (raw) => {
      const claimed = claimsIn(raw).map((url) => primitiveFact(url) ?? url);
      return claimed.length > 0 ? claimed.sort() : undefined;
    },
    put: (raw, old) => {
      const others = Array.isArray(old) ? old.filter((url) => !isOfGuide(url)) : [];
      const all = [...claimsIn(raw), ...others];
      return all.length > 0 ? all : undefined;
    },
  };
}

/** What the URLs of a guide's profiles have in common: everything up to the last slash. */
function rootOf(url: string): string {
  return url.slice(0, url.lastIndexOf('/') + 1);
}
