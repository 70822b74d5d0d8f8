// How a source takes proposals over: records under ids of its own with the same `origin`, and what no server says filled in.

import { isObject, type JsonObject } from '../../src/json.ts';
import type { RecordType } from '../../src/records/records.ts';

interface Proposal {
  readonly type: string;
  readonly id: string;
  readonly body: JsonObject;
}

/** The source's own id of what was proposed under another. */
export const own = (id: string) => `own-${id.slice(-8)}`;

const completed: Readonly<Record<string, JsonObject>> = {
  case: { organizationId: 'org-riverside' },
  need: { riskLevel: 'moderate', identifiedOn: '2026-02-20' },
  goal: { responsible: [{ kind: 'client' }] },
  referral: { requesterOrganizationId: 'org-hospital' },
};

const isType = (type: string): type is RecordType => type !== '';

export function acceptedOf(proposals: readonly Proposal[], referral: JsonObject = {}): [RecordType, JsonObject][] {
  const ids = new Set(proposals.map(({ id }) => id));
  const renamed = (value: JsonObject): JsonObject =>
    Object.fromEntries(
      Object.entries(value).map(([name, part]) => [
        name,
        typeof part === 'string' && ids.has(part)
          ? own(part)
          : Array.isArray(part)
            ? part.map((one) => (typeof one === 'string' && ids.has(one) ? own(one) : one))
            : isObject(part) && name !== 'origin'
              ? renamed(part)
              : part,
      ]),
    );
  return proposals.flatMap(({ type, body }): [RecordType, JsonObject][] => {
    if (!isType(type)) return [];
    const record = { ...completed[type], ...renamed(body), ...(type === 'referral' && referral) };
    return [[type, { ...record, updatedAt: '2026-03-01T10:00:00-05:00' }]];
  });
}
