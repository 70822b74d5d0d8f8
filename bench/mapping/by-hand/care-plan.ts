// A care plan by hand: one CarePlan, with a text that says what R4 has no element for.

import { isObject, type Json, type JsonObject } from '../../../src/json.ts';
import type { CarePlanRecord } from '../../../src/records/records.ts';
import { urls, usCore } from './urls.ts';
import { codeIn, concept, head, list, type Out, period, type Run, text, to, toAll } from './values.ts';

export function plan(record: CarePlanRecord, run: Run): Out {
  return {
    resourceType: 'CarePlan',
    ...head('carePlan', 'plan', record, `${usCore}us-core-careplan`, run),
    text: narrative(record, run),
    status: codeIn(run.tables.carePlanStatus, record.status, '/status', run),
    intent: 'plan',
    category: [{ coding: [{ system: urls.usCoreCareplanCategory, code: 'assess-plan' }] }],
    title: text(record.title, '/title', run),
    description: text(record.summary, '/summary', run),
    subject: to('client', 'patient', record.clientId, run),
    period: period(record.startsOn, record.endsOn),
    created: record.createdAt,
    careTeam: list([to('case', 'team', record.caseId, run)]),
    addresses: toAll('need', 'condition', record.needIds, run),
    goal: toAll('goal', 'goal', record.goalIds, run),
    activity: list<Out>(readable('intervention', record.interventionIds, run).map((one) => activity(one, run))),
  };
}

function activity(one: JsonObject, run: Run): Out {
  const { referralId } = one;
  if (typeof referralId === 'string') {
    const reference = to('referral', 'request', referralId, run);
    return reference && { reference };
  }
  const { schedule, status, stopReason, description } = one;
  const code = concept(run.tables.interventionProcedure, String(one.kind), '/kind', run);
  const said = typeof description === 'string' ? text(description, '/description', run) : undefined;
  return {
    detail: {
      code: code && { coding: code.coding, text: description === undefined ? code.text : said },
      reasonReference: toAll('need', 'condition', ids(one.needIds), run),
      goal: toAll('goal', 'goal', ids(one.goalIds), run),
      status: codeIn(run.tables.activityStatus, String(status), '/status', run),
      statusReason: status === 'stopped' && typeof stopReason === 'string' ? { text: stopReason } : undefined,
      ...(isObject(schedule) && scheduled(schedule, run)),
    },
  };
}

function scheduled(schedule: JsonObject, run: Run): Record<string, Out> {
  const { startsOn, endsOn, times, per, days, durationMinutes, text: words } = schedule;
  const bounds = period(day(startsOn), day(endsOn));
  if (times !== undefined || per !== undefined || days !== undefined) {
    const repeat = {
      boundsPeriod: bounds,
      ...(typeof durationMinutes === 'number' && { duration: durationMinutes, durationUnit: 'min' }),
      ...(typeof times === 'number' && { frequency: times }),
      ...(typeof per === 'string' && { period: 1, periodUnit: codeIn(run.tables.unitsOfTime, per, '/per', run) }),
      dayOfWeek: list<Out>(ids(days)?.map((one) => codeIn(run.tables.daysOfWeek, one, '/days', run))),
    };
    return { scheduledTiming: { repeat } };
  }
  return typeof words === 'string' ? { scheduledString: words } : { scheduledPeriod: bounds };
}

function day(value: Json | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function ids(value: Json | undefined): string[] | undefined {
  return Array.isArray(value) ? value.map(String) : undefined;
}

function narrative(record: CarePlanRecord, run: Run): Out {
  const needs = readable('need', record.needIds, run);
  const goals = readable('goal', record.goalIds, run);
  const { words } = run.tables.sdohCategory;
  const parts =
    line('Plan', [record.title]) +
    line('Summary', [record.summary]) +
    line(
      'Needs',
      needs.map(({ domain }) => words(String(domain))),
    ) +
    line(
      'About the needs',
      needs.map(({ description }) => description),
    ) +
    line(
      'Goals',
      goals.map(({ statement }) => statement),
    ) +
    line('Strengths', record.strengths) +
    line('Barriers', record.barriers) +
    line('Preferences', record.preferences);
  return { status: 'additional', div: `<div xmlns="http://www.w3.org/1999/xhtml">${parts}</div>` };
}

/** Records with a label stay out of a text that carries none. */
function readable(
  type: 'need' | 'goal' | 'intervention',
  ids: readonly string[] | undefined,
  { context }: Run,
): JsonObject[] {
  const records = ids?.map((id) => context.record(type, id)) ?? [];
  return records
    .filter((record) => record !== undefined)
    .filter(({ sensitivity }) => !(Array.isArray(sensitivity) && sensitivity.length > 0));
}

function line(label: string, values: readonly unknown[] | undefined): string {
  const words = values?.filter((value) => value !== undefined).map((value) => xhtml(String(value))) ?? [];
  if (words.length === 0) return '';
  if (words.length === 1) return `<p><b>${label}:</b> ${words[0]}</p>`;
  return `<p><b>${label}:</b></p><ul>${words.map((said) => `<li>${said}</li>`).join('')}</ul>`;
}

const escapes: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', '\n': '<br/>' };

function xhtml(value: string): string {
  return value.replace(/(?![\t\r])[\p{Cc}&<>"]/gu, (character) => escapes[character] ?? ' ');
}
