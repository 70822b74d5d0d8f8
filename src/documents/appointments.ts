// What is said of appointments and of the rides to them. Addresses, links and confirmations stay out; so does the place of a partner who may
// not be named.

import { type JsonObject, objectAt, textAt } from '../json.ts';
import { shown } from './clean.ts';
import { type Find, nameable, organizationName, workerFacts } from './directory.ts';
import { byRank } from './order.ts';
import { present } from './values.ts';

export function appointmentFacts(appointments: readonly JsonObject[], find: Find): JsonObject[] {
  return byRank(appointments, (appointment) => [Date.parse(textAt(appointment, 'startsAt') ?? '') || 0]).map(
    (appointment) => {
      const party = objectAt(appointment, 'with');
      const organizationId = textAt(party, 'organizationId');
      const organization =
        organizationId === undefined ? undefined : nameable(find('organization', organizationId), appointment);
      const place = objectAt(appointment, 'place');
      const workerId = textAt(party, 'workerId');
      const worker = workerId === undefined ? undefined : nameable(find('worker', workerId), appointment);
      // A name or a place beside an organization that may not be named would name it.
      const hidden = organization === undefined && organizationId !== undefined;
      return present({
        id: textAt(appointment, 'id'),
        kind: textAt(appointment, 'kind'),
        title: hidden ? undefined : shown(textAt(appointment, 'title'), 90),
        status: textAt(appointment, 'status'),
        startsAt: textAt(appointment, 'startsAt'),
        mode: textAt(appointment, 'mode'),
        with: hidden ? undefined : shown(textAt(party, 'name'), 90),
        worker: textAt(workerFacts(worker), 'name'),
        organization: organizationName(organization),
        place: hidden || isConfidential(place) ? undefined : shown(textAt(place, 'name'), 90),
        ride: rideFacts(appointment, find),
        interpreter: interpreterFacts(objectAt(appointment, 'interpreter')),
      });
    },
  );
}

function isConfidential(place: JsonObject | undefined): boolean {
  return objectAt(place, 'address')?.confidential === true;
}

function rideFacts(appointment: JsonObject, find: Find): JsonObject | undefined {
  const transport = objectAt(appointment, 'transport');
  if (transport?.needed !== true) return undefined;
  const providerId = textAt(transport, 'providerId');
  const provider = providerId === undefined ? undefined : nameable(find('organization', providerId), appointment);
  return present({
    kind: textAt(transport, 'kind'),
    status: textAt(transport, 'status'),
    provider: organizationName(provider),
    pickupAt: textAt(transport, 'pickupAt'),
    wheelchair: transport.wheelchair === true || undefined,
  });
}

function interpreterFacts(interpreter: JsonObject | undefined): JsonObject | undefined {
  return (
    interpreter &&
    present({ language: textAt(interpreter, 'language'), booked: interpreter.booked === true || undefined })
  );
}
