// In whose name a lane's writes are made, and what tells them apart.

import { describe, expect, test } from '@jest/globals';
import type { Telling } from '../../../src/access/access.ts';
import { reason } from '../../../src/errors.ts';
import { isObject, type JsonObject } from '../../../src/json.ts';
import { Known, type LinkRow, type RecordRow } from '../../../src/lanes/desire/known.ts';
import type { Write } from '../../../src/lanes/plan.ts';
import { authorOf, provenanceEntries } from '../../../src/lanes/send/provenance.ts';
import { aLink, aResource } from './lane-resources.ts';

const system = 'https://agency.example.org/casebridge';
const at = new Date('2026-03-02T10:00:00Z');

function aRow(type: string, content: JsonObject): RecordRow {
  return { type, id: 'x1', version: 1, content, deleted: false, updated_at: at, accepted_at: at };
}

function aCreate(id: string, identifier: JsonObject[]): Write {
  const resource = aResource({ key: { type: 'goal', id, slot: 'goal' }, placeholder: `urn:uuid:${id}` });
  return { kind: 'create', resource, why: reason('planned-create'), body: { resourceType: 'Goal', identifier } };
}

const facts = { identifierSystem: system, author: { display: 'Agency' }, recorded: at.getTime(), sendId: 'send-1' };
const ofUs = (value: string) => [{ system, value }];

function conditions(entries: readonly JsonObject[]): unknown[] {
  return entries.map(({ request }) => (isObject(request) ? request.ifNoneExist : undefined));
}

function authorIn(known: Known, organization?: string): JsonObject {
  const find: Telling['find'] = (type, id) => known.heldRecord(type, id);
  return authorOf({ known }, { basis: 'treatment', organization, connection: 'general', find }, 'county', system);
}

describe('the author', () => {
  test('is the organization of the case, by our identifier while it is not linked', () => {
    const known = new Known([aRow('goal', {}), aRow('case', { organizationId: 'org-1' })], []);
    known.keepOthers([{ type: 'organization', id: 'org-1' }], [], []);
    const identifier = { system, value: 'county/organization/org-1#organization' };
    expect(authorIn(known)).toEqual({ type: 'Organization', identifier });
  });

  test('is the source, where the organization is labelled', () => {
    const known = new Known([aRow('case', { organizationId: 'org-1' })], []);
    const agency = { ...aRow('organization', { sensitivity: ['substance-use-part2'] }), id: 'org-1' };
    known.keepOthers([{ type: 'organization', id: 'org-1' }], [agency], []);
    expect(authorIn(known)).toMatchObject({ identifier: { value: 'county' } });
  });

  test('is the source, where it is a part of a labelled one, unless that one is told', () => {
    const known = new Known([aRow('case', { organizationId: 'org-1' })], []);
    const unit = { ...aRow('organization', { parentId: 'org-2' }), id: 'org-1' };
    const shelter = { ...aRow('organization', { sensitivity: ['domestic-violence'] }), id: 'org-2' };
    const both = [unit, shelter];
    known.keepOthers(
      both.map(({ id }) => ({ type: 'organization', id })),
      both,
      [],
    );
    expect(authorIn(known)).toMatchObject({ identifier: { value: 'county' } });
    expect(authorIn(known, 'org-2')).toMatchObject({ identifier: { value: 'county/organization/org-1#organization' } });
  });

  test('is the source, for what belongs to no organization', () => {
    const known = new Known([aRow('client', {})], []);
    const author = { type: 'Organization', identifier: { system, value: 'county' } };
    expect(authorIn(known)).toEqual(author);
    expect(authorIn(new Known([], [] as LinkRow[]))).toEqual(author);
  });
});

describe('a Provenance is found again', () => {
  test('by the identifier of what was created, whenever it is sent', () => {
    const first = conditions(provenanceEntries([aCreate('g1', ofUs('county/goal/g1#goal'))], facts));
    const later = { ...facts, sendId: 'send-2', recorded: 0 };
    expect(conditions(provenanceEntries([aCreate('g1', ofUs('county/goal/g1#goal'))], later))).toEqual(first);
    expect(conditions(provenanceEntries([aCreate('g1', ofUs('county/goal/g1#goal~2'))], later))).not.toEqual(first);
    expect(JSON.stringify(first)).not.toContain('g1');
  });

  test('by the send, where what was created has no identifier of ours', () => {
    const writes = [aCreate('g1', []), aCreate('g2', [{ system: 'urn:oid:1', value: '2' }])];
    const both = conditions(provenanceEntries(writes, facts));
    expect(new Set(both).size).toBe(2);
    expect(conditions(provenanceEntries(writes, { ...facts, sendId: 'send-2' }))).not.toEqual(both);
  });

  test('by the send, for the updates of one transaction together', () => {
    const updates = ['17', '18'].map((remoteId): Write => {
      const link = aLink({ text: 'Food' }, { remoteId });
      const resource = aResource({ link });
      return {
        kind: 'update',
        resource,
        link,
        why: reason('planned-update', { elements: 'text' }),
        body: { resourceType: 'Goal', id: remoteId },
        elements: ['text'],
        versionTag: 'W/"1"',
      };
    });
    const [only, ...others] = provenanceEntries(updates, facts);
    expect(others).toEqual([]);
    expect(only?.resource).toMatchObject({ target: [{ reference: 'Goal/17' }, { reference: 'Goal/18' }] });
    expect(conditions(provenanceEntries(updates, { ...facts, sendId: 'send-2' }))).not.toEqual(
      conditions([only ?? {}]),
    );
  });
});
