// Nothing is sent on a plan that something had made void before its intents were stored.

import { isObject, type Json } from '../../src/json.ts';
import type { Evidence, Interval } from './evidence.ts';

/** (h) Nothing was sent on a plan that a pause had made void. */
export function sentWhilePaused({ writes, pauses }: Evidence): string[] {
  return writes
    .filter(({ afterCommit }) => isIn(pauses, afterCommit))
    .map(({ worker, method, path }) => `(h) ${worker} sent ${method} ${path} although the connection was paused`);
}

/** (i) Nothing new of a client was sent on a plan that was made before they withdrew their consent. */
export function sentWithoutConsent({ writes, revoked }: Evidence): string[] {
  return writes.flatMap(({ worker, afterCommit, body, method }) => {
    const clients = new Set(creationsIn(method, body).map((record) => record.replace(/^.*?(\d+)$/, 'c$1')));
    return [...clients]
      .filter((client) => isIn(revoked.get(client) ?? [], afterCommit))
      .map((client) => `(i) ${worker} sent something new of ${client}, whose consent was withdrawn`);
  });
}

function isIn(intervals: readonly Interval[], commit: number): boolean {
  return intervals.some(({ from, to }) => from < commit && commit <= to);
}

const ofClients = /"county\/(?:client|case|need|goal|referral|carePlan)\/([\w-]+)#/g;

/** The records of which a request makes resources. */
function creationsIn(method: string, text: string): string[] {
  if (method !== 'POST') return [];
  const body: Json = JSON.parse(text);
  const bundled = isObject(body) && Array.isArray(body.entry) ? body.entry.filter(isObject) : undefined;
  const created = bundled?.filter(({ request }) => isObject(request) && request.method === 'POST') ?? [body];
  return created.flatMap((resource) => [...JSON.stringify(resource).matchAll(ofClients)].flatMap(([, id]) => id ?? []));
}
