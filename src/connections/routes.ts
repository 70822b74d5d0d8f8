// How each kind of record reaches one server, and why: configuration, then what the token may do, then what the server declares,
// then what is known of its vendor (design section 7, Routes). Pure. Consent is decided per client, in the plan.

import type { ConnectionConfig, Route } from '../config.ts';
import type { ErrorCode, ErrorParameters, Reason } from '../errors.ts';
import { reason } from '../errors.ts';
import type { RecordType } from '../records/records.ts';
import type { Capabilities } from './capabilities.ts';
import { type Action, allowedActions } from './scopes.ts';
import type { Vendor } from './vendors/vendor.ts';

export type { Route } from '../config.ts';

export interface RouteRow {
  readonly recordType: RecordType;
  readonly resourceType: string;
  readonly route: Route;
  readonly reason: Reason;
}

export interface RouteInput {
  /** Absent: the CapabilityStatement was never read. */
  readonly capabilities?: Capabilities;
  /** As granted; absent: this auth knows no scopes. */
  readonly scopes?: readonly string[];
  readonly vendor: Vendor;
  /** The connection's `routes:`, by record type. */
  readonly overrides: Readonly<Record<string, Route>>;
  readonly task: ConnectionConfig['task'];
  readonly slots: readonly { readonly recordType: RecordType; readonly resourceType: string }[];
}

type Need = { readonly action: Action; readonly interaction: string };

/** What a native route needs: reading and searching are how a write is confirmed and a lost reply found again. */
const needed: readonly Need[] = [
  { action: 'create', interaction: 'create' },
  { action: 'read', interaction: 'read' },
  { action: 'update', interaction: 'update' },
  { action: 'search', interaction: 'search-type' },
];

/** Types that are linked when found and need not be written: reading and searching is use enough (lanes.md 18, 19). */
const findable = ['HealthcareService', 'Location', 'Organization', 'Patient', 'Practitioner', 'PractitionerRole'];

/** One row per slot, in the order given. */
export function routeTable(input: RouteInput): RouteRow[] {
  return input.slots.map((slot) => {
    const found = rules.map((rule) => rule(input, slot)).find((result) => result !== undefined);
    return { ...slot, ...(found ?? decide('native', 'route-native', { resourceType: slot.resourceType })) };
  });
}

type Slot = RouteInput['slots'][number];
type Decision = Pick<RouteRow, 'route' | 'reason'>;

/** The first that decides wins. */
const rules: readonly ((input: RouteInput, slot: Slot) => Decision | undefined)[] = [
  function configured({ overrides }, { recordType }) {
    const route = overrides[recordType];
    return route && decide(route, 'route-configured', { recordType, route });
  },

  function taskElsewhere({ task }, { resourceType }) {
    const route = task === 'off' || task === 'answer' ? task : undefined;
    return resourceType === 'Task' && route ? decide(route, `route-task-${route}`) : undefined;
  },

  function grantedScopes({ scopes, vendor }, { resourceType }) {
    const allowed = scopes && allowedActions(scopes, resourceType);
    const missing = allowed ? needed.filter(({ action }) => !allowed.has(action)) : [];
    return without(missing, 'route-scopes-missing', resourceType, vendor);
  },

  function declared({ capabilities, vendor }, { resourceType }) {
    if (capabilities === undefined) {
      return decide(vendor.fallback, 'route-capabilities-unknown');
    }
    const offered = capabilities.interactions[resourceType] ?? [];
    const missing = needed.filter(({ interaction }) => !offered.includes(interaction));
    return without(missing, 'route-not-declared', resourceType, vendor);
  },

  function vendorRules({ vendor }, { resourceType }) {
    const rule = vendor.interactions[resourceType];
    return rule && decide(vendor.fallback, 'route-vendor', { resourceType, why: rule.notOffered });
  },
];

function without(
  missing: readonly Need[],
  code: ErrorCode,
  resourceType: string,
  vendor: Vendor,
): Decision | undefined {
  if (missing.length === 0) {
    return undefined;
  }
  const canFind = missing.every(({ action }) => action === 'create' || action === 'update');
  const route = canFind && findable.includes(resourceType) ? 'read' : vendor.fallback;
  return decide(route, code, { resourceType, missing: missing.map(({ action }) => action).join(', ') });
}

function decide(route: Route, code: ErrorCode, parameters: ErrorParameters = {}): Decision {
  return { route, reason: reason(code, parameters) };
}
