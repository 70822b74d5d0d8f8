// What a method and a path below the FHIR base ask for. Everything else is a page of HTML (E10): unknown types, the base itself, PATCH,
// DELETE, history, and interactions that the statement does not declare.

import type { Action, FhirCall } from '../../engine/engine.ts';
import type { SandboxRequest } from '../../exchange.ts';
import { type Offer, servedOffer } from './offer.ts';
import { NoSuchEndpoint, refused } from './outcome.ts';
import { type EpicSettings, hasQuirk } from './settings.ts';

export interface Target {
  kind: 'search' | 'match' | 'read' | 'create' | 'update';
  action: Action;
  type: string;
  /** Empty for a search, a match and a create. */
  id: string;
  offer: Offer;
}

/** @throws NoSuchEndpoint for what is not served */
export function targetOf(settings: EpicSettings, method: string, path: string): Target {
  const [type = '', second = '', ...more] = path.split('/');
  const offer = servedOffer(settings, type);
  const route = routeOf(method, second);
  if (offer === undefined || route === undefined || more.length > 0) throw new NoSuchEndpoint();
  if (!offer.actions.includes(route.action)) throw new NoSuchEndpoint();
  if (route.kind === 'match' && !offersMatch(settings, type)) throw new NoSuchEndpoint();
  return { ...route, type, id: route.kind === 'read' || route.kind === 'update' ? second : '', offer };
}

function routeOf(method: string, second: string): Pick<Target, 'kind' | 'action'> | undefined {
  switch (`${method} ${second.replace(/^[^_$].*$/, ':id')}`) {
    case 'GET ':
    case 'POST _search':
      return { kind: 'search', action: 's' };
    case 'POST $match':
      return { kind: 'match', action: 's' };
    case 'GET :id':
      return { kind: 'read', action: 'r' };
    case 'POST ':
      return { kind: 'create', action: 'c' };
    case 'PUT :id':
      return { kind: 'update', action: 'u' };
    default:
      return undefined;
  }
}

function offersMatch(settings: EpicSettings, type: string): boolean {
  return type === 'Patient' && hasQuirk(settings, 'E19') && !settings.undeclaredInteractions.includes('Patient.match');
}

/** @throws EpicRefusal 400 for a body that is no JSON */
export function readCall(settings: EpicSettings, request: SandboxRequest, path: string, base: string): FhirCall {
  const isForm = path.endsWith('/_search');
  const method = request.method === 'POST' || request.method === 'PUT' ? request.method : 'GET';
  const call = { method, path, headers: request.headers, base, may: () => true } as const;
  const inUrl = [...request.url.searchParams];
  if (isForm) {
    const form = [...new URLSearchParams(request.text)];
    return { ...call, query: hasQuirk(settings, 'E27') ? form : [...inUrl, ...form] };
  }
  if (method === 'GET') return { ...call, query: inUrl };
  if (request.json === undefined) throw refused(400, '59105', 'The body is no JSON.');
  return { ...call, query: inUrl, body: request.json.value };
}
