// The pages of the console: what each shows, read from the store.

import {
  addresses,
  addressOf,
  alertsPage,
  allCasesPage,
  attentionPage,
  caseAddress,
  casePage,
  decisionPage,
  decisionsPage,
  homePage,
  lanesPage,
  whichSourcePage,
} from '../../console/console.ts';
import { CasebridgeError } from '../../errors.ts';
import type { Html } from '../../html/html.ts';
import { textAt } from '../../json.ts';
import { parseSubject } from '../../records/records.ts';
import type { SignedIn } from '../console-session.ts';
import { keepLook } from '../looks.ts';
import { visibleSource } from '../principal.ts';
import { listAlerts } from '../queries/alerts.ts';
import { attentionCounts, listAttention } from '../queries/attention.ts';
import { organizationZone, sourcesOfCase } from '../queries/case-around.ts';
import { listCases } from '../queries/cases.ts';
import { listClocks } from '../queries/clocks.ts';
import { listConnections } from '../queries/connections.ts';
import { decisionView, listDecisions } from '../queries/decisions.ts';
import { laneReasons } from '../queries/lane-reasons.ts';
import { isLaneState, laneStates } from '../queries/lane-state.ts';
import { listLanes } from '../queries/lanes.ts';
import { listTimeline } from '../queries/timeline.ts';
import type { Call } from '../route.ts';
import { findCase, tellerOf } from './cases.ts';

const pageLength = 100;
/** More than there are reasons. */
const allReasons = 1000;

export async function home({ gateway }: Call, { viewer }: SignedIn): Promise<Html> {
  const { store, config } = gateway;
  const configured = [...config.connections.values()];
  const connections = await listConnections(store, configured, { limit: configured.length, source: undefined });
  const reasons = await laneReasons(store, { state: 'parked', limit: allReasons });
  const counts = await attentionCounts(store);
  return homePage({ connections: connections.items, reasons: reasons.items, counts, zone: zoneOfAll(gateway) }, viewer);
}

export async function cases(call: Call, { viewer }: SignedIn): Promise<Html> {
  const { store } = call.gateway;
  const { kind, after, source } = call.query;
  const filter = { source: visibleSource(call), limit: pageLength, after };
  const older = (next: string | null) =>
    next === null ? undefined : addressOf(addresses.cases, { source, kind, after: next });
  if (kind === 'all') {
    const { items, next } = await listCases(store, filter);
    return allCasesPage({ items, older: older(next) }, viewer);
  }
  const { items, next } = await listAttention(store, filter);
  return attentionPage({ items, older: older(next), now: (await store.now()).toISOString() }, viewer);
}

export async function oneCase(call: Call, { viewer, operator }: SignedIn): Promise<Html> {
  const { gateway, path, query } = call;
  const { store, config } = gateway;
  const id = path.id ?? '';
  const asked = visibleSource(call);
  const sources = asked === undefined ? await sourcesOfCase(store, [...config.sources.keys()], id) : [asked];
  const [source, ...others] = sources;
  if (source === undefined) throw new CasebridgeError('record-unknown', { type: 'case' });
  if (others.length > 0) {
    const links = sources.map((one) => ({ source: one, address: caseAddress(one, id) }));
    return whichSourcePage({ id, links }, viewer);
  }
  const found = await findCase(store, source, id);
  await keepLook(call, operator, 'case', `${source}/${id}`);
  const teller = tellerOf(config, found);
  const { connection, kind, after } = query;
  const filter = { connection, kind };
  const rows = { subjects: teller.subjects, limit: 1000 };
  const timeline = await listTimeline(store, { ...teller, ...filter, after, limit: pageLength });
  const laneItems = (await listLanes(store, rows)).items;
  return casePage(
    {
      source,
      id,
      version: found.version,
      status: textAt(found.record, 'status'),
      clientId: textAt(found.record, 'clientId'),
      subject: found.subject,
      ...zoneOfCase(await organizationZone(store, source, found.record), config.sources.get(source)?.timeZone),
      now: (await store.now()).toISOString(),
      clocks: (await listClocks(store, { subject: found.subject, limit: 1000 })).items,
      decisions: (await listDecisions(store, rows)).items,
      lanes: laneItems,
      timeline: {
        source,
        id,
        entries: timeline.items,
        next: timeline.next,
        isLater: after !== undefined,
        filter,
        connections: [...new Set(laneItems.map((lane) => lane.connection))],
      },
    },
    viewer,
  );
}

function zoneOfCase(ofOrganization: string | undefined, ofSource: string | undefined) {
  if (ofOrganization !== undefined) return { zone: ofOrganization, zoneOf: "the zone of the case's organization" };
  if (ofSource !== undefined) return { zone: ofSource, zoneOf: 'the zone of its source' };
  return { zone: 'UTC', zoneOf: 'for neither its organization nor its source tells a zone' };
}

/** Of a page about several cases. */
function zoneOfAll({ config }: Call['gateway']): string {
  const [only, ...others] = new Set([...config.sources.values()].map(({ timeZone }) => timeZone));
  return only === undefined || others.length > 0 ? 'UTC' : only;
}

export async function decisions({ gateway, query }: Call, { viewer }: SignedIn): Promise<Html> {
  const { items, next } = await listDecisions(gateway.store, { limit: pageLength, after: query.after });
  const older = next === null ? undefined : addressOf(addresses.decisions, { after: next });
  const shown = items.map((item) => ({ ...item, caseOf: caseOf(item.subject) }));
  return decisionsPage({ items: shown, older, zone: zoneOfAll(gateway) }, viewer);
}

export async function oneDecision(call: Call, { viewer, operator }: SignedIn): Promise<Html> {
  const { gateway, path } = call;
  const decision = await decisionView(gateway.store, Number(path.decision));
  await keepLook(call, operator, 'decision', String(decision.id));
  return decisionPage(decision, viewer, zoneOfAll(gateway));
}

export async function lanes({ gateway, query }: Call, { viewer }: SignedIn): Promise<Html> {
  const { connection, state, reason, after } = query;
  const filter = { connection, state: isLaneState(state) ? state : undefined, reason };
  const { items, next } = await listLanes(gateway.store, { ...filter, limit: pageLength, after });
  const older = next === null ? undefined : addressOf(addresses.lanes, { ...filter, after: next });
  const shown = items.map((item) => ({ ...item, caseOf: caseOf(item.subject) }));
  return lanesPage({ items: shown, filter, states: laneStates, older, zone: zoneOfAll(gateway) }, viewer);
}

export async function alerts({ gateway, query }: Call, { viewer }: SignedIn): Promise<Html> {
  const { connection, state, after } = query;
  const { items, next } = await listAlerts(gateway.store, { connection, state, limit: pageLength, after });
  const older = next === null ? undefined : addressOf(addresses.alerts, { connection, state, after: next });
  return alertsPage({ items, filter: { connection, state }, older, zone: zoneOfAll(gateway) }, viewer);
}

/** The case behind a subject that is one. */
function caseOf(subject: string): { source: string; id: string } | undefined {
  if (subject === '') return undefined;
  const { source, kind, id } = parseSubject(subject);
  return kind === 'case' ? { source, id } : undefined;
}
