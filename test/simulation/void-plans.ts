// Nothing is sent on a plan that something had made void before its intents were stored.

import { isObject, type Json, type JsonObject } from '../../src/json.ts';
import { patientOf } from '../../src/lanes/patients/patient-of.ts';
import { clientsOn, type Evidence, type Interval, isRetired } from './evidence.ts';
import { textOf } from './filed-documents.ts';

/** (h) Nothing was sent on a plan that a pause had made void. */
export function sentWhilePaused({ writes, pauses }: Evidence): string[] {
  return writes
    .filter(({ afterCommit }) => isIn(pauses, afterCommit))
    .map(({ worker, method, path }) => `(h) ${worker} sent ${method} ${path} although the connection was paused`);
}

/** (m) Nothing was sent on a plan by a mapping that had been replaced. */
export function sentByOldMapping({ writes, activations }: Evidence): string[] {
  return writes
    .filter(({ mapping, afterCommit }) => mapping !== activations.findLast(({ from }) => from < afterCommit)?.version)
    .map(
      ({ worker, method, path }) => `(m) ${worker} sent ${method} ${path} by a mapping that was not active any more`,
    );
}

/** (i) Nothing of a client was told on a plan that was made before they withdrew their consent; what is recalled tells nothing. */
export function sentWithoutConsent({ writes, revoked, server }: Evidence): string[] {
  const patients = clientsOn(server);
  return writes.flatMap(({ worker, afterCommit, body, method }) => {
    const clients = new Set(written(method, body).flatMap((one) => clientsToldOf(one, patients)));
    return [...clients]
      .filter((client) => isIn(revoked.get(client) ?? [], afterCommit))
      .map((client) => `(i) ${worker} told of ${client}, whose consent was withdrawn`);
  });
}

function isIn(intervals: readonly Interval[], commit: number): boolean {
  return intervals.some(({ from, to }) => from < commit && commit <= to);
}

interface Written {
  readonly isNew: boolean;
  readonly resource: JsonObject;
}

/** The resources that a request makes or changes. */
function written(method: string, text: string): Written[] {
  const body: Json = JSON.parse(text);
  if (!isObject(body)) return [];
  if (!Array.isArray(body.entry)) return [{ isNew: method === 'POST', resource: body }];
  return body.entry
    .filter(isObject)
    .flatMap(({ request, resource }) =>
      isObject(request) && isObject(resource) ? [{ isNew: request.method === 'POST', resource }] : [],
    );
}

const ofClients = /"county\/(?:client|case|need|goal|referral|carePlan)\/[a-z]+(?:-x\d+-)?(\d+)#/g;

/** A record may have moved since: whom a resource tells of is who is in whose chart it is; without one it is told by the number of the record. */
function clientsToldOf({ isNew, resource }: Written, patients: ReadonlyMap<string, string>): string[] {
  if (resource.resourceType === 'DocumentReference') return isTelling(textOf(resource)) ? patientsOf(resource) : [];
  const text = JSON.stringify(resource);
  return isNew || (isTelling(text) && !isRetired(resource))
    ? [...text.matchAll(ofClients)].map(([, at]) => patients.get(patientOf(resource) ?? '') ?? `c${at}`)
    : [];
}

function patientsOf({ subject }: JsonObject): string[] {
  return [...JSON.stringify(subject).matchAll(/"Patient\/patient-(\d+)"/g)].map(([, at]) => `c${at}`);
}

/** It repeats a version of a record. */
function isTelling(text: string): boolean {
  return /\(v\d+\)/.test(text);
}
