// Who may see what. Consent decides what leaves for whom.

export { type AttemptLimit, type Attempts, countAttempts } from './attempts.ts';
export { type Look, noteLook } from './audit.ts';
export { type ConsentQuestion, withheldBy } from './consent.ts';
export {
  beginSession,
  endSession,
  formToken,
  isFormToken,
  newSecret,
  sessionMinutes,
  sessionOperator,
} from './sessions.ts';
