// Decisions: what is asked, what both sides say, what each choice would do, and the form that answers. Pure.

import { type Html, html } from '../html/html.ts';
import type { DecisionView } from '../http/http.ts';
import { isObject, type Json, objectsIn, textAt } from '../json.ts';
import { addresses, caseAddress, frame, olderLink, tokenField, type Viewer } from './frame.ts';
import { fullTime } from './times.ts';

/** @param back the page to come back to after the answer */
export function decisionCard(decision: DecisionView, viewer: Viewer, zone: string, back: string): Html {
  const { id, kind, connection, type, recordId, reason, openedAt } = decision;
  const about = type === null ? '' : ` · ${type} ${recordId ?? ''}`;
  return html`<article class="card" id="decision-${id}">
<h3>Decision ${id}: ${kind.replaceAll('-', ' ')}</h3>
<p class="quiet">Connection ${connection}${about} · asked ${fullTime(openedAt, zone)}</p>
<p>${reason.text} <code>${reason.code}</code></p>
${Object.keys(decision.detail).length > 0 && html`<details><summary>What is known of it</summary>${shownValue(decision.detail)}</details>`}
${decision.state === 'open' ? answer(decision, viewer, back) : answered(decision, zone)}
</article>`;
}

function answer(decision: DecisionView, viewer: Viewer, back: string): Html {
  const offered = choicesOf(decision);
  if (!viewer.mayDecide)
    return html`<p>What each choice would do:</p><dl class="facts">${offered.map(({ choose, effect }) => html`<dt>${choose}</dt><dd>${effect}</dd>`)}</dl>
<p class="quiet">Your token may read. To decide it needs the permission <code>decide</code>.</p>`;
  const options = offered.map(
    ({ choose, effect }, index) => html`<div class="option">
<input type="radio" id="choose-${decision.id}-${index}" name="choose" value="${choose}" required>
<label for="choose-${decision.id}-${index}"><b>${choose}</b>: ${effect}</label></div>`,
  );
  return html`<form method="post" action="${decisionAddress(decision.id)}">${tokenField(viewer)}
<input type="hidden" name="to" value="${back}">
<fieldset><legend>Choose</legend>${options}</fieldset>
<label for="note-${decision.id}">Note for colleagues (optional)</label>
<textarea id="note-${decision.id}" name="note" rows="2" maxlength="2000"></textarea>
<button type="submit">Decide</button></form>`;
}

function answered({ state, choice, decidedBy, decidedAt, note }: DecisionView, zone: string): Html {
  const when = decidedAt !== null && html`, ${fullTime(decidedAt, zone)}`;
  if (state === 'obsolete') return html`<p>It needs no answer any more${when}.</p>`;
  return html`<p>Answered <b>${choice ?? ''}</b> by ${decidedBy ?? ''}${when}.</p>
${note !== null && html`<blockquote>${note}</blockquote>`}`;
}

export function decisionAddress(id: number): string {
  return `${addresses.decisions}/${id}`;
}

function choicesOf({ choices }: DecisionView): { choose: string; effect: string }[] {
  return objectsIn(choices).flatMap((choice) => {
    const choose = textAt(choice, 'choose');
    return choose === undefined ? [] : [{ choose, effect: textAt(choice, 'effect') ?? '' }];
  });
}

/** Any JSON as nested lists. */
export function shownValue(value: Json): Html {
  if (Array.isArray(value))
    return value.length === 0
      ? html`<span class="quiet">none</span>`
      : html`<ul class="values">${value.map((item) => html`<li>${shownValue(item)}</li>`)}</ul>`;
  if (isObject(value)) {
    const rows = Object.entries(value).map(([name, item]) => html`<dt>${name}</dt><dd>${shownValue(item)}</dd>`);
    return rows.length === 0 ? html`<span class="quiet">none</span>` : html`<dl class="facts">${rows}</dl>`;
  }
  return value === null ? html`<span class="quiet">none</span>` : html`${String(value)}`;
}

export interface DecisionList {
  readonly items: readonly (DecisionView & { readonly caseOf?: { readonly source: string; readonly id: string } })[];
  readonly older?: string;
  readonly zone: string;
}

/** Open decisions, without what is known of them: that is on the page of each. */
export function decisionsPage({ items, older, zone }: DecisionList, viewer: Viewer): Html {
  const rows = items.map(
    ({ id, kind, connection, subject, reason, openedAt, caseOf }) => html`<li class="card">
<h2><a href="${decisionAddress(id)}">Decision ${id}: ${kind.replaceAll('-', ' ')}</a></h2>
<p>${reason.text}</p>
<p class="quiet">Connection ${connection} · ${caseOf ? html`<a href="${caseAddress(caseOf.source, caseOf.id)}">case ${caseOf.id}</a>` : subject} · asked ${fullTime(openedAt, zone)}</p></li>`,
  );
  return frame(
    'Open decisions',
    html`<p class="quiet">Oldest first. Times are in ${zone}.</p>
${items.length === 0 && html`<p>Nothing waits for a person.</p>`}
<ul class="cards">${rows}</ul>${olderLink(older, 'More decisions')}`,
    viewer,
    addresses.decisions,
  );
}

export function decisionPage(decision: DecisionView, viewer: Viewer, zone: string): Html {
  return frame(
    `Decision ${decision.id}`,
    html`<p class="quiet">Times are in ${zone}.</p>${decisionCard(decision, viewer, zone, decisionAddress(decision.id))}`,
    viewer,
    addresses.decisions,
  );
}
