// What a notification of a FHIR server says is new: R4 rest-hook (the resource, or nothing), and the R4 backport of topics 1.1.0 (a Bundle whose
// first entry is the status of the Subscription). Nothing of it is believed but that something is new. Pure.

import { type Json, type JsonObject, objectAt, objectsAt, textAt } from '../json.ts';
import { type HeardOf, type NewsOf, patientsIn } from '../lanes/lanes.ts';

export interface Notification {
  readonly news: readonly NewsOf[];
  /** Of a Subscription to a topic. */
  readonly subscription?: HeardOf;
}

const anything: Notification = { news: [{}] };

/** @param addressed the type in the address, where the server puts the resource itself there */
export function readNotification(body: JsonObject | undefined, baseUrl: string, addressed?: string): Notification {
  if (body === undefined) return addressed === undefined ? anything : { news: [{ resourceType: addressed }] };
  const { resourceType } = body;
  if (resourceType === 'Bundle') return readBundle(body, baseUrl);
  if (typeof resourceType !== 'string') return anything;
  return { news: newsOf(body, baseUrl) };
}

function newsOf(resource: JsonObject, baseUrl: string): NewsOf[] {
  const of = { ...(typeof resource.resourceType === 'string' && { resourceType: resource.resourceType }) };
  const patients = patientsIn(resource, baseUrl);
  return patients.length === 0 ? [of] : patients.map((patient) => ({ ...of, patient }));
}

function readBundle(bundle: JsonObject, baseUrl: string): Notification {
  const resources = objectsAt(bundle, 'entry').map((entry) => objectAt(entry, 'resource'));
  const [first] = resources;
  const status = first && readStatus(first);
  if (status === undefined)
    return { news: resources.length === 0 ? [{}] : resources.flatMap((one) => (one ? newsOf(one, baseUrl) : [])) };
  const { kind, focuses, ...heard } = status;
  const subscription = { ...heard, id: relative(heard.id, baseUrl) };
  if (kind === 'handshake' || kind === 'heartbeat') return { news: [], subscription };
  // What the Bundle brings along tells more: in whose chart it is.
  const brought = resources.slice(1).flatMap((resource) => (resource === undefined ? [] : newsOf(resource, baseUrl)));
  const named = focuses.flatMap(
    (focus) => /(?:^|\/)([A-Z][A-Za-z]+)\/[^/]+(?:\/_history\/[^/]+)?$/.exec(focus)?.[1] ?? [],
  );
  const others = named.filter((type) => !brought.some((one) => one.resourceType === type));
  const news = [...brought, ...[...new Set(others)].map((resourceType) => ({ resourceType }))];
  return { news: news.length === 0 ? [{}] : news, subscription };
}

interface Status extends HeardOf {
  /** handshake, heartbeat, event-notification, query-status, query-event. */
  readonly kind: string;
  readonly focuses: readonly string[];
}

/** The status as Parameters (R4), or as the resource that R4B and R5 have for it. */
function readStatus(resource: JsonObject): Status | undefined {
  if (resource.resourceType === 'SubscriptionStatus') {
    const events = objectsAt(resource, 'notificationEvent');
    return statusOf({
      id: textAt(objectAt(resource, 'subscription'), 'reference'),
      topic: textAt(resource, 'topic'),
      status: textAt(resource, 'status'),
      kind: textAt(resource, 'type'),
      events: [resource.eventsSinceSubscriptionStart, ...events.map(({ eventNumber }) => eventNumber)],
      focuses: events.map((event) => textAt(objectAt(event, 'focus'), 'reference')),
    });
  }
  if (resource.resourceType !== 'Parameters') return undefined;
  const part = (parameters: readonly JsonObject[], name: string) => parameters.find((one) => one.name === name);
  const all = objectsAt(resource, 'parameter');
  const events = all.filter(({ name }) => name === 'notification-event').map((event) => objectsAt(event, 'part'));
  return statusOf({
    id: textAt(objectAt(part(all, 'subscription'), 'valueReference'), 'reference'),
    topic: textAt(part(all, 'topic'), 'valueCanonical'),
    status: textAt(part(all, 'status'), 'valueCode'),
    kind: textAt(part(all, 'type'), 'valueCode'),
    events: [
      numberIn(part(all, 'events-since-subscription-start')),
      ...events.map((parts) => numberIn(part(parts, 'event-number'))),
    ],
    focuses: events.map((parts) => textAt(objectAt(part(parts, 'focus'), 'valueReference'), 'reference')),
  });
}

function numberIn(parameter: JsonObject | undefined): Json | undefined {
  return parameter?.valueString ?? parameter?.valueInteger64 ?? parameter?.valueInteger ?? parameter?.valueUnsignedInt;
}

function statusOf(found: {
  readonly id: string | undefined;
  readonly topic: string | undefined;
  readonly status: string | undefined;
  readonly kind: string | undefined;
  readonly events: readonly (Json | undefined)[];
  readonly focuses: readonly (string | undefined)[];
}): Status | undefined {
  if (found.kind === undefined && found.id === undefined) return undefined;
  const numbers = found.events.map(Number).filter((number) => Number.isSafeInteger(number) && number >= 0);
  return {
    id: found.id ?? '',
    ...(found.topic !== undefined && { topic: found.topic }),
    status: statuses.find((known) => known === found.status) ?? 'active',
    kind: found.kind ?? 'event-notification',
    events: Math.max(0, ...numbers),
    focuses: found.focuses.filter((focus) => focus !== undefined),
  };
}

const statuses = ['requested', 'active', 'error', 'off'];
const longestName = 256;

/** What the server calls its own Subscription. */
function relative(reference: string, baseUrl: string): string {
  const name = reference.startsWith(`${baseUrl}/`) ? reference.slice(baseUrl.length + 1) : reference;
  return name.slice(0, longestName);
}
