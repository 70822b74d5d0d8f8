// What came of a completed Task: its output says that something was done, and the Procedures that it names say what (closed-loop B4, B7). Pure.

import { isObject, type Json, type JsonObject, objectAt, objectsAt, textAt } from '../json.ts';
import { codesOf } from './codes.ts';

type Served = 'service-received' | 'partly-received' | 'not-received';

/** The references of the outputs that name what was done, as they stand there. */
export function resultsNamedBy(task: JsonObject): string[] {
  return resultOutputs(task).flatMap((output) => textAt(objectAt(output, 'valueReference'), 'reference') ?? []);
}

/**
 * The record's `outcome`, without its time. A Task without a `resulting-activity` output says that it ended, not what came of it; so does one
 * whose every Procedure is gone or was entered in error.
 * @param results what the named Procedures said when they were read; `gone`: the server has none; `unread`: it shows it to nobody like us, and
 * the Task's word stands
 */
export function completedOutcome(task: JsonObject, results: readonly (JsonObject | 'gone' | 'unread')[]): JsonObject {
  const read = results.flatMap((one) => (isObject(one) && one.status !== 'entered-in-error' ? [one] : []));
  const isOnlyTold = results.includes('unread') || resultOutputs(task).length > results.length;
  const served = new Set([...read.map(servedBy), ...(isOnlyTold ? (['service-received'] as const) : [])]);
  const words = [...new Set(read.flatMap(wordsOf))].join('\n');
  const [first] = served;
  if (first === undefined) return { ...unknown };
  // What was not done serves nobody, whatever the Task says: the words tell why.
  if (served.size === 1 && first === 'not-received') return { code: 'other', text: words === '' ? 'not done' : words };
  const code = served.size > 1 ? 'partly-received' : first;
  return { code, ...(words !== '' && { text: words }) };
}

const unknown = { code: 'other', text: 'outcome unknown' };

/** The record's outcome is what a Task left open that named nothing. */
export function isOutcomeUnknown(outcome: Json | undefined): boolean {
  return isObject(outcome) && outcome.code === unknown.code && outcome.text === unknown.text;
}

function resultOutputs(task: JsonObject): JsonObject[] {
  return objectsAt(task, 'output').filter(({ type }) => codesOf(type).includes('resulting-activity'));
}

/** By SNOMED CT as R4 lists it for a Procedure's outcome: partially successful, unsuccessful. */
const meanings: Readonly<Record<string, Served>> = {
  'partly-received': 'partly-received',
  '385670004': 'partly-received',
  '385671000': 'not-received',
};

function servedBy({ status, outcome }: JsonObject): Served {
  if (status === 'not-done') return 'not-received';
  const told = codesOf(outcome).flatMap((code) => meanings[code] ?? [])[0];
  return told ?? (status === 'stopped' ? 'partly-received' : 'service-received');
}

function wordsOf({ outcome, statusReason }: JsonObject): string[] {
  return [outcome, statusReason].flatMap((concept) => (isObject(concept) ? (textAt(concept, 'text') ?? []) : []));
}
