// The timeline of a case: entries by day, each with its time, the side that acted, what happened and why. Pure.

import { type Html, html } from '../html/html.ts';
import type { TimelineEntry } from '../http/http.ts';
import { decisionAddress, shownValue } from './decisions.ts';
import { caseAddress, choices, olderLink } from './frame.ts';
import { clockTime, dayOf, fullTime } from './times.ts';

export interface Timeline {
  readonly source: string;
  readonly id: string;
  readonly entries: readonly TimelineEntry[];
  /** Cursor of the next page. */
  readonly next: string | null;
  /** This is not the newest page. */
  readonly isLater: boolean;
  readonly filter: { readonly connection?: string; readonly kind?: string };
  /** Connections that the case goes to. */
  readonly connections: readonly string[];
}

const kinds: readonly (readonly [string | undefined, string])[] = [
  [undefined, 'all'],
  ['record', 'records'],
  ['move', 'referral moves'],
  ['sent', 'sent'],
  ['seen', 'last looks'],
  ['partner', 'by partners'],
  ['change', 'changes'],
  ['decision', 'questions'],
  ['decided', 'answers'],
  ['clock', 'clocks'],
  ['withheld', 'not sent'],
  ['alert', 'alerts'],
];

export function timelineSection(timeline: Timeline, zone: string): Html {
  const { source, id, entries, next, isLater, filter, connections } = timeline;
  const to = (changed: Readonly<Record<string, string | undefined>>) =>
    `${caseAddress(source, id, { ...filter, ...changed })}#timeline`;
  const byKind = kinds.map(([kind, name]) => ({ name, address: to({ kind }), isChosen: filter.kind === kind }));
  const byConnection = [undefined, ...connections].map((connection) => ({
    name: connection ?? 'all',
    address: to({ connection }),
    isChosen: filter.connection === connection,
  }));
  const days = [...Map.groupBy(entries, ({ at }) => dayOf(at, zone))].map(
    ([day, own]) => html`<h3>${day}</h3><ol class="line">${own.map((entry) => line(entry, zone))}</ol>`,
  );
  return html`<section aria-labelledby="timeline"><h2 id="timeline">Timeline</h2>
<p class="quiet">Newest first.</p>
${choices('Show', byKind)}${byConnection.length > 1 && choices('Connection', byConnection)}
${isLater && html`<p class="more"><a href="${to({})}">Back to the newest</a></p>`}
${entries.length === 0 ? html`<p>Nothing of this kind has happened.</p>` : days}
${olderLink(next === null ? undefined : to({ after: next }), 'Older entries')}</section>`;
}

const sideWords: Readonly<Record<TimelineEntry['side']['kind'], string>> = {
  agency: 'Agency',
  gateway: 'Gateway',
  hospital: 'Hospital',
  partner: 'Partner',
};

function line(entry: TimelineEntry, zone: string): Html {
  const { kind, side, at, text, why, by, note, decision, changedThereAt } = entry;
  const question = decision !== null && kind !== 'decided' && decision;
  const actor = by !== null && by !== side.name && ` · ${by}`;
  return html`<li class="${side.kind}">
<p class="when">${clockTime(at, zone)} <span class="side">${sideWords[side.kind]}${side.name !== null && ` ${side.name}`}</span>${actor}</p>
<p class="what">${text}${changedThereAt !== null && html` Changed there ${fullTime(changedThereAt, zone)}.`}${question && html` <a href="${decisionAddress(question)}">Decision ${question}</a>`}</p>
${why !== null && html`<p class="why">Why: ${why.text} <code>${why.code}</code></p>`}
${note !== null && html`<blockquote>${note}</blockquote>`}
${steps(entry, zone)}${fields(entry)}</li>`;
}

function steps({ moves }: TimelineEntry, zone: string): Html | false {
  if (moves.length === 0) return false;
  const rows = moves.map(
    ({ status, implied, at, by, reason }) =>
      html`<li>${status}${implied && ' (implied)'}${at !== null && html`, ${clockTime(at, zone)}`}${by !== null && `, ${by}`}${reason !== null && `: ${reason}`}</li>`,
  );
  return html`<ol class="steps" aria-label="Steps of the referral">${rows}</ol>`;
}

function fields({ fields: offered }: TimelineEntry): Html | false {
  if (offered.length === 0) return false;
  const rows = offered.map(
    ({ name, value, takenOverIn }) =>
      html`<dt>${name}</dt><dd>${shownValue(value)} <span class="quiet">${takenOverIn === null ? 'not taken over' : `taken over in version ${takenOverIn}`}</span></dd>`,
  );
  return html`<details><summary>What it says</summary><dl class="facts">${rows}</dl></details>`;
}
