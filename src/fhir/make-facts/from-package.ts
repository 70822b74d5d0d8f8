// The facts of a guide package as a user makes them, and what of the package they do not hold.

import { CasebridgeError } from '../../errors.ts';
import { notEvaluated } from '../check-profile.ts';
import { isKnownResource, isResourceType } from '../elements.ts';
import { type GuideFacts, type ProfileFacts, shippedGuides } from '../facts.ts';
import { Profiles } from '../profile-tree.ts';
import { readBaseDefinitions } from './base-definitions.ts';
import { makeGuideFacts } from './guide.ts';
import { type PackageFile, readGuidePackage } from './package.ts';

export interface MadeGuide {
  readonly facts: GuideFacts;
  /** Profiles of resources that Casebridge checks. */
  readonly profiles: readonly string[];
  readonly extensions: readonly string[];
  readonly valueSets: {
    /** Every code is known. */
    readonly expanded: readonly string[];
    /** Some code systems are known by name only: any code of theirs is let pass. */
    readonly bySystem: readonly string[];
  };
  readonly leftOut: {
    /** Profiles that the package gives without a snapshot. */
    readonly withoutSnapshot: readonly string[];
    /** Profiles of resource types that Casebridge does not check: `MedicationRequest: us-core-medicationrequest`. */
    readonly otherTypes: readonly string[];
    /** Profiles that references point to and no package holds: any type is let pass. `canonical (profile: element)`. */
    readonly unresolved: readonly string[];
    /** By profile: slices, invariants and value sets that are not checked. */
    readonly notEvaluated: Readonly<Record<string, readonly string[]>>;
  };
}

/**
 * The facts of a package. `dependencies` are packages that it points to; the guides that come with Casebridge are known anyway.
 * @throws CasebridgeError `guide-package-invalid`, `guide-not-r4`, `guide-without-profiles`
 */
export function guideFromPackage(file: PackageFile, dependencies: readonly PackageFile[]): MadeGuide {
  const guide = readGuidePackage(file);
  const library = readBaseDefinitions();
  for (const { url, type } of shippedGuides.flatMap(({ profiles }) => Object.values(profiles))) {
    library.addType(url, type);
  }
  for (const { definitions } of [...dependencies.map((each) => readGuidePackage(each)), guide]) {
    for (const definition of definitions) {
      library.add(definition);
    }
  }
  const unresolved = new Set<string>();
  const facts = makeGuideFacts(library, guide, (canonical, element) => {
    unresolved.add(`${canonical} (${element})`);
  });
  if (Object.keys(facts.profiles).length === 0) {
    throw new CasebridgeError('guide-without-profiles', { guide: guide.id, count: guide.withoutSnapshot.length });
  }
  return { facts, ...told(facts, guide.withoutSnapshot, [...unresolved]) };
}

function told(
  facts: GuideFacts,
  withoutSnapshot: readonly string[],
  unresolved: readonly string[],
): Omit<MadeGuide, 'facts'> {
  const all = Object.entries(facts.profiles);
  const profiles = idsOf(all, ({ type }) => isKnownResource(type));
  const others = all.filter(([, { type }]) => isResourceType(type) && !isKnownResource(type));
  const together = new Profiles([...shippedGuides.filter(({ guide }) => guide !== facts.guide), facts]);
  const left = profiles.map((id) => [id, [...new Set(notEvaluated(id, together))]] as const);
  const valueSets = Object.entries(facts.valueSets);
  return {
    profiles,
    extensions: idsOf(all, ({ type }) => type === 'Extension'),
    valueSets: {
      expanded: valueSets.filter(([, { systems }]) => systems === undefined).map(([url]) => url),
      bySystem: valueSets.filter(([, { systems }]) => systems !== undefined).map(([url]) => url),
    },
    leftOut: {
      withoutSnapshot,
      otherTypes: others.map(([id, { type }]) => `${type}: ${id}`).sort(),
      unresolved,
      notEvaluated: Object.fromEntries(left.filter(([, lines]) => lines.length > 0)),
    },
  };
}

function idsOf(all: readonly (readonly [string, ProfileFacts])[], is: (facts: ProfileFacts) => boolean): string[] {
  return all.filter(([, facts]) => is(facts)).map(([id]) => id);
}
