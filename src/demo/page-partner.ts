// Referrals to a partner without any software, whose clients agree that it is told.

import { consentRecord, type RecordLine, referralRecord } from './caseload.ts';
import { services } from './directory.ts';
import { denise, maria, type Person } from './people.ts';

export interface OnPage {
  readonly person: Person;
  readonly id: string;
  readonly text: string;
}

/** Answered in the story. */
export const evenings: OnPage = {
  person: denise,
  id: 'referral-denise-childcare',
  text: 'A childcare place for the evening shift',
};

/** Left open, for whoever keeps the demo running. */
export const afterSchool: OnPage = {
  person: maria,
  id: 'referral-maria-childcare',
  text: 'After-school care for two children',
};

/** The consent and the referral. @param now epoch milliseconds; it was sent an hour before */
export function referredToPage({ person, id, text }: OnPage, now: number): RecordLine[] {
  const sentAt = new Date(now - 3_600_000).toISOString();
  const consentId = `consent-${person.name}-oaks`;
  const record = referralRecord(person, {
    id,
    service: 'childcare',
    text,
    domain: 'childcare',
    requestedAt: sentAt,
    sentAt,
    consentId,
  });
  return [
    { type: 'consent', record: consentRecord(person.name, consentId, [services.childcare.organizationId], sentAt) },
    { type: 'referral', record },
  ];
}
