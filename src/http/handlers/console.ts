// The console: pages for operators, who sign in with their token. Each page is a whole answer; nothing runs in the browser.

import { beginSession, endSession, formToken, keepAudit } from '../../access/access.ts';
import type { OperatorConfig, Permission } from '../../config.ts';
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
  problemPage,
  signInPage,
  style,
  whichSourcePage,
} from '../../console/console.ts';
import { CasebridgeError } from '../../errors.ts';
import type { Html } from '../../html/html.ts';
import { textAt } from '../../json.ts';
import { parseSubject } from '../../records/records.ts';
import {
  checkForm,
  forgetSession,
  keepSession,
  type SignedIn,
  signedIn,
  visitorSecret,
  visitorSecretOf,
} from '../console-session.ts';
import { formType, readForm } from '../form.ts';
import { checkAccess, principalReader, visibleSource } from '../principal.ts';
import type { Problem } from '../problem.ts';
import { alertStates, listAlerts } from '../queries/alerts.ts';
import { attentionCounts, listAttention } from '../queries/attention.ts';
import { organizationZone, sourcesOfCase } from '../queries/case-around.ts';
import { listCases } from '../queries/cases.ts';
import { listClocks } from '../queries/clocks.ts';
import { listConnections } from '../queries/connections.ts';
import { decisionView, listDecisions } from '../queries/decisions.ts';
import { laneReasons } from '../queries/lane-reasons.ts';
import { isLaneState, laneStates } from '../queries/lane-state.ts';
import { listLanes } from '../queries/lanes.ts';
import { listTimeline, timelineFilters } from '../queries/timeline.ts';
import type { Call, PageRules, Route } from '../route.ts';
import { findCase, tellerOf } from './cases.ts';
import { noteLength } from './decisions.ts';

const page: PageRules = {
  policy: "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
  problem: ({ body }: Problem) =>
    String(problemPage({ title: String(body.title), text: String(body.detail), requestId: String(body.requestId) })),
};

const shared = { access: 'console', answers: ['text/html'], page } as const;
const pageLength = 100;

export const consoleRoutes: readonly Route[] = [
  {
    ...shared,
    method: 'GET',
    path: '/console',
    summary: 'Console: connections with their lanes and alerts; the sign-in for whoever has not signed in.',
    handle: shownTo('read', home),
  },
  {
    ...shared,
    method: 'POST',
    path: '/console',
    summary: 'Sign in on the console.',
    takes: [formType],
    handle: signIn,
  },
  {
    ...shared,
    method: 'POST',
    path: '/console/sign-out',
    summary: 'Sign out.',
    takes: [formType],
    handle: signOut,
  },
  {
    method: 'GET',
    path: '/console/style.css',
    summary: 'Style sheet of the console.',
    access: 'anyone',
    answers: ['text/css'],
    handle: async ({ response }) => {
      response.type('text/css').send(style);
      return undefined;
    },
  },
  {
    ...shared,
    method: 'GET',
    path: '/console/cases',
    summary: 'Console: cases, what needs attention first.',
    query: ['source', 'kind', 'after'],
    kinds: ['attention', 'all'],
    handle: shownTo('read', cases),
  },
  {
    ...shared,
    method: 'GET',
    path: '/console/cases/{id}',
    summary: 'Console: one case with its clocks, decisions, lanes and timeline.',
    query: ['source', 'connection', 'kind', 'after'],
    kinds: timelineFilters,
    handle: shownTo('read', oneCase),
  },
  {
    ...shared,
    method: 'GET',
    path: '/console/decisions',
    summary: 'Console: open decisions.',
    query: ['after'],
    handle: shownTo('read', decisions),
  },
  {
    ...shared,
    method: 'GET',
    path: '/console/decisions/{decision}',
    summary: 'Console: one decision.',
    handle: shownTo('read', oneDecision),
  },
  {
    ...shared,
    method: 'POST',
    path: '/console/decisions/{decision}',
    summary: 'Decide on the console.',
    takes: [formType],
    handle: decide,
  },
  {
    ...shared,
    method: 'GET',
    path: '/console/lanes',
    summary: 'Console: lanes by state, connection and reason.',
    query: ['connection', 'state', 'reason', 'after'],
    handle: shownTo('read', lanes),
  },
  {
    ...shared,
    method: 'GET',
    path: '/console/alerts',
    summary: 'Console: alerts.',
    query: ['connection', 'state', 'after'],
    states: alertStates,
    handle: shownTo('read', alerts),
  },
];

/** A page for whoever has signed in and has the permission; everybody else is asked to sign in. */
function shownTo(permission: Permission, make: (call: Call, viewer: SignedIn) => Promise<Html>): Route['handle'] {
  return async (call) => {
    const viewer = await signedIn(call);
    if (viewer === undefined) return askToSignIn(call, call.request.originalUrl);
    checkMay(viewer, permission);
    return send(call, await make(call, viewer));
  };
}

function send({ response }: Call, content: Html): undefined {
  response.type('text/html').send(String(content));
}

function askToSignIn(call: Call, wanted: string, why?: string, status = 401): undefined {
  const { request, response } = call;
  const token = formToken(visitorSecret(request, response));
  response.status(status);
  return send(call, signInPage({ formToken: token, wanted: ownAddress(wanted), why }));
}

function checkMay({ operator }: Pick<SignedIn, 'operator'>, permission: Permission): void {
  checkAccess({ source: false, operator: permission }, { kind: 'operator', name: operator.name, operator });
}

async function signIn(call: Call): Promise<undefined> {
  const { gateway, request, response, signIns } = call;
  const seconds = signIns.take(request.socket.remoteAddress ?? '');
  if (seconds !== undefined) throw new CasebridgeError('sign-in-too-often', { seconds });
  const { form, to = '', token = '' } = await readForm(call, ['form', 'to', 'token']);
  try {
    checkForm(visitorSecretOf(request), form);
    const principal = principalReader(gateway.config)(`Bearer ${token}`);
    checkAccess({ source: false, operator: 'read' }, principal);
    if (principal.kind !== 'operator') return;
    keepSession(request, response, await beginSession(gateway.store, principal.operator));
    response.redirect(303, ownAddress(to));
  } catch (error) {
    if (!(error instanceof CasebridgeError)) throw error;
    return askToSignIn(call, to, error.message, error.kind.status);
  }
}

async function signOut(call: Call): Promise<undefined> {
  const { gateway, request, response } = call;
  const viewer = await signedIn(call);
  const { form } = await readForm(call, ['form']);
  if (viewer !== undefined) {
    checkForm(viewer.secret, form);
    await endSession(gateway.store, viewer.secret);
  }
  forgetSession(request, response);
  response.redirect(303, addresses.home);
}

/** An address of the console as it was; anything else is its first page. */
function ownAddress(address: string): string {
  const isOwn = /^\/console(\/[\w.%-]+)*(\?[\w.%=&+-]*)?$/.test(address) && address.length <= 1000;
  return isOwn ? address : addresses.home;
}

async function home({ gateway }: Call, { viewer }: SignedIn): Promise<Html> {
  const { store, config } = gateway;
  const configured = [...config.connections.values()];
  const connections = await listConnections(store, configured, { limit: configured.length, source: undefined });
  const reasons = await laneReasons(store, { state: 'parked' });
  const counts = await attentionCounts(store);
  return homePage({ connections: connections.items, reasons: reasons.items, counts, zone: zoneOfAll(gateway) }, viewer);
}

async function cases(call: Call, { viewer }: SignedIn): Promise<Html> {
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

async function oneCase(call: Call, { viewer, operator }: SignedIn): Promise<Html> {
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

/** Every look at what records say is kept. */
function keepLook(
  { gateway, requestId }: Call,
  operator: OperatorConfig,
  resourceType: string,
  id: string,
): Promise<void> {
  const by = { kind: 'operator', id: operator.name, requestId } as const;
  return keepAudit(gateway.store.db, { partner: null, by, action: 'read', resourceType, ids: [id], outcome: 'done' });
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

async function decisions({ gateway, query }: Call, { viewer }: SignedIn): Promise<Html> {
  const { items, next } = await listDecisions(gateway.store, { limit: pageLength, after: query.after });
  const older = next === null ? undefined : addressOf(addresses.decisions, { after: next });
  const shown = items.map((item) => ({ ...item, caseOf: caseOf(item.subject) }));
  return decisionsPage({ items: shown, older, zone: zoneOfAll(gateway) }, viewer);
}

async function oneDecision(call: Call, { viewer, operator }: SignedIn): Promise<Html> {
  const { gateway, path } = call;
  const decision = await decisionView(gateway.store, Number(path.decision));
  await keepLook(call, operator, 'decision', String(decision.id));
  return decisionPage(decision, viewer, zoneOfAll(gateway));
}

async function decide(call: Call): Promise<undefined> {
  const { gateway, path, response } = call;
  const viewer = await signedIn(call);
  if (viewer === undefined) return askToSignIn(call, call.request.originalUrl);
  const { form, to = '', choose = '', note } = await readForm(call, ['form', 'to', 'choose', 'note']);
  checkForm(viewer.secret, form);
  checkMay(viewer, 'decide');
  if (note !== undefined && note.length > noteLength) throw new CasebridgeError('form-refused');
  await gateway.decide(Number(path.decision), { choose, note, by: viewer.operator.name });
  response.redirect(303, ownAddress(to));
}

async function lanes({ gateway, query }: Call, { viewer }: SignedIn): Promise<Html> {
  const { connection, state, reason, after } = query;
  const filter = { connection, state: isLaneState(state) ? state : undefined, reason };
  const { items, next } = await listLanes(gateway.store, { ...filter, limit: pageLength, after });
  const older = next === null ? undefined : addressOf(addresses.lanes, { ...filter, after: next });
  const shown = items.map((item) => ({ ...item, caseOf: caseOf(item.subject) }));
  return lanesPage({ items: shown, filter, states: laneStates, older, zone: zoneOfAll(gateway) }, viewer);
}

async function alerts({ gateway, query }: Call, { viewer }: SignedIn): Promise<Html> {
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
