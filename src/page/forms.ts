// The forms of the page: their fields, and what they ask for once they are filled in. Pure.

import { withOffset } from '../records/records.ts';
import {
  type Action,
  type Agreement,
  agreements,
  type ContactMode,
  type ContactOutcome,
  contactModes,
  contactOutcomes,
  type DeclineReason,
  declineReasons,
  isAction,
  type Outcome,
  outcomes,
} from './choices.ts';
import { hashOf } from './seal.ts';
import type { FormFault } from './words.ts';

/** What a partner asks us to do, complete and checked by itself; whether it is allowed now is the state machine's to say. */
export type Asked =
  | { readonly action: 'accept' | 'start' | 'stop' }
  | { readonly action: 'decline'; readonly reason: DeclineReason; readonly text: string | undefined }
  | { readonly action: 'hold'; readonly text: string }
  | { readonly action: 'finish'; readonly outcome: Outcome; readonly text: string | undefined }
  | {
      readonly action: 'contact';
      /** An instant. */
      readonly at: string;
      readonly mode: ContactMode;
      readonly outcome: ContactOutcome;
      readonly text: string | undefined;
    }
  | {
      readonly action: 'propose';
      /** An instant. */
      readonly at: string;
      readonly minutes: number;
      readonly place: string | undefined;
      readonly agreement: Agreement;
    }
  | { readonly action: 'confirm'; readonly appointment: string }
  | { readonly action: 'comment'; readonly text: string };

export type FieldName =
  | 'reason'
  | 'text'
  | 'outcome'
  | 'at'
  | 'mode'
  | 'minutes'
  | 'place'
  | 'agreement'
  | 'name'
  | 'code';

export interface FieldFault {
  readonly field: FieldName;
  readonly fault: FormFault;
}

export interface FormContext {
  /** IANA name: in which local times are meant. */
  readonly zone: string;
  readonly now: Date;
  /** When the referral was sent, an instant; undefined: nothing says. */
  readonly sentAt: string | undefined;
}

/**
 * What a form is known by once it has been sent: sent again with the same in it, it is the same one. A browser that goes back may show a form with
 * the key of one that was sent; what is written into it then is new.
 */
export function formName(action: Action, key: string, form: URLSearchParams): string {
  const said = [...form].filter(([field]) => !ownFields.includes(field));
  return `${action}-${hashOf(JSON.stringify([key, said]))}`;
}

/** What the form of this name does; undefined: there is no such form. */
export function actionOf(form: string): Action | undefined {
  const [, action] = /^([a-z]+)-[A-Za-z0-9_-]+$/.exec(form) ?? [];
  return isAction(action) ? action : undefined;
}

/** What the page puts into each form by itself. */
const ownFields = ['csrf', 'version', 'shown', 'key'];

/** Of what is written into a form, in characters. */
export const longestText = 4_000;
const longestPlace = 200;
const longestName = 100;

/** What is asked, or what is wrong with the form. */
export function readForm(
  action: Action,
  form: URLSearchParams,
  context: FormContext,
): { readonly asked: Asked } | { readonly faults: readonly FieldFault[] } {
  const faults: FieldFault[] = [];
  const refuse = (field: FieldName, fault: FormFault): undefined => {
    faults.push({ field, fault });
    return undefined;
  };
  const text = (missing?: FormFault): string | undefined => {
    const given = (form.get('text') ?? '').replaceAll('\r\n', '\n').replaceAll(controls, ' ').trim();
    if (given.length > longestText) return refuse('text', 'text-too-long');
    if (given === '') return missing && refuse('text', missing);
    return given;
  };
  const choice = <T extends string>(field: FieldName, of: readonly T[], missing: FormFault): T | undefined =>
    of.find((one) => one === form.get(field)) ?? refuse(field, missing);
  const time = (): string | undefined => {
    const read = instantOf(form.get('at') ?? '', context.zone);
    return 'fault' in read ? refuse('at', read.fault) : read.instant;
  };
  const asked = read();
  return asked === undefined || faults.length > 0 ? { faults } : { asked };

  function read(): Asked | undefined {
    switch (action) {
      case 'accept':
      case 'start':
      case 'stop':
        return { action };
      case 'decline': {
        const reason = choice('reason', declineReasons, 'reason-missing');
        const words = text(reason === 'other' ? 'reason-text-missing' : undefined);
        return reason && { action, reason, text: words };
      }
      case 'hold': {
        const words = text('reason-text-missing');
        return words === undefined ? undefined : { action, text: words };
      }
      case 'finish': {
        const outcome = choice('outcome', outcomes, 'outcome-missing');
        const words = text(outcome === 'other' ? 'outcome-text-missing' : undefined);
        return outcome && { action, outcome, text: words };
      }
      case 'contact': {
        const at = time();
        if (at !== undefined && Date.parse(at) > context.now.getTime() + minuteMs) refuse('at', 'time-in-future');
        if (at !== undefined && isBefore(at, context.sentAt)) refuse('at', 'time-before-referral');
        const mode = choice('mode', contactModes, 'mode-missing');
        const outcome = choice('outcome', contactOutcomes, 'contact-outcome-missing');
        const words = text();
        return at === undefined || mode === undefined || outcome === undefined
          ? undefined
          : { action, at, mode, outcome, text: words };
      }
      case 'propose': {
        const at = time();
        if (at !== undefined && Date.parse(at) < context.now.getTime()) refuse('at', 'time-in-past');
        const minutes = minutesOf(form.get('minutes') ?? '') ?? refuse('minutes', 'minutes-wrong');
        const agreement = choice('agreement', agreements, 'agreement-missing');
        const place = lineOf(form.get('place') ?? '', longestPlace);
        return at === undefined || minutes === undefined || agreement === undefined
          ? undefined
          : { action, at, minutes, place, agreement };
      }
      case 'confirm':
        return { action, appointment: form.get('appointment') ?? '' };
      case 'comment': {
        const words = text('text-missing');
        return words === undefined ? undefined : { action, text: words };
      }
      default:
        return action satisfies never;
    }
  }
}

/** Control characters but tabs and line ends, which the store does not take or nobody sees. */
const controls = /[^\P{Cc}\t\n]/gu;

const minuteMs = 60_000;

/** By the minute, which is all that a form says. */
function isBefore(at: string, sentAt: string | undefined): boolean {
  return sentAt !== undefined && Date.parse(at) + minuteMs <= Date.parse(sentAt);
}

/** Somebody's name and the code that was sent, or what is wrong with them. */
export function readSignIn(
  form: URLSearchParams,
): { readonly name: string; readonly code: string } | { readonly faults: readonly FieldFault[] } {
  const name = lineOf(form.get('name') ?? '', longestName);
  const code = (form.get('code') ?? '').replaceAll(/\s/g, '');
  const faults: FieldFault[] = [
    ...(name === undefined ? [{ field: 'name', fault: 'name-missing' } as const] : []),
    ...(/^[0-9]{6}$/.test(code) ? [] : [{ field: 'code', fault: 'code-not-six-digits' } as const]),
  ];
  return name === undefined || faults.length > 0 ? { faults } : { name, code };
}

/** One line without control characters; undefined where there is none, or too much of it. */
function lineOf(text: string, most: number): string | undefined {
  const line = text.replaceAll(/[\p{Cc}\u2028\u2029\s]+/gu, ' ').trim();
  return line === '' || line.length > most ? undefined : line;
}

function minutesOf(text: string): number | undefined {
  const minutes = /^[0-9]{1,3}$/.test(text.trim()) ? Number(text) : 0;
  return minutes >= 5 && minutes <= 600 ? minutes : undefined;
}

/** A local date and time as browsers send it. */
function instantOf(text: string, zone: string): { instant: string } | { fault: FormFault } {
  if (text === '') return { fault: 'time-missing' };
  const [, minute] = /^(\d{4}-\d\d-\d\dT\d\d:\d\d)(?::\d\d)?$/.exec(text) ?? [];
  if (minute === undefined || Number.isNaN(Date.parse(`${minute}Z`))) return { fault: 'time-missing' };
  const read = withOffset(`${minute}:00`, zone);
  return 'instant' in read ? read : { fault: 'time-not-real' };
}
