// Checks a resource against a profile: what the profile says beyond base R4 (`checkBase` says the rest).

import type { JsonObject } from '../json.ts';
import { baseNotEvaluated } from './check-base.ts';
import { type CompiledProfile, compileProfile } from './compile-profile.ts';
import { isKnownResource } from './elements.ts';
import { type Profiles, shippedProfiles } from './profile-tree.ts';
import { type ProfileIssue, Walk } from './walk.ts';

const compiled = new WeakMap<Profiles, Map<string, CompiledProfile>>();

/**
 * What the profile does not allow in this resource, beyond base R4. `profile` is an id such as 'us-core-patient';
 * an id that no guide has is an issue, too.
 */
export function checkProfile(
  resource: JsonObject,
  profile: string,
  profiles: Profiles = shippedProfiles,
): ProfileIssue[] {
  const found = compiledProfile(profile, profiles);
  const type = typeof resource.resourceType === 'string' ? resource.resourceType : 'Resource';
  const walk = new Walk(resource, profile, type);
  if (!found) {
    walk.report('profile', `No guide has a profile ${profile}.`);
  } else if (found.type !== type) {
    walk.report('profile', `${profile} is a profile of ${found.type}.`);
  } else if (!isKnownResource(type)) {
    walk.report('profile', `The elements of ${type} are not known here, so ${profile} cannot be checked.`);
  } else {
    found.check(resource, walk);
  }
  return walk.issues;
}

/**
 * What `checkProfile` and `checkBase` leave to the server: slices, invariants and value sets that cannot be decided from
 * the resource and the facts. The profiles that reference targets must follow are never looked at.
 */
export function notEvaluated(profile: string, profiles: Profiles = shippedProfiles): string[] {
  const found = compiledProfile(profile, profiles);
  return found ? [...baseNotEvaluated(found.type), ...found.notEvaluated] : [];
}

function compiledProfile(id: string, profiles: Profiles): CompiledProfile | undefined {
  const profile = profiles.byId(id);
  const known = compiled.get(profiles) ?? new Map<string, CompiledProfile>();
  compiled.set(profiles, known);
  let found = known.get(id);
  if (!found && profile) {
    found = compileProfile(profile, profiles);
    known.set(id, found);
  }
  return found;
}
