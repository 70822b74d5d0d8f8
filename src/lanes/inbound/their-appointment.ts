// An appointment that a partner makes for a referral, as the record that the source is offered. Pure.

import { type JsonObject, textAt } from '../../json.ts';
import { isInstant } from '../../records/records.ts';
import { cut } from './cut.ts';

const statuses: Readonly<Record<string, string>> = {
  proposed: 'proposed',
  pending: 'proposed',
  booked: 'booked',
  arrived: 'arrived',
  'checked-in': 'arrived',
  fulfilled: 'kept',
  noshow: 'no-show',
};

/** Undefined: it is called off, or lacks the time that a record must have. @param at when it was made so */
export function appointmentRecord(
  appointment: JsonObject,
  referral: JsonObject,
  { organization, at }: { readonly organization: string | undefined; readonly at: string },
): JsonObject | undefined {
  const [title, place] = [lineAt(appointment, 'description'), lineAt(appointment, 'comment')?.replace(/^Place: /, '')];
  const { start, end } = appointment;
  const status = statuses[textAt(appointment, 'status') ?? ''];
  const referralId = textAt(referral, 'id');
  if (status === undefined || !isInstant(start)) return undefined;
  return {
    kind: 'partner',
    status,
    ...Object.fromEntries(['clientId', 'caseId'].flatMap((name) => (name in referral ? [[name, referral[name]]] : []))),
    ...(referralId !== undefined && { referralId }),
    ...(organization !== undefined && { with: { organizationId: organization } }),
    ...(title !== undefined && { title }),
    startsAt: start,
    ...(isInstant(end) && end !== start && { endsAt: end }),
    ...(place !== undefined && { place: { name: place } }),
    updatedAt: at,
  };
}

const longestLine = 250;

/** As a record holds it: one line. */
function lineAt(resource: JsonObject, element: string): string | undefined {
  const text = textAt(resource, element)?.replaceAll(/\s+/g, ' ');
  return text && cut(text, longestLine);
}
