// What may be told only with a consent that names it: a referral to a program for substance use (42 CFR part 2), and that consent, which is
// signed a week later and is for the client's hospital alone.

import type { ConsentRecord, ReferralRecord } from '../records/records.ts';
import type { RecordLine } from './caseload.ts';
import { services } from './directory.ts';
import { walter } from './other-people.ts';
import { places } from './places.ts';

const about = { clientId: `client-${walter.name}`, caseId: `case-${walter.name}` };
const sensitivity: ReferralRecord['sensitivity'] = ['substance-use-part2'];
const sentAt = '2025-03-17T10:00:00-04:00';
const signedAt = '2025-03-24T14:00:00-04:00';
const byId = `worker-${walter.worker}`;

export const guardedReferral: ReferralRecord = {
  id: 'referral-walter-2',
  updatedAt: sentAt,
  sensitivity,
  ...about,
  direction: 'outgoing',
  serviceId: 'service-recovery',
  organizationId: services.recovery.organizationId,
  requestedService: services.recovery.code,
  requestedText: 'A place in the evening group on Wednesdays',
  domain: 'other',
  urgency: 'routine',
  status: 'sent',
  history: [{ id: 'sent', status: 'sent', at: sentAt, byId }],
  requestedAt: sentAt,
  sentAt,
  requesterOrganizationId: 'org-riverside',
  requestedById: byId,
  channel: 'phone',
  consentId: 'consent-walter-2',
};

export const guardedConsent: ConsentRecord = {
  id: 'consent-walter-2',
  updatedAt: signedAt,
  ...about,
  status: 'active',
  scope: ['referral'],
  recipients: [{ organizationId: places.stBrigid.organizationId }],
  recordTypes: ['referral'],
  sensitivity,
  part2: { redisclosureNotice: true },
  purpose: ['care-coordination'],
  period: { from: '2025-03-24' },
  givenBy: { role: 'client' },
  signedAt,
  method: 'electronic',
};

/** Both; the demo sends the consent last. */
export const guarded: readonly RecordLine[] = [
  { type: 'consent', record: guardedConsent },
  { type: 'referral', record: guardedReferral },
];
