// Every page in every state that it can be in, as HTML; in Spanish those that hold the most words.

import { pageLanguages } from '../../src/config.ts';
import { type Gate, gateHtml } from '../../src/page/gate-page.ts';
import { noticeHtml } from '../../src/page/layout.ts';
import { type ReferralPage, referralHtml } from '../../src/page/referral-page.ts';
import { timesIn } from '../../src/page/times.ts';
import { offeredActions, type ReferralView } from '../../src/page/view.ts';
import { words } from '../../src/page/words.ts';
import type { TaskStatus } from '../../src/referrals/referrals.ts';

export interface PageState {
  readonly name: string;
  readonly html: string;
}

const here = `/p/${'x'.repeat(66)}`;
const long = 'Donaudampfschifffahrtselektrizitaetenhauptbetriebswerkbauunterbeamtengesellschaft '.repeat(3);

const gateStates: readonly Gate['state'][] = [
  { kind: 'new' },
  { kind: 'sent' },
  { kind: 'sent-before' },
  { kind: 'not-sent' },
  { kind: 'wrong', left: 1 },
  { kind: 'none' },
  { kind: 'locked' },
  { kind: 'sign-in-first' },
  { kind: 'no-cookies' },
];

export function pageStates(): PageState[] {
  return pageLanguages.flatMap((language) => {
    const frame = { language, base: '/p', here };
    const gate = { ...frame, address: here, csrf: 'token', masked: 'r•••@p•••.org' };
    const faults = [
      { field: 'name', fault: 'name-missing' },
      { field: 'code', fault: 'code-not-six-digits' },
    ] as const;
    const returned = { values: new URLSearchParams({ name: '' }), faults };
    const pages: PageState[] = [
      ...gateStates.map((state) => ({
        name: `gate ${state.kind}`,
        html: gateHtml({ ...gate, state, hasCode: state.kind !== 'new' && state.kind !== 'none' }),
      })),
      { name: 'gate unsent', html: gateHtml({ ...gate, state: { kind: 'sign-in-first' }, hasCode: true, unsent }) },
      { name: 'notice unsent', html: noticeHtml(frame, 'form-foreign', undefined, unsent) },
      { name: 'gate faults', html: gateHtml({ ...gate, state: { kind: 'faults' }, hasCode: true, returned }) },
      ...notices.map((notice) => ({
        name: `notice ${notice}`,
        html: noticeHtml(frame, notice, { href: here, text: words[language].backToReferral }),
      })),
      ...referrals().map(({ name, ...page }) => ({
        name: `referral ${name}`,
        html: referralHtml({ ...frame, ...base(language), ...page }),
      })),
    ];
    const shown = language === 'en' ? pages : pages.filter(({ name }) => wordy.includes(name));
    return shown.map(({ name, html }) => ({ name: `${language}: ${name}`, html }));
  });
}

const unsent = { action: 'propose', values: new URLSearchParams({ at: '2031-03-04T09:30', place: long }) } as const;

const wordy = ['gate faults', 'gate unsent', 'gate sent-before', 'notice link-unknown', 'notice form-foreign'].concat(
  ['requested', 'on-hold', 'asked to stop', 'faults', 'stale', 'stale and over', 'not allowed'].map(
    (name) => `referral ${name}`,
  ),
);

const notices = [
  'link-unknown',
  'link-expired',
  'link-revoked',
  'referral-gone',
  'form-foreign',
  'form-too-long',
  'too-many',
  'signed-out',
  'failed',
] as const;

function base(language: ReferralPage['language']) {
  return {
    address: here,
    csrf: 'token',
    name: 'Ana Ruiz',
    times: timesIn(language, 'America/New_York'),
    now: new Date('2026-02-05T15:00:00Z'),
    newKey: () => 'key',
  };
}

/** One of each status that offers something else, and one of whatever may be said first. */
function referrals(): ({ name: string } & Pick<ReferralPage, 'view' | 'told' | 'returned'>)[] {
  const shown = ['requested', 'accepted', 'in-progress', 'on-hold', 'completed'] as const;
  const statuses = shown.map((status) => ({ name: status, view: view(status) }));
  const values = new URLSearchParams({ reason: 'other', text: long });
  const returned = {
    action: 'decline',
    values,
    faults: [
      { field: 'reason', fault: 'reason-missing' },
      { field: 'text', fault: 'text-too-long' },
    ],
  } as const;
  const { appointments, history } = view('requested');
  const everything = { cancelAsked: { at: '2026-02-05T14:00:00Z', reason: long }, appointments, history };
  const nothing = { cancelAsked: undefined, appointments: [], history: [] };
  return [
    ...statuses,
    { name: 'with little', view: bare },
    { name: 'waitlisted', view: { ...view('requested'), isWaitlisted: true } },
    {
      name: 'asked to stop',
      view: {
        ...view('accepted'),
        cancelAsked: { at: '2026-02-05T14:00:00Z', reason: long },
        offered: offeredActions('accepted', true),
      },
    },
    { name: 'done', view: view('accepted'), told: { kind: 'done', action: 'accept' } },
    { name: 'faults', view: view('requested'), told: { kind: 'faults' }, returned },
    { name: 'stale', view: view('requested'), told: { kind: 'stale', news: everything }, returned },
    { name: 'stale and over', view: view('completed'), told: { kind: 'stale', news: everything }, returned },
    { name: 'stale by little', view: view('requested'), told: { kind: 'stale', news: nothing } },
    { name: 'not allowed', view: view('in-progress'), told: { kind: 'not-allowed' } },
    { name: 'an appointment there', view: view('accepted'), told: { kind: 'appointment-there' } },
    { name: 'not allowed at the end', view: view('completed'), told: { kind: 'not-allowed' } },
  ];
}

function view(status: TaskStatus): ReferralView {
  const at = '2026-02-05T14:00:00Z';
  return {
    version: '3',
    stamp: '3 a1/1 a2/1 a3/1',
    status,
    isWaitlisted: false,
    cancelAsked: undefined,
    reason: status === 'on-hold' ? long : undefined,
    service: [long],
    urgency: 'asap',
    why: [long],
    needs: ['Runs out of food'],
    goals: ['Enough food at home'],
    neededFrom: '2026-02-06',
    neededBy: '2026-03-01',
    askedOn: at,
    requesters: ['Riverside Family Services', '(518) 555-0100'],
    client: {
      name: long,
      birthDate: '1984-06-17',
      phones: ['(518) 555-0177', '(518) 555-0178'],
      languages: ['es', 'Mam'],
    },
    mayContact: status !== 'on-hold',
    isPart2: status === 'on-hold',
    clocks: [
      { rule: 'referral-follow-up-48h', state: 'met', dueAt: at },
      { rule: 'first-contact-72h', state: 'breached', dueAt: at },
      { rule: 'cancel-answer-48h', state: 'due-soon', dueAt: at },
    ],
    appointments: [
      { id: 'a1', version: '1', state: 'proposed', startsAt: at, place: long, canConfirm: true, isOwn: false },
      {
        id: 'a2',
        version: '1',
        state: 'proposed',
        startsAt: '2026-02-07T14:00:00Z',
        place: undefined,
        canConfirm: true,
        isOwn: true,
      },
      {
        id: 'a3',
        version: '1',
        state: 'no-show',
        startsAt: undefined,
        place: undefined,
        canConfirm: false,
        isOwn: false,
      },
    ],
    history: [
      { kind: 'state', at, by: 'us', who: undefined, since: 1, status: 'requested', reason: undefined },
      { kind: 'comment', at, by: 'us', who: 'Ngozi Okafor', since: 2, text: `${long}\nand a second line` },
      { kind: 'contact', at, by: 'them', who: undefined, since: undefined, outcome: 'left-message', text: long },
    ],
    offered: offeredActions(status),
  };
}

const bare: ReferralView = {
  ...view('requested'),
  service: [],
  urgency: undefined,
  why: [],
  needs: [],
  goals: [],
  neededFrom: undefined,
  neededBy: undefined,
  askedOn: undefined,
  requesters: [],
  client: undefined,
  clocks: [],
  appointments: [],
  history: [],
};
