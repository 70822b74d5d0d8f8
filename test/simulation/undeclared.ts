// What a server does not take is not sent: its CapabilityStatement is the measure, of each vendor and with each switch.

import { isObject, type Json, type JsonObject } from '../../src/json.ts';
import { SandboxRequest } from '../../src/sandbox/exchange.ts';
import type { JournalEntry } from '../../src/sandbox/journal.ts';
import type { Evidence } from './evidence.ts';

/** (k) Every request of ours is an interaction that the server declares, and names no condition that it does not know. */
export async function undeclared({ site, swarm }: Evidence): Promise<string[]> {
  const { server, fhirPath, config } = site;
  const url = new URL(`${config.baseUrl}/metadata`);
  const { reply } = await server.answer(new SandboxRequest('GET', url, { accept: 'application/fhir+json' }, ''));
  const declared = interactionsIn(JSON.parse(String(reply.body)));
  const isConditional = site.vendor === 'standard' && swarm.conditionalCreate !== 'none';
  return server.journal
    .list(0, Number.POSITIVE_INFINITY)
    .filter(({ requestHeaders }) => requestHeaders.from !== 'partner')
    .flatMap((entry) => {
      const path = entry.url.slice(fhirPath.length + 1).replace(/\?.*$/, '');
      const isTaken = isDeclared(entry.method, path, declared) && (isConditional || !isConditioned(entry));
      return isTaken ? [] : [`(k) ${site.id} was sent ${entry.method} ${path}, which it does not take`];
    });
}

function isConditioned({ requestHeaders, requestBody }: JournalEntry): boolean {
  return requestHeaders['if-none-exist'] !== undefined || JSON.stringify(requestBody ?? '').includes('"ifNoneExist"');
}

/** By resource type, operations as `$name`; that of the whole server under ''. */
function interactionsIn(statement: JsonObject): ReadonlyMap<string, ReadonlySet<string>> {
  const [rest] = objects(statement.rest);
  const all = objects(rest?.resource).map((resource): [string, Set<string>] => [
    String(resource.type),
    new Set([
      ...objects(resource.interaction).map(({ code }) => String(code)),
      ...objects(resource.operation).map(({ name }) => `$${String(name)}`),
    ]),
  ]);
  return new Map([...all, ['', new Set(objects(rest?.interaction).map(({ code }) => String(code)))]]);
}

function isDeclared(method: string, path: string, declared: ReadonlyMap<string, ReadonlySet<string>>): boolean {
  if (path === 'metadata' || path.startsWith('.well-known/')) return true;
  if (path === '') return declared.get('')?.has('transaction') === true;
  const [type = '', second] = path.split('/');
  const interactions: Readonly<Record<string, string>> = {
    GET: second === undefined ? 'search-type' : 'read',
    POST: second?.startsWith('$') ? second : 'create',
    PUT: 'update',
    PATCH: 'patch',
  };
  return declared.get(type)?.has(interactions[method] ?? '') === true;
}

function objects(list: Json | undefined): JsonObject[] {
  return Array.isArray(list) ? list.filter(isObject) : [];
}
