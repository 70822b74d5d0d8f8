// What is wrong with the Provenance that a server holds, found from its own journal and store: each resource that a transaction of ours created
// has exactly one that says so, each update exactly one, and nothing is told that did not happen.

import { isObject, type Json, type JsonObject } from '../../src/json.ts';

export interface ProvenanceRequest {
  readonly n: number;
  /** Of the send: a request that arrives twice has the same. */
  readonly sendId: string;
  readonly body: Json | undefined;
  readonly writes: readonly { readonly resourceType: string; readonly id: string; readonly kind: string }[];
}

/** A journal as the control interface of a server gives it. */
export function requestsIn(journal: readonly JsonObject[]): ProvenanceRequest[] {
  return journal.map(({ n, requestHeaders, requestBody, writes }) => ({
    n: Number(n),
    sendId: isObject(requestHeaders) ? String(requestHeaders['x-request-id']) : '',
    body: requestBody,
    writes: (Array.isArray(writes) ? writes.filter(isObject) : []).map(({ resourceType, id, kind }) => ({
      resourceType: String(resourceType),
      id: String(id),
      kind: String(kind),
    })),
  }));
}

/**
 * @param ours the requests that the gateway sent, in order
 * @param held all Provenance on the server
 * @param isOffered whether transactions are to bring Provenance
 */
export function provenanceFaults(
  ours: readonly ProvenanceRequest[],
  held: readonly JsonObject[],
  isOffered: boolean,
): string[] {
  if (!isOffered) return held.map(({ id }) => `Provenance/${id} is there, which the server does not offer`);
  const told = held.flatMap((provenance) => targetsOf(provenance).map((target) => ({ provenance, target })));
  const tellers = (activity: string, target: string) =>
    told.filter((one) => one.target === target && activityOf(one.provenance) === activity).map((one) => one.provenance);
  const made = ours.flatMap((request) =>
    request.writes.map((write) => ({ ...request, ...write, name: nameOf(write) })),
  );
  const resources = made.filter(({ resourceType }) => resourceType !== 'Provenance');
  const created = new Set(resources.flatMap(({ kind, name }) => (kind === 'create' ? [name] : [])));
  const sentWith = new Map(
    made.flatMap(({ resourceType, name, sendId }) => (resourceType === 'Provenance' ? [[name, sendId]] : [])),
  );
  const inTransactions = resources.filter(({ body }) => isObject(body) && body.resourceType === 'Bundle');
  return [
    ...inTransactions.flatMap(({ n, name, kind, sendId }) => {
      const all =
        kind === 'create'
          ? tellers('CREATE', name)
          : tellers('UPDATE', name).filter(({ id }) => sentWith.get(`Provenance/${id}`) === sendId);
      return all.length === 1 ? [] : [`request ${n}: ${kind} ${name} is told ${all.length} times`];
    }),
    ...told.flatMap(({ provenance, target }) => {
      const name = `Provenance/${provenance.id}`;
      const happened =
        activityOf(provenance) === 'CREATE'
          ? created.has(target) && tellers('CREATE', target).length === 1
          : resources.some((one) => one.name === target && one.kind === 'update' && one.sendId === sentWith.get(name));
      return happened ? [] : [`${name} tells of ${activityOf(provenance)} ${target}, which did not happen so`];
    }),
  ];
}

function nameOf({ resourceType, id }: { resourceType: string; id: string }): string {
  return `${resourceType}/${id}`;
}

export function targetsOf({ target }: JsonObject): string[] {
  return (Array.isArray(target) ? target : []).flatMap((one) => (isObject(one) ? [String(one.reference)] : []));
}

export function activityOf({ activity }: JsonObject): string {
  const coding = isObject(activity) && Array.isArray(activity.coding) ? activity.coding[0] : undefined;
  return isObject(coding) ? String(coding.code) : '';
}
