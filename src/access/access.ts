// Front door of access/: who may do what. Consent is decided here, and who of a partner's systems may ask for what.

export { type Actor, type AuditEntry, actorName, keepAudit } from './audit.ts';
export { clientKeys } from './client-keys.ts';
export { type ConsentQuestion, isForConsent, isTold, nextConsentDay, type Receiver, withheldBy } from './consent.ts';
export {
  isDirectoryType,
  labelsOf,
  mayName,
  questionAbout,
  type Telling,
  withLabels,
  withLabelsOfConsent,
} from './labels.ts';
export { type RateLimit, rateLimit } from './rate-limit.ts';
export {
  beginSession,
  endSession,
  formToken,
  isFormToken,
  newSecret,
  sessionMinutes,
  sessionOperator,
} from './sessions.ts';
export { type SharedRate, sharedRate } from './shared-rate.ts';
export { openTokenEndpoint, type TokenEndpoint, type TokenHolder } from './token-endpoint.ts';
