import { describe, expect, test } from '@jest/globals';
import { caseload } from '../../src/demo/caseload.ts';
import type { Json } from '../../src/json.ts';
import { isObject } from '../../src/json.ts';
import { parseRecord } from '../../src/records/records.ts';

const lines = caseload();
const asSent: Json = JSON.parse(JSON.stringify(lines.map(({ record }) => record)));
const records = Array.isArray(asSent) ? asSent.filter(isObject) : [];

describe("the demo's caseload", () => {
  test('holds records that the gateway accepts, on a machine whose clock stands in 2025 as well', () => {
    const now = new Date('2025-04-01T00:00:00Z');
    const refused = lines.flatMap(({ type }, index) => {
      const parsed = parseRecord(type, records[index] ?? null, { now });
      return parsed.ok ? [] : parsed.errors;
    });
    expect(refused).toEqual([]);
  });

  test('is about a dozen clients, in about a hundred records', () => {
    expect(lines.filter(({ type }) => type === 'client')).toHaveLength(12);
    expect(lines.length).toBeGreaterThanOrEqual(90);
    expect(lines.length).toBeLessThanOrEqual(120);
  });

  test('points only at records that came before, under ids that are used once', () => {
    const seen = new Set<string>();
    for (const record of records) {
      const missing = [...referencesOf(record)].filter((id) => !seen.has(String(id)));
      expect({ id: record.id, missing }).toEqual({ id: record.id, missing: [] });
      expect(seen).not.toContain(record.id);
      seen.add(String(record.id));
    }
  });
});

/** The values of all fields that are called …Id or …Ids. */
function* referencesOf(value: Json): Generator<Json> {
  if (Array.isArray(value)) for (const item of value) yield* referencesOf(item);
  if (!isObject(value)) return;
  for (const [name, inner] of Object.entries(value)) {
    if (name.endsWith('Id')) yield inner;
    else if (name.endsWith('Ids') && Array.isArray(inner)) yield* inner;
    else yield* referencesOf(inner);
  }
}
