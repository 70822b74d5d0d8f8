// The page of one case: what needs somebody now on top, then what happened, when, on which side and why. Pure.

import { type Html, html } from '../html/html.ts';
import type { ClockView, DecisionView, LaneView } from '../http/http.ts';
import { decisionCard } from './decisions.ts';
import { addresses, badge, caseAddress, frame, type Viewer } from './frame.ts';
import { laneLine } from './lists.ts';
import { type Timeline, timelineSection } from './timeline.ts';
import { fromNow, fullTime } from './times.ts';

export interface CasePage {
  readonly source: string;
  readonly id: string;
  readonly version: number;
  readonly status?: string;
  readonly clientId?: string;
  /** Of the lanes of the case itself; the others are its client's. */
  readonly subject: string;
  /** IANA name, and whose it is. */
  readonly zone: string;
  readonly zoneOf: string;
  /** ISO instant. */
  readonly now: string;
  readonly clocks: readonly ClockView[];
  readonly decisions: readonly DecisionView[];
  readonly lanes: readonly LaneView[];
  readonly timeline: Timeline;
}

export function casePage(page: CasePage, viewer: Viewer): Html {
  const { source, id, version, status, clientId, zone, zoneOf, now, clocks, decisions } = page;
  const back = caseAddress(source, id);
  return frame(
    `Case ${id}`,
    html`<p class="lead">Source <b>${source}</b>${status !== undefined && html` · status <b>${status}</b>`} · version ${version}${clientId !== undefined && html` · client ${clientId}`}</p>
<p class="quiet">Times are in ${zone}, ${zoneOf}. Now it is ${fullTime(now, zone)}.</p>
<section aria-labelledby="clocks"><h2 id="clocks">Clocks</h2>${clockList(clocks, zone, now)}</section>
<section aria-labelledby="decisions"><h2 id="decisions">Open decisions</h2>
${decisions.length === 0 ? html`<p class="quiet">None.</p>` : decisions.map((one) => decisionCard(one, viewer, zone, back))}</section>
<section aria-labelledby="lanes"><h2 id="lanes">Lanes</h2>${laneList(page)}</section>
${timelineSection(page.timeline, zone)}`,
    viewer,
    addresses.cases,
  );
}

function laneList({ lanes, subject, zone }: CasePage): Html {
  if (lanes.length === 0) return html`<p class="quiet">None: nothing of this case goes to a connection.</p>`;
  const rows = lanes.map(
    (lane) =>
      html`<li class="card row"><h3>${lane.subject === subject ? 'Case' : 'Client'}</h3>${laneLine(lane, zone)}</li>`,
  );
  return html`<ul class="cards">${rows}</ul>`;
}

/** In which order clocks matter. */
const urgency = ['breached', 'due-soon', 'running', 'met', 'void'];

const tones: Readonly<Record<string, 'bad' | 'soon' | 'good' | 'quiet'>> = {
  breached: 'bad',
  'due-soon': 'soon',
  running: 'quiet',
  met: 'good',
  void: 'quiet',
};

function clockList(clocks: readonly ClockView[], zone: string, now: string): Html {
  if (clocks.length === 0) return html`<p class="quiet">None is running, and none has been.</p>`;
  const rank = ({ state, stoppedAt }: ClockView) => urgency.indexOf(state) + (stoppedAt === null ? 0 : urgency.length);
  const open = clocks.filter(isOpen).sort((one, other) => rank(one) - rank(other));
  const over = clocks.filter((clock) => !isOpen(clock));
  const cards = (list: readonly ClockView[]) =>
    html`<ul class="cards">${list.map((clock) => clockCard(clock, zone, now))}</ul>`;
  return html`${open.length > 0 ? cards(open) : html`<p class="quiet">None is running.</p>`}
${over.length > 0 && html`<details><summary>${over.length} that ${over.length === 1 ? 'is' : 'are'} over</summary>${cards(over)}</details>`}`;
}

function isOpen({ state, stoppedAt }: ClockView): boolean {
  return stoppedAt === null && state !== 'met' && state !== 'void';
}

function clockCard(clock: ClockView, zone: string, now: string): Html {
  const { rule, type, id, state, dueAt, stoppedAt, pausedSince, worker, contact, reason } = clock;
  const due =
    dueAt !== null && html`due ${fullTime(dueAt, zone)}${isOpen(clock) && html` <b>(${fromNow(dueAt, now)})</b>`}`;
  const stopped = stoppedAt !== null && html` · stopped ${fullTime(stoppedAt, zone)}`;
  const paused = pausedSince !== null && html`paused since ${fullTime(pausedSince, zone)}`;
  return html`<li class="card row"><h3>${rule} ${badge(state, tones[state] ?? 'quiet')}</h3>
<p>${due}${paused}${stopped}</p><p>${reason.text}</p>
<p class="quiet">${type} ${id}${worker !== null && ` · worker ${worker}`}${contact !== null && ` · contact ${contact}`}</p></li>`;
}
