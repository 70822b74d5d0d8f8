// The minimum that a partner may hold of a case: the referrals that are made to it, and what they speak of (`share: referrals`). Pure. What others
// point at, such as organizations, gets a lane only once somebody waits for it (`run/run.ts`), so all of it belongs to a referral.

import { type JsonObject, textAt, textsAt } from '../../json.ts';
import type { RecordType } from '../../records/records.ts';

export interface ShareQuestion {
  readonly type: RecordType;
  readonly record: JsonObject;
  /** Those of the client that are made to the receiver. */
  readonly referred: readonly JsonObject[];
}

/** Types that tell of the client itself, and are there for the sake of the open referrals that speak of it. */
export const clientTypes = ['client', 'need', 'goal', 'consent'] as const;

/** Whether the record belongs to a referral that is made to the receiver. */
export function isShared({ type, record, referred }: ShareQuestion): boolean {
  const id = textAt(record, 'id') ?? '';
  const names = (field: string) => referred.some((referral) => textsAt(referral, field).includes(id));
  switch (type) {
    case 'organization':
    case 'service':
    case 'worker':
      return true;
    case 'client':
      return referred.length > 0;
    case 'referral':
      return referred.some((referral) => referral.id === id);
    case 'need':
      return names('needIds');
    case 'goal':
      return names('goalIds');
    case 'consent':
      return referred.some((referral) => referral.consentId === id);
    case 'appointment':
      return referred.some((referral) => referral.id === record.referralId);
    default:
      return false;
  }
}

/** The referrals that ask this organization, by itself or by one of its services, for something. */
export function referredTo(
  organization: string | undefined,
  referrals: readonly JsonObject[],
  organizationOfService: (serviceId: string) => string | undefined,
): JsonObject[] {
  return referrals.filter((referral) => {
    const service = textAt(referral, 'serviceId');
    const performer =
      textAt(referral, 'organizationId') ?? (service === undefined ? undefined : organizationOfService(service));
    return organization !== undefined && performer === organization && referral.direction === 'outgoing';
  });
}
