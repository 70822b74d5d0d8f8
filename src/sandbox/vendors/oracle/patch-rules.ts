// Which JSON Patches the server takes (C18): listed paths only, and in a list nothing is removed or replaced without a test of the
// element's id before it. The lists follow the vendor's pages for the elements that matter here. [sim]

import { isObject, type Json } from '../../../json.ts';
import { refusal } from '../../engine/outcome.ts';

interface PatchPaths {
  /** Elements that may be added, replaced or removed as they are. */
  readonly whole: readonly string[];
  /** Lists: elements are added at the end, and changed or removed after a test of their id. */
  readonly lists: readonly string[];
}

const patchPaths: Readonly<Record<string, PatchPaths>> = {
  Appointment: {
    whole: ['status', 'cancelationReason', 'comment', 'start', 'end', 'slot', 'minutesDuration'],
    lists: [],
  },
  Communication: { whole: ['status'], lists: ['note'] },
  Coverage: { whole: ['period', 'subscriberId', 'order', 'relationship', 'type', 'status'], lists: [] },
  Encounter: {
    whole: ['status', 'class', 'serviceType', 'period', 'priority'],
    lists: ['identifier', 'participant', 'location', 'type'],
  },
  Patient: {
    whole: ['gender', 'birthDate', 'deceasedBoolean', 'deceasedDateTime', 'maritalStatus'],
    lists: ['identifier', 'name', 'telecom', 'address', 'communication', 'generalPractitioner'],
  },
};

/** @throws Refusal 422 for the first operation that is not allowed */
export function checkPatch(type: string, operations: Json | undefined): void {
  const paths = patchPaths[type] ?? { whole: [], lists: [] };
  const tested = new Set<string>();
  for (const operation of Array.isArray(operations) ? operations : []) {
    if (!isObject(operation)) continue;
    const [, element = '', place, ...below] = String(operation.path).split('/');
    const item = `/${element}/${place}`;
    if (operation.op === 'test' && paths.lists.includes(element) && below.join('/') === 'id') {
      tested.add(item);
      continue;
    }
    if (paths.whole.includes(element) && ['add', 'replace', 'remove', 'test'].includes(String(operation.op))) continue;
    const isNew = operation.op === 'add' && place === '-' && below.length === 0;
    const isEdit = ['add', 'replace', 'remove'].includes(String(operation.op)) && /^\d+$/.test(place ?? '');
    if (!paths.lists.includes(element) || !(isNew || isEdit)) {
      throw refusal(422, 'business-rule', `The operation ${operation.op} on ${operation.path} is not supported.`);
    }
    if (isEdit && !tested.has(item)) {
      throw refusal(422, 'business-rule', `A test of ${item}/id must come before the change of ${item}.`);
    }
  }
}
