// What `doctor` says of polling: what it takes of the rate, how long one round really takes, what is not asked for, what could not be read.

import { isObject, type Json, type JsonObject, objectAt, objectsAt, textAt } from '../json.ts';
import { aligned } from './terminal.ts';

/** What asking for changes takes, and how long it really takes. */
export function pollLines(found: Json | undefined): string[] {
  if (!isObject(found)) return [];
  const [day, most, cycle] = [found.requestsPerDay, found.mostPerDay, found.cycleSeconds].map(Number);
  const tiers = objectsAt(found, 'tiers').map(({ name, patients, polls: count, everySeconds, realSeconds, late }) => [
    String(name),
    name === 'all patients' ? '' : `${patients} patients`,
    `${count} searches`,
    `every ${span(Number(everySeconds))}`,
    realSeconds === null ? 'not measured yet' : `really ${span(Number(realSeconds))}`,
    late === 0 ? '' : `${late} late`,
  ]);
  const isTooMuch = (day ?? 0) > (most ?? 0);
  return [
    `  polls need ${day} requests a day; a third of the rate is ${most}, and gets once through all of them in ${span(cycle ?? 0)}`,
    ...(isTooMuch ? ['  ! polls need more than that: all are made, less often. Raise rateLimit or poll.every.'] : []),
    ...aligned(tiers).map((row) => `    ${row.trimEnd()}`),
    ...objectsAt(found, 'notAsked').map((one) => `    not asked: ${textAt(objectAt(one, 'reason'), 'text')}`),
    ...objectsAt(found, 'unreadable').map(
      (one) => `  ! ${one.resourceType}/${one.key}: ${textAt(objectAt(one, 'reason'), 'text')}`,
    ),
    ...objectsAt(found, 'subscriptions').flatMap(subscriptionLines),
  ];
}

function subscriptionLines(one: JsonObject): string[] {
  const { resourceType, status, endsAt, heardAt, missedAt } = one;
  const why = textAt(objectAt(one, 'reason'), 'text');
  const until = typeof endsAt === 'string' ? ` until ${endsAt}` : '';
  return [
    ...(status === null ? [] : [`    notified of ${resourceType}: ${status}${until}, last heard ${heardAt}`]),
    ...(why === undefined ? [] : [`    Subscription to ${resourceType}: ${why}`]),
    ...(missedAt === null
      ? []
      : [`  ! a poll found a change of ${resourceType} at ${missedAt} that no notification told of`]),
  ];
}

/** Seconds in the largest unit that tells them well. */
function span(seconds: number): string {
  if (seconds < 120) return `${Math.round(seconds)} s`;
  return seconds < 7200 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 360) / 10} h`;
}
