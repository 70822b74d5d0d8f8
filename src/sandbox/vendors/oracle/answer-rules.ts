// The rule for updates of answers (C26): each item that has an id in what is stored comes back with it, except those that may not be
// changed, which come back without.

import { isObject, type Json, type JsonObject } from '../../../json.ts';
import { refusal } from '../../engine/outcome.ts';

const modifiable = /\/StructureDefinition\/(is-)?modifiable$/;

/** @throws Refusal 422 */
export function checkItemIds(stored: JsonObject, update: JsonObject): void {
  const sent = items(update.item);
  for (const item of items(stored.item)) {
    if (typeof item.id !== 'string') continue;
    const echo = sent.find(({ linkId }) => linkId === item.linkId);
    if (isFixed(item)) {
      if (echo?.id !== undefined) throw unprocessable(`The item ${item.linkId} cannot be changed and takes no id.`);
    } else if (echo?.id !== item.id) {
      throw unprocessable(`The item ${item.linkId} must come with the id that a read gives.`);
    }
  }
}

function isFixed({ extension }: JsonObject): boolean {
  return (
    Array.isArray(extension) &&
    extension.some((item) => isObject(item) && modifiable.test(String(item.url)) && item.valueBoolean === false)
  );
}

function items(value: Json | undefined): JsonObject[] {
  return Array.isArray(value) ? value.filter(isObject).flatMap((item) => [item, ...items(item.item)]) : [];
}

function unprocessable(text: string) {
  return refusal(422, 'business-rule', text, 'QuestionnaireResponse.item');
}
