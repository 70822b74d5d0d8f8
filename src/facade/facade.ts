// Front door of facade/: the FHIR interface that Casebridge itself serves to the systems of partners (closed-loop B1, direct light). It knows nothing of
// HTTP but methods, addresses and headers, and throws what it refuses.

import {
  type Actor,
  type AuditEntry,
  clientKeys,
  openTokenEndpoint,
  type TokenEndpoint,
  type TokenHolder,
} from '../access/access.ts';
import type { Config } from '../config.ts';
import { type Action, allowedActions, guardedLookup, openExchanger } from '../connections/connections.ts';
import { CasebridgeError } from '../errors.ts';
import { isId, isResourceType } from '../fhir/fhir.ts';
import type { Home, HomeResource, IdentifierSought } from '../home/home.ts';
import { isObject, type Json, type JsonObject } from '../json.ts';
import type { Store } from '../store/store.ts';
import { offers } from './offers.ts';
import { search } from './search.ts';
import { type Addresses, capabilityStatement, smartConfiguration } from './statement.ts';

/** The interface, and the token endpoint that lets partners in. */
export interface PartnerInterface {
  readonly facade: Facade;
  readonly tokens: TokenEndpoint;
  /** What tells partners where to get a token. */
  readonly smartConfiguration: JsonObject;
}

/** Opens the interface under the public address of this server. */
export function openPartnerInterface(
  store: Store,
  { partners, server: { publicUrl, port } }: Pick<Config, 'partners' | 'server'>,
  home: Home,
): PartnerInterface {
  // Without a public address no partner has a client, and only the statement is shown.
  const own = publicUrl ?? `http://localhost:${port}`;
  const addresses = { base: `${own}/fhir/R4`, token: `${own}/oauth/token` };
  const exchangerOf = (allowPrivate: boolean) =>
    openExchanger({ connection: 'partners', concurrency: 4, limits: keyLimits, lookup: guardedLookup(allowPrivate) });
  const [outside, inside] = [exchangerOf(false), exchangerOf(true)];
  const tokens = openTokenEndpoint({
    store,
    partners,
    audience: addresses.token,
    offered: Object.keys(offers),
    keys: clientKeys((allowPrivate) => (allowPrivate ? inside : outside), Date.now),
    now: Date.now,
  });
  return { facade: openFacade(home, addresses), tokens, smartConfiguration: smartConfiguration(addresses) };
}

/** Of a request for a partner's public keys. */
const keyLimits = { connectMs: 5_000, totalMs: 5_000, replyBytes: 100_000, requestBytes: 1_000 };

/** Whether partners are offered anything of this type. */
export function isOfferedType(resourceType: string): boolean {
  return Object.hasOwn(offers, resourceType);
}

export interface FacadeCall {
  /** GET for HEAD, which is answered alike. */
  readonly method: string;
  /** Below the base, without a slash at the start: `Task/1`. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** Reads the body; called only where one is taken. */
  readonly body: () => Promise<Json>;
  readonly requestId: string;
}

export interface FacadeAnswer {
  readonly status: number;
  readonly body: JsonObject;
  /** Media type of what is no FHIR, and is answered whatever is asked for. @default application/fhir+json */
  readonly type?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Facade {
  /** What anybody may ask; undefined: it needs a token. */
  open(call: FacadeCall): FacadeAnswer | undefined;
  /**
   * What the holder of a token asks.
   * @throws CasebridgeError `scope-missing`, `resource-not-theirs`, `partner-type-unknown`, `interaction-unknown`, `if-match-missing`, and those of `Home` and of searches
   */
  answer(call: FacadeCall, holder: TokenHolder): Promise<FacadeAnswer>;
}

function openFacade(home: Home, addresses: Addresses): Facade {
  return {
    open({ method, path }) {
      if (method !== 'GET') return undefined;
      if (path === 'metadata') return { status: 200, body: capabilityStatement(addresses) };
      return path === '.well-known/smart-configuration'
        ? { status: 200, body: smartConfiguration(addresses), type: 'application/json' }
        : undefined;
    },

    async answer(call, holder) {
      const by: Actor = { kind: 'client', id: holder.client.id, requestId: call.requestId };
      try {
        const asked = readAsked(call);
        checkScope(holder, asked);
        return await carryOut(home, addresses, call, asked, holder.partner.id, by);
      } catch (error) {
        if (error instanceof CasebridgeError)
          await home.audit({ partner: holder.partner.id, by, ...namesIn(call), outcome: error.code });
        throw error;
      }
    },
  };
}

interface Asked {
  readonly action: Action;
  readonly resourceType: string;
  readonly id: string | undefined;
}

/** What the audit may hold of an address: somebody may have written a person's name into it. */
function namesIn({ method, path }: FacadeCall): Pick<AuditEntry, 'action' | 'resourceType' | 'ids'> {
  const [type = '', id] = path.split('/');
  return {
    action: actionOf(method, id) ?? method.toLowerCase(),
    resourceType: isResourceType(type) ? type : 'unknown',
    ids: id !== undefined && isId(id) ? [id] : [],
  };
}

/** @throws CasebridgeError `partner-type-unknown`, `interaction-unknown`, `resource-not-theirs` for what cannot be an id */
function readAsked({ method, path, headers }: FacadeCall): Asked {
  const [resourceType = '', id, ...rest] = path.split('/');
  if (resourceType !== '' && !isOfferedType(resourceType)) throw new CasebridgeError('partner-type-unknown');
  const action = actionOf(method, id);
  const isOffered = offers[resourceType]?.actions.some((one) => one === action) === true;
  const isConditional = headers['if-none-exist'] !== undefined;
  const isCreate = action === 'create';
  if (action === undefined || !isOffered || (isConditional && !isCreate) || rest.length > 0 || id === '')
    throw new CasebridgeError('interaction-unknown');
  if (id !== undefined && !isId(id)) throw new CasebridgeError('resource-not-theirs', { resourceType });
  return { action, resourceType, id };
}

/** What may be sent to this path, as Allow names it: nothing where there is no such address. */
export function methodsAt(path: string): string[] {
  const [resourceType = '', id, ...rest] = path.split('/');
  if (rest.length > 0 || id === '') return [];
  const offered: readonly (Action | undefined)[] = offers[resourceType]?.actions ?? [];
  const methods = ['GET', 'POST', 'PUT'].filter((method) => {
    const action = actionOf(method, id);
    return action !== undefined && offered.includes(action);
  });
  return methods.flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method]));
}

function actionOf(method: string, id: string | undefined): Action | undefined {
  if (id === undefined) return method === 'GET' ? 'search' : method === 'POST' ? 'create' : undefined;
  return method === 'GET' ? 'read' : method === 'PUT' ? 'update' : undefined;
}

/** @throws CasebridgeError `scope-missing` */
function checkScope({ scopes }: TokenHolder, { resourceType, action }: Asked): void {
  if (allowedActions(scopes, resourceType).has(action)) return;
  throw new CasebridgeError('scope-missing', { scope: `system/${resourceType}.${action.charAt(0)}` });
}

async function carryOut(
  home: Home,
  { base }: Addresses,
  call: FacadeCall,
  { action, resourceType, id = '' }: Asked,
  partner: string,
  by: Actor,
): Promise<FacadeAnswer> {
  const offer = offers[resourceType];
  if (offer === undefined) throw new CasebridgeError('interaction-unknown');
  if (action === 'search') {
    const lenient = /\bhandling=lenient\b/.test(call.headers.prefer ?? '');
    const found = await search(home, { base, partner, resourceType, offer, query: call.query, lenient });
    await home.audit({ partner, by, action, resourceType, ids: found.ids, outcome: 'done' });
    return { status: 200, body: found.bundle };
  }
  if (action === 'read') {
    const [resource] = await home.visible(partner, { type: resourceType, names: [`${resourceType}/${id}`] });
    if (resource === undefined) throw new CasebridgeError('resource-not-theirs', { resourceType });
    await home.audit({ partner, by, action, resourceType, ids: [id], outcome: 'done' });
    return shown(base, 200, resource);
  }
  const body = local(await readResource(call, resourceType), base);
  if (action === 'create') {
    const unless = conditionOf(resourceType, call.headers['if-none-exist']);
    const { resource, isNew } = await home.createProcedure(partner, body, by, unless);
    return shown(base, isNew ? 201 : 200, resource);
  }
  if (body.id !== id) throw new CasebridgeError('resource-id-differs', { resourceType });
  const ifMatch = call.headers['if-match'];
  if (ifMatch === undefined) throw new CasebridgeError('if-match-missing');
  return shown(base, 200, await home.updateTask(partner, id, body, by, ifMatch));
}

/** Of a conditional create only an identifier counts. @throws CasebridgeError `search-parameter-unknown`, `search-value-invalid` */
function conditionOf(resourceType: string, header: string | undefined): IdentifierSought | undefined {
  if (header === undefined) return undefined;
  const query = [...new URLSearchParams(header.replace(/^[^?]*\?/, ''))];
  const [first, ...others] = query;
  const foreign = [...(first === undefined ? [['nothing']] : [first]), ...others].find(
    ([name]) => name !== 'identifier',
  );
  if (foreign !== undefined)
    throw new CasebridgeError('search-parameter-unknown', { resourceType, name: (foreign[0] ?? '').slice(0, 40) });
  const [system = '', value = '', ...rest] = (first?.[1] ?? '').split('|');
  if (system === '' || value === '' || rest.length > 0 || others.length > 0)
    throw new CasebridgeError('search-value-invalid', { name: 'identifier', expected: 'one system|value' });
  return { system, value };
}

async function readResource({ body }: FacadeCall, resourceType: string): Promise<JsonObject> {
  const resource = await body();
  if (isObject(resource) && resource.resourceType === resourceType) return resource;
  const rule = `the body must be one ${resourceType}`;
  throw new CasebridgeError('resource-refused', { resourceType, path: 'resourceType', rule });
}

/** References to this server as they are kept here: relative. */
function local(resource: JsonObject, base: string): JsonObject {
  const within = (value: Json): Json => {
    if (Array.isArray(value)) return value.map(within);
    if (!isObject(value)) return value;
    return Object.fromEntries(
      Object.entries(value).map(([name, part]) => [
        name,
        name === 'reference' && typeof part === 'string' && part.startsWith(`${base}/`)
          ? part.slice(base.length + 1)
          : within(part),
      ]),
    );
  };
  return Object.fromEntries(Object.entries(resource).map(([name, part]) => [name, within(part)]));
}

function shown(base: string, status: number, { resourceType, id, version, body }: HomeResource): FacadeAnswer {
  const updated = isObject(body.meta) && typeof body.meta.lastUpdated === 'string' ? body.meta.lastUpdated : undefined;
  return {
    status,
    body,
    headers: {
      etag: `W/"${version}"`,
      ...(updated !== undefined && { 'last-modified': new Date(updated).toUTCString() }),
      ...(status === 201 && { location: `${base}/${resourceType}/${id}/_history/${version}` }),
    },
  };
}
