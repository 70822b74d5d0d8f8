// A safety concern, and what we ask of the hospital, in one sentence each.

import { type JsonObject, textAt, textsAt } from '../json.ts';
import { printDate, printDay } from './dates.ts';
import { needTitle } from './entries.ts';
import { domainWords, instrumentWords, languageWords, riskWords, wordsFor } from './words.ts';

export function safetyWords(concern: JsonObject, timeZone: string): string {
  switch (concern.kind) {
    case 'contact':
      return 'It is not safe to call or write to the client. Go through the case worker.';
    case 'case': {
      const since = textAt(concern, 'since');
      const risk = riskWords(textAt(concern, 'risk') ?? '');
      return `Overall: ${risk}${since === undefined ? '' : ` since ${printDay(since, timeZone)}`}`;
    }
    case 'safetyPlan': {
      const reason = textAt(concern, 'reason');
      const since = textAt(concern, 'since');
      const about = reason === undefined || reason === 'other' ? '' : ` (${wordsFor('safetyPlan', reason)})`;
      return `A safety plan${about} is in force${since === undefined ? '' : ` since ${printDate(since)}`}; see the document of its own.`;
    }
    case 'assessment': {
      const at = textAt(concern, 'at');
      const risk = textAt(concern, 'risk');
      const level = risk === undefined || risk === 'none' ? '' : `, ${riskWords(risk)}`;
      return `${instrumentWords(textAt(concern, 'instrument') ?? '')}${at === undefined ? '' : ` of ${printDay(at, timeZone)}`}: positive answer about suicide or self-harm${level}`;
    }
    default: {
      const description = textAt(concern, 'description');
      const status = textAt(concern, 'status') ?? '';
      const left = status === 'declined' || status === 'unmet' ? ` (${wordsFor('need', status)})` : '';
      return `${needTitle(concern)}${left}${description === undefined ? '' : `: ${description}`}`;
    }
  }
}

export function askWords(ask: JsonObject): string {
  if (ask.kind === 'interpreter') {
    return `Please use an interpreter (${textsAt(ask, 'languages').slice(0, 3).map(languageWords).join(', ')}).`;
  }
  const status = textAt(ask, 'status') ?? '';
  const service = textAt(ask, 'service') ?? domainWords(textAt(ask, 'domain') ?? 'other');
  const request = textAt(ask, 'request');
  const neededBy = textAt(ask, 'neededBy');
  const urgency = textAt(ask, 'urgency');
  const task = ['sent', 'received', 'undeliverable'].includes(status) ? 'answer' : 'go on with';
  const kind = urgency === undefined || urgency === 'routine' ? 'referral' : `${urgency.toUpperCase()} referral`;
  const by = neededBy === undefined ? '' : `, needed by ${printDate(neededBy)}`;
  return `Please ${task} our ${kind}: ${request ?? service}${by}`;
}
