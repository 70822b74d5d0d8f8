// What a partner may choose from on the page, by the codes that records hold (records.md 6.1).

import { declineCodes } from '../referrals/referrals.ts';

export const declineReasons = [...declineCodes, 'other'] as const;
export type DeclineReason = (typeof declineReasons)[number];

/** What came of it; the first ones complete the referral, the others end it without the service. */
export const servedOutcomes = ['service-received', 'partly-received'] as const;
const unservedOutcomes = [
  'not-received',
  'client-declined',
  'no-show',
  'unreachable',
  'ineligible',
  'no-capacity',
  'other',
] as const;
export const outcomes = [...servedOutcomes, ...unservedOutcomes] as const;
export type Outcome = (typeof outcomes)[number];

export const contactModes = ['phone', 'in-person', 'video', 'text', 'email', 'mail'] as const;
export type ContactMode = (typeof contactModes)[number];

export const contactOutcomes = ['reached', 'left-message', 'no-answer', 'wrong-number', 'client-declined'] as const;
export type ContactOutcome = (typeof contactOutcomes)[number];

export const agreements = ['proposed', 'booked'] as const;
export type Agreement = (typeof agreements)[number];

/** The forms of the page, by the last part of their addresses. */
const actions = [
  'accept',
  'decline',
  'start',
  'hold',
  'finish',
  'stop',
  'contact',
  'propose',
  'confirm',
  'comment',
] as const;
export type Action = (typeof actions)[number];

export function isAction(text: string | undefined): text is Action {
  return actions.some((action) => action === text);
}
