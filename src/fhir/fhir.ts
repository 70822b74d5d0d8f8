// Front door of fhir/: what other folders may use of FHIR itself.

export { checkBase } from './check-base.ts';
export { checkProfile, notEvaluated } from './check-profile.ts';
export { claimProfile } from './claim.ts';
export { childNames, type ElementFact, elementFact, isResourceType, resourceTypes } from './elements.ts';
export type { GuideFacts } from './facts.ts';
export { profilesWith, readGuideFacts } from './guide-file.ts';
export { canonicalJson, contentHash, fullUrl, identifierValue } from './hashing.ts';
export { checkMade, type Made, type MadeElement } from './made.ts';
export { guideFromPackage, type MadeGuide } from './make-facts/from-package.ts';
export type { PackageFile } from './make-facts/package.ts';
export { type OutcomeIssue, operationOutcome, worstIssue } from './outcome.ts';
export { type Profiles, profileIds, profileUrl, shippedProfiles } from './profile-tree.ts';
export { isId, parseReference } from './references.ts';
export { mustSupportPaths, requiredPaths } from './required.ts';
export { compileFilter, type Filter, indexKey, type SearchParameter } from './search/filter.ts';
export { dateSpan, type SearchType, type SearchValue, searchTypes, searchValues } from './search/values.ts';
export type { ProfileIssue } from './walk.ts';
