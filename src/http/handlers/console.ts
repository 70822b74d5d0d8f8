// The console: pages for operators, who sign in with their token. Each page is a whole answer; nothing runs in the browser.

import { problemPage, style } from '../../console/console.ts';
import { CasebridgeError } from '../../errors.ts';
import { noteLength } from '../answer-fields.ts';
import { checkForm, signedIn } from '../console-session.ts';
import { formType, readForm } from '../form.ts';
import { keepDecision } from '../looks.ts';
import type { Problem } from '../problem.ts';
import { alertStates } from '../queries/alerts.ts';
import { timelineFilters } from '../queries/timeline.ts';
import type { Call, PageRules, Route } from '../route.ts';
import * as pages from './console-pages.ts';
import { askToSignIn, checkMay, ownAddress, shownTo, signIn, signOut } from './console-sign-in.ts';

const page: PageRules = {
  policy: "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
  problem: ({ body }: Problem) =>
    String(problemPage({ title: String(body.title), text: String(body.detail), requestId: String(body.requestId) })),
};

const shared = { access: 'console', answers: ['text/html'], page } as const;

export const consoleRoutes: readonly Route[] = [
  {
    ...shared,
    method: 'GET',
    path: '/console',
    summary: 'Console: connections with their lanes and alerts; the sign-in for whoever has not signed in.',
    handle: shownTo(pages.home),
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
    handle: shownTo(pages.cases),
  },
  {
    ...shared,
    method: 'GET',
    path: '/console/cases/{id}',
    summary: 'Console: one case with its clocks, decisions, lanes and timeline.',
    query: ['source', 'connection', 'kind', 'after'],
    kinds: timelineFilters,
    handle: shownTo(pages.oneCase),
  },
  {
    ...shared,
    method: 'GET',
    path: '/console/decisions',
    summary: 'Console: open decisions.',
    query: ['after'],
    handle: shownTo(pages.decisions),
  },
  {
    ...shared,
    method: 'GET',
    path: '/console/decisions/{decision}',
    summary: 'Console: one decision.',
    handle: shownTo(pages.oneDecision),
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
    handle: shownTo(pages.lanes),
  },
  {
    ...shared,
    method: 'GET',
    path: '/console/alerts',
    summary: 'Console: alerts.',
    query: ['connection', 'state', 'after'],
    states: alertStates,
    handle: shownTo(pages.alerts),
  },
];

async function decide(call: Call): Promise<undefined> {
  const { gateway, path, response } = call;
  const viewer = await signedIn(call);
  if (viewer === undefined) return askToSignIn(call, call.request.originalUrl);
  const { form, to = '', choose = '', note } = await readForm(call, ['form', 'to', 'choose', 'note']);
  checkForm(viewer.secret, form);
  checkMay(viewer, 'decide');
  if (note !== undefined && note.length > noteLength) throw new CasebridgeError('form-refused');
  await gateway.decide(Number(path.decision), { choose, note, by: viewer.operator.name });
  await keepDecision(call, viewer.operator, String(Number(path.decision)));
  response.redirect(303, ownAddress(to));
}
