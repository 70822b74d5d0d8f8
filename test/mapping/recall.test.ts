// A recall, after a consent is gone: the resource says that it is withdrawn, still holds as R4, and repeats nothing that the record told.

import { describe, expect, test } from '@jest/globals';
import { checkBase } from '../../src/fhir/fhir.ts';
import { isObject, type Json, type JsonObject } from '../../src/json.ts';
import { fixture, fixtures, mappingOf } from './fixtures.ts';
import { linkedSource } from './linked-source.ts';

/** Free text of a record: what nobody could have written by chance. */
function sentences(value: Json): string[] {
  if (typeof value === 'string') return value.length > 20 && value.includes(' ') ? [value] : [];
  if (typeof value !== 'object' || value === null) return [];
  return Object.values(value).flatMap((part) => sentences(part));
}

/** The texts of a document, which stand in it in base64. */
function attachedTexts({ content }: JsonObject): string[] {
  return (Array.isArray(content) ? content : []).flatMap((item) => {
    const attachment = isObject(item) ? item.attachment : undefined;
    const data = isObject(attachment) ? attachment.data : undefined;
    return typeof data === 'string' ? [Buffer.from(data, 'base64').toString('utf8')] : [];
  });
}

const told = fixtures.filter(({ type }) => !['client', 'consent', 'organization', 'worker', 'service'].includes(type));

describe('recalled', () => {
  test.each(told.map((one) => [`${one.type} ${one.name}`, one] as const))('%s', (_title, { type, record }) => {
    // No appointment record can say that it was an error: it is over.
    const leaving = type === 'appointment' ? 'ended' : 'error';
    for (const { slot, resource } of mappingOf(type).project(record, linkedSource)) {
      const recalled = mappingOf(type)
        .slot(slot)
        .recall({ ...resource, id: '17' }, leaving);
      if (recalled === undefined) continue;
      const text = JSON.stringify([recalled, ...attachedTexts(recalled)]);
      expect(sentences(record).filter((sentence) => text.includes(JSON.stringify(sentence).slice(1, -1)))).toEqual([]);
      expect(recalled).toMatchObject({
        resourceType: resource.resourceType,
        id: '17',
        identifier: resource.identifier,
      });
      expect(checkBase(recalled).filter(({ severity }) => severity === 'error')).toEqual([]);
      expect(mappingOf(type).slot(slot).recall(recalled, leaving)).toEqual(recalled);
      expect(mappingOf(type).slot(slot).retire(recalled, leaving)).toEqual(recalled);
    }
  });

  test('a document loses its text', () => {
    const slot = mappingOf('note').slot('note');
    const [desired] = mappingOf('note').project(fixture('note', 'full'), linkedSource);
    expect(attachedTexts(desired?.resource ?? {}).join()).toContain('I sleep four hours.');
    expect(slot.recall(desired?.resource ?? {})?.content).toEqual([{ attachment: { title: 'Withdrawn' } }]);
  });

  test('what another side has added stays', () => {
    const slot = mappingOf('goal').slot('goal');
    const recalled = slot.recall({ resourceType: 'Goal', id: '17', lifecycleStatus: 'active', statusReason: 'theirs' });
    expect(recalled).toMatchObject({ lifecycleStatus: 'entered-in-error', statusReason: 'theirs' });
  });
});
