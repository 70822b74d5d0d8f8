// The searchset of this server: matches, and what it has to say in an entry of its own.

import { randomUUID } from 'node:crypto';
import type { JsonObject } from '../../../json.ts';
import type { Version } from '../../engine/store.ts';
import { type EpicIssue, epicOutcome } from './outcome.ts';
import { type Site, shownBy } from './site.ts';

/** A searchset; its total is the number of matches in it (E16). */
export function searchset(
  site: Site,
  self: string,
  entries: readonly JsonObject[],
  issues: readonly EpicIssue[],
  next?: string,
): JsonObject {
  const outcome = {
    fullUrl: `urn:uuid:${randomUUID()}`,
    resource: epicOutcome(site.settings, issues),
    search: { mode: 'outcome' },
  };
  const entry = issues.length === 0 ? [...entries] : [...entries, outcome];
  return {
    resourceType: 'Bundle',
    type: 'searchset',
    total: entries.length,
    link: [...(next === undefined ? [] : [{ relation: 'next', url: next }]), { relation: 'self', url: self }],
    ...(entry.length > 0 && { entry }),
  };
}

/** @param search its mode, and what else is said of the match */
export function searchEntry(site: Site, version: Version, search: JsonObject): JsonObject {
  const url = `${site.base}/${version.resourceType}/${version.id}`;
  return { link: [{ relation: 'self', url }], fullUrl: url, resource: shownBy(site, version), search };
}
