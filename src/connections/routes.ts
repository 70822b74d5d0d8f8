// How each kind of record reaches one server, and why: configuration, then what the token may do, then what the server declares,
// then what is known of its vendor (design section 7, Routes). Pure. Consent is decided per client, in the plan.

import { type ConnectionConfig, documentedTypes, type Route } from '../config.ts';
import type { ErrorCode, ErrorParameters, Reason } from '../errors.ts';
import { reason } from '../errors.ts';
import type { RecordType } from '../records/records.ts';
import { type Capabilities, changesByPatch } from './capabilities.ts';
import { type Action, allowedActions } from './scopes.ts';
import { isOffered, type Vendor } from './vendors/vendor.ts';

export type { Route } from '../config.ts';

export interface RouteRow {
  readonly recordType: RecordType;
  readonly resourceType: string;
  readonly route: Route;
  readonly reason: Reason;
  /** What the server's statement says it does with the type; absent: never read. */
  readonly declared?: readonly string[];
  /** What the token allows on the type; absent: this auth knows no scopes. */
  readonly granted?: readonly string[];
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
  readonly slots: readonly RoutedSlot[];
}

export interface RoutedSlot {
  readonly recordType: RecordType;
  readonly resourceType: string;
  /** Why no server is sent any of it; then `resourceType` is `none`. */
  readonly unsent?: string;
}

type Need = { readonly action: Action; readonly interaction: string };

/** What a native route needs: reading and searching are how a write is confirmed and a lost reply found again. */
const needed: readonly Need[] = [
  { action: 'create', interaction: 'create' },
  { action: 'read', interaction: 'read' },
  { action: 'update', interaction: 'update' },
  { action: 'search', interaction: 'search-type' },
];

const neededToRead = needed.filter(({ action }) => action === 'read' || action === 'search');
const neededToPost = needed.filter(({ action }) => action !== 'update');
const neededToFile = needed.filter(({ action }) => action === 'create');

/** Types that are linked when found and need not be written: reading and searching is use enough (lanes.md 18, 19). */
const findable = ['HealthcareService', 'Location', 'Organization', 'Patient', 'Practitioner', 'PractitionerRole'];

/** One row per slot, in the order given. */
export function routeTable(input: RouteInput): RouteRow[] {
  return input.slots.map((slot) => {
    const { recordType, resourceType } = slot;
    const found = rules.map((rule) => rule(input, slot)).find((result) => result !== undefined);
    return {
      recordType,
      resourceType,
      ...(found ?? decide('native', 'route-native', { resourceType })),
      ...(slot.unsent === undefined && known(input, resourceType)),
    };
  });
}

function known({ capabilities, scopes, vendor }: RouteInput, resourceType: string) {
  const filter = vendor.token.grantFilters[resourceType];
  return {
    ...(capabilities && { declared: capabilities.interactions[resourceType] ?? [] }),
    ...(scopes && { granted: [...allowedActions(scopes, resourceType, filter)].sort() }),
  };
}

type Decision = Pick<RouteRow, 'route' | 'reason'>;

/** The first that decides wins. */
const rules: readonly ((input: RouteInput, slot: RoutedSlot) => Decision | undefined)[] = [
  function neverSent(_, { recordType, unsent }) {
    return unsent === undefined ? undefined : decide('withheld', 'route-unsent', { recordType, why: unsent });
  },

  // What is said in words of a referral has one place: messages, or the notes of its Task.
  function message(input, { recordType, resourceType }) {
    const { overrides, task, vendor } = input;
    const isElsewhere = overrides[recordType] !== undefined && overrides[recordType] !== 'native';
    if (resourceType !== 'Communication' || isElsewhere) return undefined;
    if (task === 'off') return decide('off', 'route-task-off');
    const hindrance = isOffered(vendor.messages)
      ? lacking(input, resourceType, neededToPost)?.reason.text.replace(/\.$/, '')
      : vendor.messages.notOffered;
    return hindrance === undefined
      ? decide('answer', 'route-message')
      : decide('off', 'route-message-notes', { why: hindrance });
  },

  function configured({ overrides }, { recordType }) {
    const route = overrides[recordType];
    return route && decide(route, 'route-configured', { recordType, route });
  },

  function taskElsewhere({ task }, { resourceType }) {
    const route = task === 'off' || task === 'answer' ? task : undefined;
    return resourceType === 'Task' && route ? decide(route, `route-task-${route}`) : undefined;
  },

  function usual(input, slot) {
    const usually = input.vendor.defaults[slot.recordType];
    if (usually === undefined) {
      return undefined;
    }
    const why = reason('route-vendor-default', { why: usually.why });
    if (usually.route === 'document') {
      return otherwise(input, slot, why);
    }
    const hindrance = usually.route === 'read' ? lacking(input, slot.resourceType, neededToRead) : undefined;
    return hindrance ? otherwise(input, slot, hindrance.reason) : { route: usually.route, reason: why };
  },

  function possible(input, slot) {
    const hindrance = lacking(input, slot.resourceType, needed);
    if (hindrance === undefined) {
      return undefined;
    }
    const canFind = hindrance.actions.every((action) => action === 'create' || action === 'update');
    return canFind &&
      findable.includes(slot.resourceType) &&
      lacking(input, slot.resourceType, neededToRead) === undefined
      ? { route: 'read', reason: hindrance.reason }
      : otherwise(input, slot, hindrance.reason);
  },

  function vendorRules(input, slot) {
    const { resourceType } = slot;
    const rule = input.vendor.interactions[resourceType];
    return rule && otherwise(input, slot, reason('route-vendor', { resourceType, why: rule.notOffered }));
  },
];

/** What the token and the server's statement lack for these needs; undefined: nothing. */
function lacking(
  { capabilities, scopes, vendor }: RouteInput,
  resourceType: string,
  needs: readonly Need[],
): { readonly reason: Reason; readonly actions: readonly Action[] } | undefined {
  const allowed = scopes && allowedActions(scopes, resourceType, vendor.token.grantFilters[resourceType]);
  const notGranted = allowed ? needs.filter(({ action }) => !allowed.has(action)) : [];
  const offered = capabilities?.interactions[resourceType] ?? [];
  const byPatch = capabilities !== undefined && changesByPatch(capabilities, vendor, resourceType);
  const notDeclared = needs.filter(
    ({ action, interaction }) => !offered.includes(interaction) && !(action === 'update' && byPatch),
  );
  // A scope for what the server does not do cannot be had: the statement is the reason then.
  const couldBeGranted =
    capabilities === undefined ? notGranted : notGranted.filter((need) => !notDeclared.includes(need));
  const [code, missing]: [ErrorCode, readonly Need[]] =
    couldBeGranted.length > 0 || capabilities === undefined
      ? ['route-scopes-missing', couldBeGranted]
      : ['route-not-declared', notDeclared];
  if (missing.length > 0) {
    const actions = missing.map(({ action }) => action);
    return { reason: reason(code, { resourceType, missing: actions.join(', ') }), actions };
  }
  return capabilities === undefined
    ? { reason: reason('route-capabilities-unknown'), actions: needs.map(({ action }) => action) }
    : undefined;
}

/** The way of what cannot go natively: told in a document where the server takes one, else by a person. */
function otherwise(input: RouteInput, { recordType }: RoutedSlot, why: Reason): Decision {
  const { vendor } = input;
  if (vendor.fallback === 'manual' || input.capabilities === undefined || !documentedTypes.includes(recordType)) {
    return { route: 'manual', reason: why };
  }
  const hindrance = isOffered(vendor.documents)
    ? lacking(input, 'DocumentReference', neededToFile)?.reason.text
    : vendor.documents.notOffered;
  return hindrance === undefined
    ? { route: 'document', reason: why }
    : decide('manual', 'route-no-document', { why: why.text, hindrance });
}

function decide(route: Route, code: ErrorCode, parameters: ErrorParameters = {}): Decision {
  return { route, reason: reason(code, parameters) };
}
