// The words of the page and its messages, one file for each language. Both have the same entries: the type sees to it.

import type { ClockRule, PageLanguage } from '../config.ts';
import type { TaskStatus } from '../referrals/referrals.ts';
import type { Action, Agreement, ContactMode, ContactOutcome, DeclineReason, Outcome } from './choices.ts';
import { en } from './words/en.ts';
import { es } from './words/es.ts';

/** What may be wrong with a form. */
export type FormFault =
  | 'reason-missing'
  | 'reason-text-missing'
  | 'text-missing'
  | 'text-too-long'
  | 'outcome-missing'
  | 'outcome-text-missing'
  | 'mode-missing'
  | 'contact-outcome-missing'
  | 'time-missing'
  | 'time-not-real'
  | 'time-in-future'
  | 'time-before-referral'
  | 'time-in-past'
  | 'minutes-wrong'
  | 'agreement-missing'
  | 'name-missing'
  | 'code-not-six-digits';

/** A page that says one thing. */
export type Notice =
  | 'link-unknown'
  | 'link-expired'
  | 'link-revoked'
  | 'referral-gone'
  | 'form-foreign'
  | 'form-too-long'
  | 'too-many'
  | 'signed-out'
  | 'failed';

export interface Message {
  readonly subject: string;
  readonly text: string;
}

export interface Words {
  /** The language's own name. */
  readonly language: string;
  readonly switchLanguage: string;
  readonly pageTitle: string;
  readonly errorTitle: (title: string) => string;
  readonly notices: Readonly<Record<Notice, { readonly title: string; readonly text: string }>>;

  readonly gate: {
    readonly title: string;
    readonly intro: string;
    readonly sendTo: (address: string) => string;
    readonly send: string;
    readonly sendAnother: string;
    readonly sent: (address: string, minutes: number) => string;
    readonly sentBefore: string;
    readonly notSent: string;
    readonly name: string;
    readonly nameHint: string;
    readonly code: string;
    readonly codeHint: string;
    readonly open: string;
    readonly wrong: (left: number) => string;
    readonly none: string;
    readonly locked: string;
    readonly signInFirst: string;
    readonly cookies: string;
  };

  readonly signedInAs: (name: string) => string;
  readonly signOut: string;
  readonly timeout: string;
  readonly backToReferral: string;

  readonly status: Readonly<Record<TaskStatus, string>>;
  readonly waitlisted: string;
  readonly cancelAsked: string;
  readonly headings: {
    readonly asked: string;
    readonly who: string;
    readonly byWhen: string;
    readonly actions: string;
    readonly appointments: string;
    readonly history: string;
    readonly problem: string;
    readonly done: string;
    readonly changed: string;
  };
  readonly labels: {
    readonly service: string;
    readonly urgency: string;
    readonly why: string;
    readonly needs: string;
    readonly goals: string;
    readonly period: string;
    readonly from: string;
    readonly requester: string;
    readonly name: string;
    readonly birthDate: string;
    readonly phone: string;
    readonly speaks: string;
    readonly state: string;
    readonly reason: string;
  };
  readonly noContact: string;
  /** The short form of the notice, 42 CFR 2.32(a)(2). */
  readonly part2: string;
  readonly phoneWithheld: string;
  readonly unknown: string;
  readonly urgency: Readonly<Record<'routine' | 'urgent' | 'asap' | 'stat', string>>;
  readonly timesIn: (zone: string) => string;
  readonly period: (from: string | undefined, by: string | undefined) => string;
  readonly clocks: Readonly<Partial<Record<ClockRule, string>>>;
  readonly clockStates: Readonly<
    Record<'running' | 'due-soon' | 'breached' | 'met', (due: string | undefined) => string>
  >;

  readonly actionTitles: Readonly<Record<Action, string>>;
  readonly actionButtons: Readonly<Record<Action, string>>;
  /** Instead, of an appointment that the partner has proposed itself. */
  readonly bookOwn: string;
  readonly actionHints: Readonly<Partial<Record<Action, string>>>;
  readonly done: Readonly<Record<Action, string>>;
  readonly fields: {
    readonly declineReason: string;
    readonly details: string;
    readonly detailsOptional: string;
    readonly holdReason: string;
    readonly outcome: string;
    readonly when: (zone: string) => string;
    readonly mode: string;
    readonly contactOutcome: string;
    readonly minutes: string;
    readonly place: string;
    readonly agreement: string;
    readonly comment: string;
    readonly choose: string;
  };
  readonly declineReasons: Readonly<Record<DeclineReason, string>>;
  readonly outcomes: Readonly<Record<Outcome, string>>;
  readonly contactModes: Readonly<Record<ContactMode, string>>;
  readonly contactOutcomes: Readonly<Record<ContactOutcome, string>>;
  readonly agreements: Readonly<Record<Agreement, string>>;
  readonly faults: Readonly<Record<FormFault, string>>;

  readonly notAllowed: (state: string, legal: readonly string[]) => string;
  readonly appointmentThere: string;
  readonly stale: string;
  /** The same, and what was asked cannot be done any more. */
  readonly staleOver: string;
  readonly staleNothing: string;
  readonly unsent: { readonly title: string; readonly hint: string };
  readonly nothingToDo: string;
  readonly history: {
    readonly none: string;
    readonly you: string;
    readonly them: string;
    readonly state: (state: string) => string;
    readonly comment: string;
    readonly contact: (outcome: string) => string;
    readonly appointment: (state: string, at: string) => string;
  };
  readonly appointmentStates: Readonly<Record<'proposed' | 'booked' | 'kept' | 'cancelled' | 'no-show', string>>;
  readonly mail: {
    readonly newReferral: (link: string, days: number) => Message;
    readonly news: (link: string, days: number) => Message;
    readonly code: (code: string, minutes: number) => Message;
  };
}

export const words: Readonly<Record<PageLanguage, Words>> = { en, es };

/**
 * The language of the page: what was chosen, else the one that the browser would rather have (Accept-Language), else the partner's.
 */
export function languageFor(
  chosen: string | undefined,
  accepted: string | undefined,
  otherwise: PageLanguage,
): PageLanguage {
  const wanted = (accepted ?? '')
    .split(',')
    .map((item) => {
      const [tag = '', ...parameters] = item
        .trim()
        .toLowerCase()
        .split(/\s*;\s*/);
      const quality = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2);
      return { language: tag.split('-')[0], weight: quality === undefined ? 1 : Number(quality) };
    })
    .filter(({ weight }) => weight > 0)
    .sort((a, b) => b.weight - a.weight)
    .map(({ language }) => language);
  return [chosen, ...wanted].find(isLanguage) ?? otherwise;
}

function isLanguage(text: string | undefined): text is PageLanguage {
  return text !== undefined && Object.hasOwn(words, text);
}
