// One referral to a partner with all that it speaks of, as the partner may see it.

import type { PartnerConfig } from '../config.ts';
import { parseReference } from '../fhir/fhir.ts';
import { isObject, type Json, type JsonObject, objectAt, objectsAt, textAt } from '../json.ts';
import type { Store } from '../store/store.ts';
import { mayNotContact, type Visible, visibleTo } from './visible.ts';

export interface HomeReferral {
  readonly task: JsonObject;
  readonly request: JsonObject;
  readonly patient: JsonObject | undefined;
  /** By the client's record as it is now, whatever the order said when it was written. */
  readonly mayContact: boolean;
  /** Who asks: an Organization, or a PractitionerRole. */
  readonly requester: JsonObject | undefined;
  readonly needs: readonly JsonObject[];
  readonly goals: readonly JsonObject[];
  readonly appointments: readonly JsonObject[];
  readonly communications: readonly JsonObject[];
}

/** Those of the partner, the one changed longest ago first; `taskId`: that one only. */
export async function readReferrals(db: Store['db'], partner: PartnerConfig, taskId?: string): Promise<HomeReferral[]> {
  const tasks = await visibleTo(db, partner, {
    type: 'Task',
    ...(taskId !== undefined && { names: [`Task/${taskId}`] }),
  });
  const orders = await byName(
    db,
    partner,
    tasks.flatMap(({ body }) => referenceIn(body.focus)),
  );
  const spokenOf = await byName(
    db,
    partner,
    [...orders.values()].flatMap(({ body }) => referencesIn(body)),
  );
  const basedOn = orders.size === 0 ? [] : await visibleTo(db, partner, { basedOn: [...orders.keys()] });
  return tasks.flatMap((task) => {
    const [name = ''] = referenceIn(task.body.focus);
    const request = orders.get(name)?.body;
    if (request === undefined) return [];
    const named = referencesIn(request)
      .map((reference) => spokenOf.get(reference))
      .filter((one) => one !== undefined);
    const ofType = (resourceType: string) =>
      named.flatMap(({ body }) => (body.resourceType === resourceType ? [body] : []));
    const done = basedOn.flatMap(({ body }) => (isBasedOn(body, name) ? [body] : []));
    const doneOfType = (resourceType: string) => done.filter((body) => body.resourceType === resourceType);
    return [
      {
        task: task.body,
        request,
        patient: ofType('Patient')[0],
        mayContact: !named.some(({ record }) => record?.type === 'client' && mayNotContact(record.content)),
        requester: spokenOf.get(referenceIn(request.requester)[0] ?? '')?.body,
        needs: ofType('Condition'),
        goals: ofType('Goal'),
        appointments: doneOfType('Appointment'),
        communications: doneOfType('Communication'),
      },
    ];
  });
}

async function byName(
  db: Store['db'],
  partner: PartnerConfig,
  names: readonly string[],
): Promise<ReadonlyMap<string, Visible>> {
  if (names.length === 0) return new Map();
  const found = await visibleTo(db, partner, { names: [...new Set(names)] });
  return new Map(found.map((one) => [`${one.resourceType}/${one.id}`, one]));
}

function isBasedOn(body: JsonObject, name: string): boolean {
  return objectsAt(body, 'basedOn').some((reference) => textAt(reference, 'reference') === name);
}

/** What an order speaks of, as `Type/id`, each once. */
function referencesIn(order: JsonObject): string[] {
  const goals = objectsAt(order, 'extension').map((extension) => objectAt(extension, 'valueReference') ?? null);
  const listed = ['performer', 'reasonReference', 'supportingInfo'].flatMap((name) => objectsAt(order, name));
  const all = [order.subject, order.requester, ...listed, ...goals];
  return [...new Set(all.flatMap((reference) => referenceIn(reference)))];
}

export function referenceIn(value: Json | undefined): string[] {
  const parsed = isObject(value) && typeof value.reference === 'string' ? parseReference(value.reference) : undefined;
  return parsed === undefined ? [] : [`${parsed.resourceType}/${parsed.id}`];
}
