// Lists of the console: connections, cases, lanes and alerts. Ids, states, counts and reasons; nothing of what records say. Pure.

import { type Html, html } from '../html/html.ts';
import type { AlertView, AttentionView, CaseView, ConnectionView, LaneReasonView, LaneView } from '../http/http.ts';
import { addresses, addressOf, badge, caseAddress, choices, frame, olderLink, type Viewer } from './frame.ts';
import { fromNow, fullTime } from './times.ts';

export interface Home {
  readonly connections: readonly ConnectionView[];
  readonly reasons: readonly LaneReasonView[];
  readonly counts: {
    readonly cases: number;
    readonly decisions: number;
    /** Open ones by connection. */
    readonly alerts: ReadonlyMap<string, number>;
  };
  readonly zone: string;
}

export function homePage({ connections, reasons, counts, zone }: Home, viewer: Viewer): Html {
  const cards = connections.map((connection) =>
    connectionCard(
      connection,
      reasons.filter((one) => one.connection === connection.id),
      counts.alerts.get(connection.id) ?? 0,
      zone,
    ),
  );
  return frame(
    'Connections',
    html`<ul class="figures">
<li><a href="${addresses.cases}"><b>${counts.cases}</b> cases need attention</a></li>
<li><a href="${addresses.decisions}"><b>${counts.decisions}</b> open decisions</a></li></ul>
<ul class="cards">${cards}</ul>
<p class="quiet">Times are in ${zone}.</p>`,
    viewer,
    addresses.home,
  );
}

function connectionCard(
  connection: ConnectionView,
  reasons: readonly LaneReasonView[],
  alerts: number,
  zone: string,
): Html {
  const { id, vendor, mode, paused, draining, resting, lanes } = connection;
  const states = Object.entries(lanes).flatMap(([state, count]) =>
    count === 0 ? [] : [counted(addressOf(addresses.lanes, { connection: id, state }), count, state)],
  );
  const parked = reasons.flatMap(({ state, code, text, count }) =>
    state !== 'parked' || code === null
      ? []
      : [
          html`<li><a href="${addressOf(addresses.lanes, { connection: id, state, reason: code })}"><b>${count}</b> ${code}</a>: ${text ?? ''}</li>`,
        ],
  );
  return html`<li class="card"><h2>${id} ${paused ? badge('paused', 'bad') : draining ? badge('draining', 'soon') : badge(mode, 'quiet')}</h2>
<p class="quiet">${vendor}, ${mode}</p>
${paused !== null && html`<p class="notice bad">${paused.text} <code>${paused.code}</code></p>`}
${resting !== null && html`<p class="notice soon">${resting.reason.text}</p>`}
${draining !== null && html`<p class="notice soon">Drained since ${fullTime(draining.since, zone)}${draining.by !== null && ` by ${draining.by}`}.</p>`}
<h3>Lanes</h3>${states.length > 0 ? html`<ul class="figures">${states}</ul>` : html`<p class="quiet">None yet.</p>`}
${parked.length > 0 && html`<h3>Parked by reason</h3><ul>${parked}</ul>`}
<h3>Alerts</h3><ul class="figures">${counted(addressOf(addresses.alerts, { connection: id, state: 'open' }), alerts, 'open')}</ul></li>`;
}

function counted(address: string, count: number, word: string): Html {
  return html`<li><a href="${address}"><b>${count}</b> ${word}</a></li>`;
}

export interface AttentionList {
  readonly items: readonly AttentionView[];
  readonly older?: string;
  readonly now: string;
}

const caseLists = (isAll: boolean) =>
  choices('Show', [
    { name: 'What needs attention', address: addresses.cases, isChosen: !isAll },
    { name: 'All', address: addressOf(addresses.cases, { kind: 'all' }), isChosen: isAll },
  ]);

export function attentionPage({ items, older, now }: AttentionList, viewer: Viewer): Html {
  const rows = items.map(
    ({ source, id, breached, dueAt, decisions, parked }) => html`<li class="card row">
<h2><a href="${caseAddress(source, id)}">${id}</a> <span class="quiet">${source}</span></h2>
<p>${breached > 0 && badge(`${breached} breached`, 'bad')} ${decisions > 0 && badge(`${decisions} to decide`, 'soon')} ${parked > 0 && badge(`${parked} parked`, 'soon')}
${dueAt !== null && html`<span class="quiet">due ${fromNow(dueAt, now)}</span>`}</p></li>`,
  );
  return frame(
    'Cases',
    html`${caseLists(false)}<p class="quiet">Breached clocks first, then open decisions, then parked lanes; in each the earliest due first.</p>
${items.length === 0 && html`<p>No case has a breached clock, an open decision or a parked lane.</p>`}
<ul class="cards">${rows}</ul>${olderLink(older, 'More cases')}`,
    viewer,
    addresses.cases,
  );
}

export function allCasesPage(
  { items, older }: { readonly items: readonly CaseView[]; readonly older?: string },
  viewer: Viewer,
): Html {
  const rows = items.map(
    ({ source, id, status, deleted, openDecisions }) => html`<li class="card row">
<h2><a href="${caseAddress(source, id)}">${id}</a> <span class="quiet">${source}</span></h2>
<p>${deleted ? 'withdrawn' : (status ?? '')} ${openDecisions > 0 && badge(`${openDecisions} to decide`, 'soon')}</p></li>`,
  );
  return frame(
    'Cases',
    html`${caseLists(true)}<p class="quiet">By source and id.</p><ul class="cards">${rows}</ul>${olderLink(older, 'More cases')}`,
    viewer,
    addresses.cases,
  );
}

export interface LaneList {
  readonly items: readonly (LaneView & { readonly caseOf?: { readonly source: string; readonly id: string } })[];
  readonly filter: { readonly connection?: string; readonly state?: string; readonly reason?: string };
  readonly states: readonly string[];
  readonly older?: string;
  readonly zone: string;
}

export function lanesPage({ items, filter, states, older, zone }: LaneList, viewer: Viewer): Html {
  const shown = ['all', ...states].map((state) => ({
    name: state,
    address: addressOf(addresses.lanes, { ...filter, state: state === 'all' ? undefined : state }),
    isChosen: (filter.state ?? 'all') === state,
  }));
  const rows = items.map(
    (
      lane,
    ) => html`<li class="card row"><h2>${lane.caseOf ? html`<a href="${caseAddress(lane.caseOf.source, lane.caseOf.id)}">${lane.subject}</a>` : lane.subject}</h2>
${laneLine(lane, zone)}</li>`,
  );
  return frame(
    'Lanes',
    html`${choices('State', shown)}
<p class="quiet">${filter.connection === undefined ? 'Of all connections' : `Of ${filter.connection}`}${filter.reason !== undefined && `, with the reason ${filter.reason}`}. Times are in ${zone}.</p>
${items.length === 0 && html`<p>No such lane.</p>`}<ul class="cards">${rows}</ul>${olderLink(older, 'More lanes')}`,
    viewer,
    addresses.lanes,
  );
}

const laneTones: Readonly<Record<string, 'bad' | 'soon' | 'good'>> = {
  parked: 'bad',
  paused: 'bad',
  retrying: 'soon',
  waiting: 'soon',
  idle: 'good',
};

/** A lane's connection, state, reason and what comes next. */
export function laneLine({ connection, state, attempts, nextTryAt, reason, stopped }: LaneView, zone: string): Html {
  return html`<p>${connection} ${badge(state, laneTones[state] ?? 'quiet')}${attempts > 0 && ` after ${attempts} ${attempts === 1 ? 'attempt' : 'attempts'}`}${nextTryAt !== null && html`, next try ${fullTime(nextTryAt, zone)}`}</p>
${reason !== null && html`<p>${reason.text} <code>${reason.code}</code></p>`}
${stopped?.note !== undefined && html`<blockquote>${stopped.note}</blockquote>`}`;
}

export interface AlertList {
  readonly items: readonly AlertView[];
  readonly filter: { readonly connection?: string; readonly state?: string };
  readonly older?: string;
  readonly zone: string;
}

export function alertsPage({ items, filter, older, zone }: AlertList, viewer: Viewer): Html {
  const shown = ['all', 'open', 'resolved'].map((state) => ({
    name: state,
    address: addressOf(addresses.alerts, { ...filter, state: state === 'all' ? undefined : state }),
    isChosen: (filter.state ?? 'all') === state,
  }));
  const rows = items.map(
    ({ topic, state, reason, count, openedAt, resolvedAt, resolution, recipients }) => html`<li class="card">
<p>${badge(state, state === 'open' ? 'bad' : 'good')} ${reason.text} <code>${reason.code}</code></p>
<p class="quiet">${topic} · ${count} ${count === 1 ? 'time' : 'times'} · since ${fullTime(openedAt, zone)}${resolvedAt !== null && html` · over ${fullTime(resolvedAt, zone)}`}
${recipients.length > 0 && ` · for ${recipients.map(({ role, id }) => `${role} ${id}`).join(', ')}`}</p>
${resolution !== null && html`<p>${resolution.text}</p>`}</li>`,
  );
  return frame(
    'Alerts',
    html`${choices('State', shown)}<p class="quiet">${filter.connection === undefined ? 'Of everything' : `Of ${filter.connection}`}, newest first. Times are in ${zone}.</p>
${items.length === 0 && html`<p>No such alert.</p>`}<ul class="cards">${rows}</ul>${olderLink(older, 'Older alerts')}`,
    viewer,
    addresses.alerts,
  );
}
