// The referral as its partner sees it, with the forms that are legal now.

import { type Html, type HtmlValue, html } from '../html/html.ts';
import { isTerminal } from '../referrals/referrals.ts';
import { type Action, agreements, contactModes, contactOutcomes, declineReasons, outcomes } from './choices.ts';
import { choiceField, type FieldBox, faultList, lineField, type Returned, textField } from './fields.ts';
import { type Frame, pageHtml, told, unsentHtml } from './layout.ts';
import type { Times } from './times.ts';
import {
  type AppointmentShown,
  type CancelAsked,
  type HistoryItem,
  isOffered,
  type News,
  type ReferralView,
} from './view.ts';
import { type Words, words } from './words.ts';

/** What is to be said before anything else. */
export type Told =
  | { readonly kind: 'done'; readonly action: Action }
  | { readonly kind: 'faults' }
  /** What has happened since the form was shown. */
  | { readonly kind: 'stale'; readonly news: News }
  | { readonly kind: 'not-allowed' }
  /** One for the same time and place stands otherwise than was asked. */
  | { readonly kind: 'appointment-there' };

export interface ReferralPage extends Frame {
  readonly address: string;
  readonly csrf: string;
  /** Of whoever has signed in. */
  readonly name: string;
  readonly view: ReferralView;
  readonly times: Times;
  readonly now: Date;
  /** Makes the key of a form. */
  readonly newKey: () => string;
  readonly told?: Told;
  /** The form that came back. */
  readonly returned?: Returned & { readonly action: Action };
}

export function referralHtml(page: ReferralPage): string {
  const { view, address, csrf, name } = page;
  const w = words[page.language];
  const { returned } = page;
  const isOver = returned !== undefined && !isOffered(view, returned.action, returned.values.get('appointment'));
  const aside = html`<form method="post" action="${address}/leave"><input type="hidden" name="csrf" value="${csrf}">
<button class="quiet">${w.signOut}</button></form>`;
  const body: HtmlValue = [
    page.told && toldHtml(page, w, page.told, isOver),
    isOver && unsentHtml(returned, w),
    view.cancelAsked && told('notice', w.actionTitles.stop, cancelAskedText(view.cancelAsked, w)),
    html`<p class="state">${stateWords(view, w)}</p>`,
    view.isPart2 && html`<p>${w.part2}</p>`,
    view.reason !== undefined && html`<p><span class="said" dir="auto">${view.reason}</span></p>`,
    asked(page, w),
    // Of a referral that has ended it is not told any more whom it was for.
    (view.client !== undefined || !isTerminal(view.status)) && who(page, w),
    byWhen(page, w),
    appointments(page, w),
    actions(page, w),
    history(page, w),
    html`<p class="hint">${w.signedInAs(name)}. ${w.timeout}</p>`,
  ];
  const hasProblem = page.told !== undefined && page.told.kind !== 'done';
  return pageHtml({ ...page, title: w.pageTitle, hasProblem, aside, body });
}

function cancelAskedText({ reason }: CancelAsked, w: Words): HtmlValue {
  return [
    html`<p>${w.cancelAsked}</p>`,
    reason !== undefined && html`<p>${w.labels.reason}: <span class="said" dir="auto">${reason}</span></p>`,
  ];
}

function stateWords({ status, isWaitlisted }: ReferralView, w: Words): string {
  return isWaitlisted ? w.waitlisted : w.status[status];
}

/** @param isOver what was asked cannot be done any more */
function toldHtml(page: ReferralPage, w: Words, what: Told, isOver: boolean): Html {
  switch (what.kind) {
    case 'done':
      return told('done', w.headings.done, html`<p>${w.done[what.action]}</p>`);
    case 'faults': {
      const { returned } = page;
      return told('problem', w.headings.problem, returned && faultList({ w, form: returned.action, returned }));
    }
    case 'stale':
      return told('problem', w.headings.changed, [
        html`<p>${isOver ? w.staleOver : w.stale}</p>`,
        newsHtml(page, w, what.news),
      ]);
    case 'not-allowed': {
      const { view } = page;
      const legal = view.offered.map((action) => w.actionTitles[action]);
      return told('problem', w.headings.problem, html`<p>${w.notAllowed(stateWords(view, w), legal)}</p>`);
    }
    case 'appointment-there':
      return told('problem', w.headings.problem, html`<p>${w.appointmentThere}</p>`);
    default:
      return what satisfies never;
  }
}

function newsHtml(page: ReferralPage, w: Words, { cancelAsked, appointments, history }: News): HtmlValue {
  const items = [
    ...(cancelAsked === undefined ? [] : [cancelAskedText(cancelAsked, w)]),
    ...appointments.map((one) => appointmentText(page, w, one)),
    ...history.map((item) => historyItem(page, w, item)),
  ];
  return items.length === 0 ? html`<p>${w.staleNothing}</p>` : itemList(items);
}

function section(id: string, title: string, body: HtmlValue): Html {
  return html`<section class="card" aria-labelledby="${id}"><h2 id="${id}">${title}</h2>${body}</section>`;
}

function list(rows: readonly (readonly [label: string, value: HtmlValue])[]): HtmlValue {
  const shown = rows.filter(([, value]) => value !== undefined && value !== false && value !== '');
  return shown.length > 0 && html`<dl>${shown.map(([label, value]) => html`<dt>${label}</dt><dd>${value}</dd>`)}</dl>`;
}

function said(texts: readonly string[]): HtmlValue {
  return texts.length > 0 && texts.map((text) => html`<span class="said" dir="auto">${text}</span> `);
}

function asked({ view, times }: ReferralPage, w: Words): Html {
  const { urgency } = view;
  const isKnown = urgency === 'routine' || urgency === 'urgent' || urgency === 'asap' || urgency === 'stat';
  const [from, by] = [view.neededFrom, view.neededBy].map((date) => date && times.date(date));
  const rows = [
    [w.labels.service, said(view.service)],
    [w.labels.urgency, isKnown && w.urgency[urgency]],
    [w.labels.why, said(view.why)],
    [w.labels.needs, said(view.needs)],
    [w.labels.goals, said(view.goals)],
    [w.labels.period, w.period(from, by)],
    [w.labels.requester, view.requesters.length > 0 && view.requesters.join(' · ')],
    [w.labels.from, view.askedOn && times.instant(view.askedOn)],
  ] as const;
  return section('asked', w.headings.asked, list(rows));
}

function who({ view, times }: ReferralPage, w: Words): Html {
  const { client, mayContact } = view;
  const phones = client !== undefined && client.phones.length > 0 ? said(client.phones) : w.phoneWithheld;
  const rows = [
    [w.labels.name, client?.name ?? w.unknown],
    [w.labels.birthDate, client?.birthDate === undefined ? w.unknown : times.date(client.birthDate)],
    [w.labels.phone, mayContact && phones],
    [w.labels.speaks, said((client?.languages ?? []).map((code) => times.language(code)))],
  ] as const;
  return section('who', w.headings.who, [!mayContact && html`<p class="late">${w.noContact}</p>`, list(rows)]);
}

function byWhen({ view, times }: ReferralPage, w: Words): HtmlValue {
  const rows = view.clocks.flatMap(({ rule, state, dueAt }) => {
    const label = w.clocks[rule];
    const due = dueAt === undefined ? undefined : times.instant(dueAt);
    const text = w.clockStates[state](due);
    return label === undefined
      ? []
      : [[label, state === 'breached' ? html`<span class="late">${text}</span>` : text] as const];
  });
  return rows.length > 0 && section('by-when', w.headings.byWhen, [zoneHint(times, w), list(rows)]);
}

function appointments(page: ReferralPage, w: Words): HtmlValue {
  const items = page.view.appointments.map(
    (one): HtmlValue => [appointmentText(page, w, one), one.canConfirm && confirmForm(page, w, one)],
  );
  const shown = [zoneHint(page.times, w), itemList(items)];
  return items.length > 0 && section('appointments', w.headings.appointments, shown);
}

function zoneHint({ zoneName }: Times, w: Words): Html {
  return html`<p class="hint">${w.timesIn(zoneName)}</p>`;
}

function appointmentText({ times }: ReferralPage, w: Words, { startsAt, state, place }: AppointmentShown): HtmlValue {
  return [
    html`<p>${w.history.appointment(w.appointmentStates[state], startOf(startsAt, times, w))}</p>`,
    place !== undefined && html`<p class="said" dir="auto">${place}</p>`,
  ];
}

function startOf(startsAt: string | undefined, times: Times, w: Words): string {
  return startsAt === undefined ? w.unknown : times.instant(startsAt);
}

function confirmForm(page: ReferralPage, w: Words, { id, startsAt, isOwn }: AppointmentShown): Html {
  const at = startOf(startsAt, page.times, w);
  const button = isOwn ? w.bookOwn : w.actionButtons.confirm;
  return html`<form method="post" action="${page.address}/confirm">${hidden(page)}
<input type="hidden" name="appointment" value="${id}">
<button class="quiet" aria-label="${button}: ${at}">${button}</button></form>`;
}

function actions(page: ReferralPage, w: Words): Html {
  const { offered } = page.view;
  const forms = offered.map((action) => actionForm(page, w, action));
  return section('actions', w.headings.actions, offered.length === 0 ? html`<p>${w.nothingToDo}</p>` : forms);
}

/** What needs no more than a click is a button; the others open. */
function actionForm(page: ReferralPage, w: Words, action: Action): Html {
  const returned = page.returned?.action === action ? page.returned : undefined;
  const hint = w.actionHints[action];
  const fields = fieldsOf(page, { w, form: action, returned }, action);
  const form = html`<form method="post" action="${page.address}/${action}">${hidden(page)}
${hint !== undefined && html`<p class="hint">${hint}</p>`}
${fields}
<p><button>${w.actionButtons[action]}</button></p></form>`;
  if (fields === undefined) return form;
  return html`<details${returned !== undefined && html` open`}><summary>${w.actionTitles[action]}</summary>${form}</details>`;
}

/** The token of the session, the stamp of what the page shows, when it was shown, and a key that makes a second click harmless. */
function hidden({ csrf, view, now, newKey }: ReferralPage): Html {
  return html`<input type="hidden" name="csrf" value="${csrf}">
<input type="hidden" name="version" value="${view.stamp}">
<input type="hidden" name="shown" value="${now.toISOString()}">
<input type="hidden" name="key" value="${newKey()}">`;
}

function fieldsOf({ times, now }: ReferralPage, box: FieldBox, action: Action): HtmlValue {
  const { fields, ...w } = box.w;
  const text = (label: string, required: boolean): Html => textField(box, { name: 'text', label, required });
  const time = (value: Date | undefined): Html =>
    lineField(
      box,
      {
        name: 'at',
        label: fields.when(times.zoneName),
        required: true,
        ...(value && { value: times.local(value) }),
      },
      html`type="datetime-local"`,
    );
  const choice = <T extends string>(
    name: 'reason' | 'outcome' | 'mode' | 'agreement',
    label: string,
    values: readonly T[],
    named: Readonly<Record<T, string>>,
  ): Html =>
    choiceField(
      box,
      { name, label, required: true },
      values.map((value) => [value, named[value]] as const),
    );
  switch (action) {
    case 'accept':
    case 'start':
    case 'stop':
    case 'confirm':
      return undefined;
    case 'decline':
      return [
        choice('reason', fields.declineReason, declineReasons, w.declineReasons),
        text(fields.detailsOptional, false),
      ];
    case 'hold':
      return text(fields.holdReason, true);
    case 'finish':
      return [choice('outcome', fields.outcome, outcomes, w.outcomes), text(fields.detailsOptional, false)];
    case 'contact':
      return [
        time(now),
        choice('mode', fields.mode, contactModes, w.contactModes),
        choice('outcome', fields.contactOutcome, contactOutcomes, w.contactOutcomes),
        text(fields.detailsOptional, false),
      ];
    case 'propose':
      return [
        time(undefined),
        lineField(
          box,
          { name: 'minutes', label: fields.minutes, required: true, value: '60' },
          html`type="text" inputmode="numeric"`,
        ),
        lineField(
          box,
          { name: 'place', label: fields.place },
          html`type="text" dir="auto" maxlength="200" autocomplete="off"`,
        ),
        choice('agreement', fields.agreement, agreements, w.agreements),
      ];
    case 'comment':
      return text(fields.comment, true);
    default:
      return action satisfies never;
  }
}

function history(page: ReferralPage, w: Words): Html {
  const { history: items } = page.view;
  return section(
    'history',
    w.headings.history,
    items.length === 0 ? html`<p>${w.history.none}</p>` : itemList(items.map((item) => historyItem(page, w, item))),
  );
}

function itemList(items: readonly HtmlValue[]): Html {
  return html`<ol class="history">${items.map((item) => html`<li>${item}</li>`)}</ol>`;
}

function historyItem({ times }: ReferralPage, w: Words, item: HistoryItem): Html {
  const by = item.who ?? (item.by === 'them' ? w.history.you : w.history.them);
  return html`<p class="when">${item.at === '' ? '' : times.instant(item.at)} · ${by}</p>
<p>${historyTitle(item, w)}</p>
${historyText(item)}`;
}

function historyTitle(item: HistoryItem, w: Words): string {
  switch (item.kind) {
    case 'state':
      return w.history.state(w.status[item.status]);
    case 'comment':
      return w.history.comment;
    case 'contact':
      return w.history.contact(contactWords(item.outcome, w));
    default:
      return item satisfies never;
  }
}

function contactWords(outcome: string, w: Words): string {
  const known = contactOutcomes.find((one) => one === outcome);
  return known === undefined ? w.unknown : w.contactOutcomes[known];
}

function historyText(item: HistoryItem): HtmlValue {
  const text = item.kind === 'state' ? item.reason : item.text;
  return text !== undefined && html`<p class="said" dir="auto">${text}</p>`;
}
