// What the page answers: whoever has the link asks for a code, signs in with it, and then sees and answers the one referral that the link is for.
// Knows nothing of Express; what it is given is already read, what it gives is written as it is.

import type { RateLimit, SharedRate } from '../access/access.ts';
import type { PageContact, PageLanguage, PartnerConfig } from '../config.ts';
import { CasebridgeError } from '../errors.ts';
import { type Actor, MoveRefused } from '../home/home.ts';
import { textAt } from '../json.ts';
import { type Action, isAction } from './choices.ts';
import { codeMinutes, dropCode, giveCode, keepCode } from './codes.ts';
import { codeAddress, type DeliverDeps } from './deliver.ts';
import { type Facts, readFacts } from './facts.ts';
import { type Asked, actionOf, formName, readForm, readSignIn } from './forms.ts';
import { type Gate, gateHtml, masked } from './gate-page.ts';
import { type Back, type Frame, noticeHtml, type Unsent } from './layout.ts';
import {
  claimForm,
  endSession,
  findLink,
  finishForm,
  isFormDone,
  longestVisitSeconds,
  type OpenLink,
  releaseForm,
  sessionName,
} from './links.ts';
import { doAsked } from './moves.ts';
import { type ReferralPage, referralHtml } from './referral-page.ts';
import { hashOf, isSame, randomText, type Seal } from './seal.ts';
import { css, cssName } from './style.ts';
import { timesIn } from './times.ts';
import { isTokenLike, readToken } from './token.ts';
import { isOffered, newsSince, type ReferralView, viewOf } from './view.ts';
import { languageFor, type Notice, words } from './words.ts';

export interface PageRequest {
  readonly method: 'GET' | 'POST';
  /** What follows `/p/`, between slashes. */
  readonly path: readonly string[];
  readonly query: URLSearchParams;
  /** Empty where nothing was sent. */
  readonly form: URLSearchParams;
  readonly cookies: ReadonlyMap<string, string>;
  /** Accept-Language. */
  readonly languages: string | undefined;
  /** Of the caller. */
  readonly address: string;
  /** As the log has it. */
  readonly requestId: string;
}

export interface PageAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Values of Set-Cookie. */
  readonly cookies: readonly string[];
  readonly body: string;
}

export interface AnswerDeps extends DeliverDeps {
  /** `/p`, with whatever stands before it where others reach us. */
  readonly base: string;
  /** Cookies go over https only. */
  readonly isSecure: boolean;
  /** Six digits. */
  readonly newCode: () => string;
  /** Epoch ms. */
  readonly clock: () => number;
  readonly limits: {
    /** Requests of an address. */
    readonly address: RateLimit;
    /** Requests with a link. */
    readonly link: RateLimit;
    /** Codes that are asked for or given, of an address, over all processes. */
    readonly codes: SharedRate;
  };
}

/** One request by somebody who has a link. */
interface Visit {
  readonly deps: AnswerDeps;
  readonly request: PageRequest;
  readonly seal: Seal;
  readonly link: OpenLink;
  readonly partner: PartnerConfig;
  /** To whom the link was given. */
  readonly contact: PageContact;
  readonly language: PageLanguage;
  readonly frame: Frame;
  /** Of the link: `/p/<token>`. */
  readonly here: string;
  /** What the browser has brought. */
  readonly cookie: string | undefined;
}

const languageCookie = 'casebridge-language';

export async function answerPage(deps: AnswerDeps, request: PageRequest): Promise<PageAnswer> {
  const [first = '', ...rest] = request.path;
  if (first === cssName && rest.length === 0) return styleSheet();
  const language = languageOf(request, 'en');
  const frame: Frame = { language, base: deps.base };
  const back = backTo(deps, request, language);
  if (isTooMany(deps.limits.address, request.address)) return notice(frame, 429, 'too-many', { back });
  const seal = await deps.seal();
  const token = readToken(first, seal);
  const link = token && (await findLink(deps.store, token));
  if (link === undefined) return notice(frame, 404, 'link-unknown');
  const unsent = unsentOf(request);
  if (isTooMany(deps.limits.link, link.id)) return notice(frame, 429, 'too-many', { back, unsent });
  const partner = deps.partners.get(link.partner);
  if (partner?.page === undefined) return notice(frame, 404, 'referral-gone');
  const theirs = languageOf(request, partner.page.language);
  const here = `${deps.base}/${first}`;
  const outside: Frame = { language: theirs, base: deps.base };
  const contact = partner.page.contacts.get(link.contact);
  // Whoever is not with the partner any more gets no code.
  if (contact === undefined) return notice(outside, 410, 'link-revoked', { unsent });
  const visit: Visit = {
    deps,
    request,
    seal,
    link,
    partner,
    contact,
    language: theirs,
    frame: { ...outside, here },
    here,
    cookie: request.cookies.get(cookieName(link)),
  };
  if (link.state !== 'good') return notice(outside, 410, `link-${link.state}`, { unsent });
  if (request.method === 'GET') return rest.length === 0 ? show(visit) : redirect(here);
  const [action, ...more] = rest;
  return more.length > 0 ? notice(visit.frame, 404, 'link-unknown') : take(visit, action);
}

function isTooMany(limit: RateLimit, caller: string): boolean {
  return limit.take(caller) !== undefined;
}

/** Chosen on the page before, else what the browser or the partner would rather have. */
function languageOf({ query, cookies, languages }: PageRequest, otherwise: PageLanguage): PageLanguage {
  return languageFor(query.get('lang') ?? cookies.get(languageCookie), languages, otherwise);
}

async function show(visit: Visit): Promise<PageAnswer> {
  const { request, here, language, deps } = visit;
  if (request.query.has('lang'))
    return redirect(here, [
      cookieText(deps, { name: languageCookie, value: language, path: deps.base, seconds: yearSeconds }),
    ]);
  const name = await signedIn(visit);
  if (name === undefined) {
    const wasSent = request.query.get('code') === 'sent' && visit.link.hasCode;
    return gate(visit, 200, { kind: visit.link.isLocked ? 'locked' : wasSent ? 'sent' : 'new' });
  }
  const facts = await readFacts(deps, visit.partner, visit.link.taskId);
  const by = actorOf(visit, name);
  await audit(visit, by, 'read', facts);
  if (facts === undefined) return notice(visit.frame, 404, 'referral-gone');
  const form = request.query.get('done');
  const action = form === null ? undefined : actionOf(form);
  const isDone = form !== null && action !== undefined && (await isFormDone(deps.store, visit.link.id, form));
  return referral(visit, 200, name, facts, isDone ? { told: { kind: 'done', action } } : {});
}

async function signedIn({ deps, link, cookie }: Visit): Promise<string | undefined> {
  return cookie === undefined ? undefined : sessionName(deps.store, link.id, cookie);
}

async function take(visit: Visit, action: string | undefined): Promise<PageAnswer> {
  const { request, cookie, here, frame, language } = visit;
  const back = { href: here, text: words[language].backToReferral };
  const unsent = unsentOf(request);
  // Only who was in has seen a form of an action.
  if (cookie === undefined)
    return isAction(action) ? gate(visit, 403, { kind: 'sign-in-first' }) : gate(visit, 400, { kind: 'no-cookies' });
  if (!isSame(csrfOf(visit, cookie), request.form.get('csrf') ?? ''))
    return notice(frame, 403, 'form-foreign', { back, unsent });
  if (action === 'code') return sendCode(visit);
  if (action === 'enter') return enter(visit);
  if (action === 'leave') {
    await endSession(visit.deps.store, cookie);
    return notice({ language, base: visit.deps.base }, 200, 'signed-out', {
      cookies: [visitCookie(visit, '', 0)],
    });
  }
  if (!isAction(action)) return notice(frame, 404, 'link-unknown', { back });
  const name = await signedIn(visit);
  if (name === undefined) return gate(visit, 403, { kind: 'sign-in-first' });
  const key = request.form.get('key') ?? '';
  return /^[A-Za-z0-9_-]{16,64}$/.test(key)
    ? act(visit, action, key, name)
    : notice(frame, 403, 'form-foreign', { back, unsent });
}

async function sendCode(visit: Visit): Promise<PageAnswer> {
  const { deps, link, contact, language, seal, request, here } = visit;
  const back = { href: here, text: words[language].backToReferral };
  // Who asks is not known yet, only by which link.
  const refused = async (status: number, kind: 'locked' | 'sent-before' | 'not-sent') => {
    await auditTask(visit, visitor(visit), 'code', `code-${kind}`);
    return gate(visit, status, { kind });
  };
  if (link.isLocked) return refused(429, 'locked');
  if ((await deps.limits.codes.take(request.address)) !== undefined)
    return notice(visit.frame, 429, 'too-many', { back });
  const code = deps.newCode();
  const kept = await keepCode(deps.store, seal, link.id, code);
  if (kept.kind !== 'new') return refused(429, kept.kind);
  const message = words[language].mail.code(code, codeMinutes);
  const id = `code-${link.id}-${hashOf(code + randomText(deps.randomBytes, 9)).slice(0, 12)}`;
  const why = await deps.messenger.send(codeAddress(contact), { id, ...message });
  if (why === undefined || why.maybe) {
    await auditTask(visit, visitor(visit), 'code', 'done');
    return redirect(`${here}?code=sent`);
  }
  await dropCode(deps.store, seal, link.id, code);
  deps.log.warn({ partner: visit.partner.id, link: link.id, code: why.reason.code }, 'a code could not be sent');
  return refused(503, 'not-sent');
}

async function enter(visit: Visit): Promise<PageAnswer> {
  const { deps, request, link, partner, seal, here, language } = visit;
  const back = { href: here, text: words[language].backToReferral };
  if ((await deps.limits.codes.take(request.address)) !== undefined)
    return notice(visit.frame, 429, 'too-many', { back });
  const read = readSignIn(request.form);
  if ('faults' in read)
    return gate(visit, 422, { kind: 'faults' }, { values: withoutCode(request.form), faults: read.faults });
  const given = await giveCode(deps.store, seal, deps.randomBytes, { link: link.id, partner: partner.id, ...read });
  const outcome = given.kind === 'right' ? 'done' : `code-${given.kind}`;
  await auditTask(visit, actorOf(visit, read.name), 'sign-in', outcome);
  if (given.kind === 'right') return redirect(here, [visitCookie(visit, given.session)]);
  const returned = { values: withoutCode(request.form), faults: [] };
  return gate(visit, given.kind === 'locked' ? 429 : 422, given, returned);
}

function withoutCode(form: URLSearchParams): URLSearchParams {
  return new URLSearchParams({ name: form.get('name') ?? '' });
}

async function act(visit: Visit, action: Action, key: string, name: string): Promise<PageAnswer> {
  const { deps, link, here } = visit;
  const form = formName(action, key, visit.request.form);
  const done = redirect(`${here}?done=${form}`);
  let claim = await claimForm(deps.store, link.id, form);
  for (const end = deps.clock() + longestDoingMs; claim === 'begun' && deps.clock() < end; ) {
    await pause(pauseMs);
    claim = await claimForm(deps.store, link.id, form);
  }
  if (claim === 'taken') return done;
  // Whoever had begun has died. What was done then shows in the referral, and is not done twice.
  let isDone = false;
  try {
    const answer = await tryAct(visit, action, name);
    isDone = answer === undefined;
    return answer ?? done;
  } finally {
    await (isDone ? finishForm : releaseForm)(deps.store, link.id, form);
  }
}

const longestDoingMs = 10_000;
const pauseMs = 50;

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

type ReturnedForm = NonNullable<ReferralPage['returned']>;

/** @returns undefined: it is done */
async function tryAct(visit: Visit, action: Action, name: string): Promise<PageAnswer | undefined> {
  const { deps, request, partner, link } = visit;
  const refused = (code: string) => auditTask(visit, actorOf(visit, name), action, code);
  const facts = await readFacts(deps, partner, link.taskId);
  if (facts === undefined) {
    await refused('resource-not-theirs');
    return notice(visit.frame, 404, 'referral-gone', { unsent: unsentOf(request) });
  }
  const view = viewOf(facts.parts);
  const sentAt = textAt(facts.parts.task, 'authoredOn');
  const read = readForm(action, request.form, { zone: facts.zone, now: new Date(deps.clock()), sentAt });
  const returned = { action, values: request.form, faults: 'faults' in read ? read.faults : [] };
  if (request.form.get('version') !== view.stamp) {
    await refused('version-conflict');
    return stale(visit, name, facts, view, returned);
  }
  if (!isOffered(view, action, request.form.get('appointment'))) {
    await refused(action === 'confirm' ? 'appointment-unknown' : 'task-move-illegal');
    return notAllowed(visit, name, facts, returned);
  }
  if ('faults' in read) return referral(visit, 422, name, facts, { told: { kind: 'faults' }, returned });
  return perform(visit, name, read.asked, view, returned);
}

async function perform(
  visit: Visit,
  name: string,
  asked: Asked,
  view: ReferralView,
  returned: ReturnedForm,
): Promise<PageAnswer | undefined> {
  const { deps, partner, link } = visit;
  try {
    await doAsked(deps.home, { partner: partner.id, taskId: link.taskId, by: actorOf(visit, name), view }, asked);
    return undefined;
  } catch (error) {
    const code = error instanceof CasebridgeError ? error.code : undefined;
    if (code !== undefined) await auditTask(visit, actorOf(visit, name), asked.action, code);
    const isStale = code === 'version-conflict';
    const isThere = code === 'appointment-exists';
    if (!isStale && !isThere && !(error instanceof MoveRefused)) throw error;
    const facts = await readFacts(deps, partner, link.taskId);
    if (facts === undefined) return notice(visit.frame, 404, 'referral-gone', { unsent: returned });
    if (isThere) return referral(visit, 409, name, facts, { told: { kind: 'appointment-there' }, returned });
    return isStale
      ? stale(visit, name, facts, viewOf(facts.parts), returned)
      : notAllowed(visit, name, facts, returned);
  }
}

function notAllowed(visit: Visit, name: string, facts: Facts, returned: ReturnedForm): PageAnswer {
  return referral(visit, 409, name, facts, { told: { kind: 'not-allowed' }, returned: { ...returned, faults: [] } });
}

/** Shows what is new, and the form once more as it was filled in. */
function stale(visit: Visit, name: string, facts: Facts, view: ReferralView, returned: ReturnedForm): PageAnswer {
  const { form } = visit.request;
  const news = newsSince(view, form.get('version') ?? '', Date.parse(form.get('shown') ?? ''));
  return referral(visit, 409, name, facts, { told: { kind: 'stale', news }, returned: { ...returned, faults: [] } });
}

function referral(
  visit: Visit,
  status: number,
  name: string,
  { parts, zone }: Facts,
  more: Pick<ReferralPage, 'told' | 'returned'>,
): PageAnswer {
  const { deps, frame, here, language, cookie = '' } = visit;
  return page(
    status,
    referralHtml({
      ...frame,
      address: here,
      csrf: csrfOf(visit, cookie),
      name,
      view: viewOf(parts),
      times: timesIn(language, zone),
      now: new Date(deps.clock()),
      newKey: () => randomText(deps.randomBytes, keyBytes),
      ...more,
    }),
  );
}

const keyBytes = 15;
const visitBytes = 24;

function gate(visit: Visit, status: number, state: Gate['state'], returned?: Gate['returned']): PageAnswer {
  const { deps, frame, here, link, contact } = visit;
  // A cookie of the visit, which the tokens of its forms are bound to; signing in gives another one.
  const cookie = visit.cookie ?? randomText(deps.randomBytes, visitBytes);
  const unsent = unsentOf(visit.request);
  const html = gateHtml({
    ...frame,
    address: here,
    csrf: csrfOf(visit, cookie),
    state,
    masked: masked(codeAddress(contact)),
    hasCode: state.kind === 'none' ? false : state.kind === 'sent-before' || link.hasCode,
    ...(returned && { returned }),
    ...(unsent && { unsent }),
  });
  return page(status, html, visit.cookie === undefined ? [visitCookie(visit, cookie)] : []);
}

function notice(
  frame: Frame,
  status: number,
  what: Notice,
  more: {
    readonly back?: Back | undefined;
    readonly unsent?: Unsent | undefined;
    readonly cookies?: readonly string[];
  } = {},
): PageAnswer {
  return page(status, noticeHtml(frame, what, more.back, more.unsent), more.cookies);
}

/** What this very request has brought; what is written into a form is kept nowhere. */
function unsentOf({ method, path: [, action], form }: PageRequest): Unsent | undefined {
  return method === 'POST' && isAction(action) ? { action, values: form } : undefined;
}

/** For what is no request that a page could answer, and for faults of ours. */
export function problemPage(deps: AnswerDeps, request: PageRequest, status: number): PageAnswer {
  const language = languageOf(request, 'en');
  const frame = { language, base: deps.base };
  const back = backTo(deps, request, language);
  if (status >= 500) return notice(frame, status, 'failed', { back, unsent: unsentOf(request) });
  return notice(frame, status, status === 413 ? 'form-too-long' : 'form-foreign', { back });
}

/** To the link that was asked for, if what was asked for looks like one. */
function backTo({ base }: AnswerDeps, { path: [first = ''] }: PageRequest, language: PageLanguage): Back | undefined {
  return isTokenLike(first) ? { href: `${base}/${first}`, text: words[language].backToReferral } : undefined;
}

function actorOf({ link, request }: Visit, name: string): Actor {
  return { kind: 'contact', id: link.id, name, requestId: request.requestId };
}

/** Whoever has the link, before they have said who they are. */
function visitor({ link, request }: Visit): Actor {
  return { kind: 'contact', id: link.id, requestId: request.requestId };
}

/** What was tried with the referral, and what came of it. */
async function auditTask({ deps, partner, link }: Visit, by: Actor, action: string, outcome: string): Promise<void> {
  await deps.home.audit({ partner: partner.id, by, action, resourceType: 'Task', ids: [link.taskId], outcome });
}

async function audit(
  { deps, partner, link }: Visit,
  by: Actor,
  action: string,
  facts: Facts | undefined,
): Promise<void> {
  const of = { partner: partner.id, by, action };
  const outcome = facts === undefined ? 'resource-not-theirs' : 'done';
  await deps.home.audit({ ...of, resourceType: 'Task', ids: [link.taskId], outcome });
  const patient = textAt(facts?.parts.patient, 'id');
  if (patient !== undefined) await deps.home.audit({ ...of, resourceType: 'Patient', ids: [patient], outcome });
}

function csrfOf({ seal, link }: Visit, cookie: string): string {
  return seal.sign('csrf', `${link.id} ${cookie}`);
}

function cookieName({ id }: OpenLink): string {
  return `casebridge-${id}`;
}

const yearSeconds = 365 * 86_400;

/** Goes to its own link alone: whoever has been given many sends each no more than one. */
function visitCookie({ deps, link, here }: Visit, value: string, seconds = longestVisitSeconds): string {
  return cookieText(deps, { name: cookieName(link), value, path: here, seconds });
}

interface Cookie {
  readonly name: string;
  readonly value: string;
  readonly path: string;
  readonly seconds: number;
}

function cookieText({ isSecure }: AnswerDeps, { name, value, path, seconds }: Cookie): string {
  return `${name}=${value}; Path=${path}; HttpOnly; SameSite=Lax${isSecure ? '; Secure' : ''}; Max-Age=${seconds}`;
}

const policy = [
  "default-src 'none'",
  "style-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ');

const always = {
  'content-security-policy': policy,
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'x-robots-tag': 'noindex, nofollow',
};

function page(status: number, body: string, cookies: readonly string[] = []): PageAnswer {
  const headers = { ...always, 'cache-control': 'no-store', 'content-type': 'text/html; charset=utf-8' };
  return { status, headers, cookies, body };
}

function redirect(location: string, cookies: readonly string[] = []): PageAnswer {
  return { status: 303, headers: { ...always, 'cache-control': 'no-store', location }, cookies, body: '' };
}

function styleSheet(): PageAnswer {
  const headers = {
    ...always,
    'cache-control': 'public, max-age=31536000, immutable',
    'content-type': 'text/css; charset=utf-8',
  };
  return { status: 200, headers, cookies: [], body: css };
}
