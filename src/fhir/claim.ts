// The claim ladder: which profile a resource may claim in meta.profile.

import type { JsonObject } from '../json.ts';
import { checkProfile } from './check-profile.ts';
import { type Profiles, shippedProfiles } from './profile-tree.ts';
import type { ProfileIssue } from './walk.ts';

export interface Claim {
  /** Canonical URL without version; absent: only base R4 may be claimed. */
  readonly claimed?: string;
  /** For each profile that was passed over, the rules that failed. */
  readonly stepsDown: ProfileIssue[];
}

/**
 * The first profile of the ladder that the resource satisfies, given that `checkBase` found no error in it.
 * Ids as in `checkProfile`, the most specific first.
 */
export function claimProfile(
  resource: JsonObject,
  ladder: readonly string[],
  profiles: Profiles = shippedProfiles,
): Claim {
  const stepsDown: ProfileIssue[] = [];
  for (const profile of ladder) {
    const failed = checkProfile(resource, profile, profiles).filter(({ severity }) => severity === 'error');
    const claimed = profiles.byId(profile)?.facts.url;
    if (failed.length === 0 && claimed !== undefined) {
      return { claimed, stepsDown };
    }
    stepsDown.push(...failed);
  }
  return { stepsDown };
}
