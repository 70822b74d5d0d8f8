// What is asked for: a Task and the order that it fulfils, or an order alone; about whom it is, and whether it is asked of us. Pure.

import { type JsonObject, objectAt, objectsAt } from '../../../json.ts';
import type { SlotRef } from '../../../mapping/mapping.ts';
import { codesOf, passesOn } from '../../../referrals/referrals.ts';
import { ownIdentifier } from '../../own-identifier.ts';
import { carriesOut, localName, type Named, orderOf, partOf, patientsOf, referenced } from '../about.ts';
import type { ReferralBodies } from '../propose.ts';
import type { View } from './view.ts';

export function bodiesOf(view: View, named: Named): ReferralBodies {
  const body = view.body(named);
  if (named.resourceType !== 'Task') return { task: undefined, order: body };
  const order = body === undefined ? undefined : orderOf(body, view.baseUrl);
  return { task: body, order: order && view.body(order) };
}

/** Ids of the patients whom Task and order name; one is as it should be. */
export function patientsOfBoth(view: View, { task, order }: ReferralBodies): string[] {
  return [...new Set([task, order].flatMap((body) => (body === undefined ? [] : patientsOf(body, view.baseUrl))))];
}

/** Whom a referral is asked of, as far as these are records of the source. */
export function performersOf(view: View, named: Named): SlotRef[] {
  const { task, order } = bodiesOf(view, named);
  const references = [objectAt(task, 'owner') ?? [], ...objectsAt(order, 'performer')].flat();
  return references.flatMap((one) => view.meant(one) ?? []);
}

/** Whom it is asked of. @param isPart as `isPartOfOurs` says */
export function performerOf(view: View, { task, order }: ReferralBodies, isPart: boolean): 'ours' | 'open' | 'others' {
  const { around, connection } = view.input;
  const { performers, referralCodes } = connection.config.polls;
  const owner = objectAt(task, 'owner');
  const named = owner === undefined ? objectsAt(order, 'performer') : [owner];
  const isUs = named.some((one) => {
    const target = view.meant(one);
    const isListed = referenced(one, view.baseUrl).some((found) => performers.includes(localName(found)));
    return isListed || target?.type === 'worker' || (target?.type === 'organization' && around.agencies.has(target.id));
  });
  if (isUs) return 'ours';
  // A Task for the community is for whoever is asked by this server's own means, unless it names a partner whom we know.
  const isForCommunity = codesOf(task?.code).includes('community-resource');
  const isKnown = named.some((one) => view.meant(one) !== undefined);
  if (isForCommunity && !isPart && named.length > 0 && !isKnown) return 'ours';
  if (named.length > 0) return 'others';
  if (task !== undefined) return 'open';
  // An order alone may be for anybody in the house: only what the connection lists is for us.
  const concepts = [objectAt(order, 'code'), ...objectsAt(order, 'category')];
  const codings = concepts.flatMap((concept) => objectsAt(concept, 'coding'));
  const isKind = codings.some(({ system, code }) => referralCodes.includes(`${system}|${code}`));
  return isKind ? 'ours' : 'others';
}

/**
 * Whether what they ask for carries out a part of a referral of ours, known by its link or, before that is stored, by our identifier. An order that
 * we answer may well be followed by another one; a Task that we answer is ours with all its parts.
 */
export function isPartOfOurs(view: View, request: JsonObject): boolean {
  const { around, identifierSystem } = view.input;
  return along(view, carriesOut(request, view.baseUrl), carriesOut).some((named) => {
    const origin = around.referred.get(localName(named));
    const body = view.body(named);
    const isMade = body !== undefined && ownIdentifier(body, identifierSystem) !== undefined;
    return isMade || origin === 'made' || (origin === 'theirs' && named.resourceType === 'Task');
  });
}

/** Names of the Tasks that somebody carries out by a Task of their own. */
export function passedOn(view: View): ReadonlySet<string> {
  const names = view.input.rows.flatMap(({ type, resource_type: resourceType, remote_id: id }) => {
    const body = type === 'referral' && resourceType === 'Task' ? view.body({ resourceType, id }) : undefined;
    if (body === undefined || !passesOn(body)) return [];
    return along(view, [{ resourceType, id }], partOf).flatMap((one) => (one.id === id ? [] : [localName(one)]));
  });
  return new Set(names);
}

/** These resources and all that they lead to, each once, as far as they were looked at. */
function along(
  view: View,
  from: readonly Named[],
  lead: (body: JsonObject, baseUrl: string) => readonly Named[],
): Named[] {
  const found = new Map(from.map((named) => [localName(named), named]));
  for (const one of found.values()) {
    const body = view.body(one);
    // A map is walked through to what was added on the way.
    for (const named of body === undefined ? [] : lead(body, view.baseUrl))
      if (!found.has(localName(named))) found.set(localName(named), named);
  }
  return [...found.values()];
}
