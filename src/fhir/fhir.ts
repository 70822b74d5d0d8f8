// Front door of fhir/: what other folders may use of FHIR itself.

export { checkBase } from './check-base.ts';
export { checkProfile, notEvaluated } from './check-profile.ts';
export { type Claim, claimProfile } from './claim.ts';
export { childNames, type ElementFact, elementFact, isResourceType } from './elements.ts';
export { canonicalJson, contentHash, fullUrl, identifierValue } from './hashing.ts';
export { type OutcomeIssue, operationOutcome, type Severity, worstIssue } from './outcome.ts';
export { profileIds, profileUrl } from './profile-tree.ts';
export { type ParsedReference, parseReference } from './references.ts';
export { mustSupportPaths, type RequiredPath, requiredPaths } from './required.ts';
export type { ProfileIssue } from './walk.ts';
