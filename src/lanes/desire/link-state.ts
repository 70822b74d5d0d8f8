// A link and a look as the store keeps them, read as a lane's resource has them; and by what its next generation is known. Pure.

import { fullUrl } from '../../fhir/fhir.ts';
import type { SlotRef } from '../../mapping/mapping.ts';
import type { LinkState, Observation } from '../lane-resource.ts';
import { ownValue } from '../own-identifier.ts';
import type { DesireInput } from './desire-input.ts';
import type { LinkRow, SeenRow } from './known.ts';

/** Retired links keep their number; what takes their place is the next generation (lanes.md 17). */
export function generationAfter(links: readonly LinkRow[], { type, id, slot }: SlotRef): number {
  const retired = links.filter(
    (link) => link.type === type && link.id === id && link.slot === slot && link.retired_at !== null,
  );
  return 1 + Math.max(0, ...retired.map(({ generation }) => generation));
}

export function placeholderFor(input: DesireInput, target: SlotRef, generation: number): string {
  const { placeholderUrls } = input.memory;
  const value = ownValue(input.lease.source, target, generation);
  const url = placeholderUrls.get(value) ?? fullUrl(input.identifierSystem, value);
  placeholderUrls.set(value, url);
  return url;
}

export function linkState(link: LinkRow): LinkState {
  return {
    generation: link.generation,
    remoteId: link.remote_id ?? '',
    origin: link.origin === 'found' || link.origin === 'theirs' ? link.origin : 'created',
    retired: link.retired_at !== null,
    sent: link.sent ?? undefined,
    seen: link.seen ?? undefined,
    seenHash: link.seen_hash ?? undefined,
    versionTag: link.version_tag ?? undefined,
    form: link.form ?? undefined,
    sentVersion: sentVersionOf(link),
  };
}

/** Of a link from before that was kept: the version that was there when all was sent. */
function sentVersionOf({ sent_version: version, form, state, record_version: looked }: LinkRow): number | undefined {
  const isOld = version === null && form === null && (state === 'current' || state === 'read');
  return (isOld ? looked : version) ?? undefined;
}

export function observation(seen: SeenRow, fresh: ReadonlySet<string>): Observation | undefined {
  if (seen.body === null || seen.gone) return undefined;
  return {
    body: seen.body,
    versionTag: seen.version_tag ?? undefined,
    hash: seen.hash ?? '',
    isFresh: fresh.has(`${seen.resource_type}/${seen.remote_id}`),
    ...(seen.origin === 'adt' && { isTold: true }),
  };
}
