// Who may see what. Consent decides what leaves for whom.

export { type ConsentQuestion, withheldBy } from './consent.ts';
