// Whether a resource may stay in the chart that it was written to (lanes.md 17), case by case.

import { describe, expect, test } from '@jest/globals';
import type { ErrorCode } from '../../../src/errors.ts';
import { reason } from '../../../src/errors.ts';
import type { JsonObject } from '../../../src/json.ts';
import type { LinkRow } from '../../../src/lanes/desire/known.ts';
import { chartOf, inItsChart, movedFrom } from '../../../src/lanes/patients/chart.ts';
import { desiredOf } from './lane-resources.ts';

const target = { type: 'client', id: 'c1', slot: 'patient' } as const;

/** One generation of the client's link; ended for a reason, or standing. */
function generation(number: number, id: string | null, ended?: ErrorCode): LinkRow {
  return {
    connection: 'general',
    source: 'county',
    type: 'client',
    id: 'c1',
    slot: 'patient',
    generation: number,
    subject: 'county.client.c1',
    resource_type: 'Patient',
    remote_id: id,
    origin: 'found',
    version_tag: null,
    sent: null,
    seen: null,
    seen_tag: null,
    seen_hash: null,
    form: null,
    sent_version: null,
    record_version: 1,
    route: 'native',
    state: 'read',
    reason: ended === undefined ? null : reason(ended),
    set_aside: null,
    retired_at: ended === undefined ? null : new Date('2026-02-03T10:00:00Z'),
    updated_at: new Date('2026-02-03T10:00:00Z'),
  };
}

function filed(was: string | undefined, now: string | undefined, links: readonly LinkRow[], observed?: JsonObject) {
  const reference = now === undefined ? {} : { reference: now };
  const facts: JsonObject = now === undefined ? {} : { subject: now };
  const resource = { resourceType: 'Goal', subject: { reference: now ?? '' }, note: [{ reference: now ?? '' }] };
  return {
    desired: desiredOf(facts, { resource, references: [{ element: 'subject', target, required: true, ...reference }] }),
    sent: was === undefined ? undefined : { subject: was },
    observed,
    generations: () => links,
  };
}

describe('a resource must leave its chart', () => {
  const merged = [generation(1, 'a', 'patient-merged'), generation(2, 'b')];
  const relinked = [generation(1, 'a', 'patient-relinked'), generation(2, 'b')];

  test.each<[string, string | undefined, string | undefined, LinkRow[], boolean]>([
    ['never: the client is who they were', 'Patient/a', 'Patient/a', [generation(1, 'a')], false],
    ['never: it was not sent yet', undefined, 'Patient/b', relinked, false],
    ['when a person says that the client is another patient', 'Patient/a', 'Patient/b', relinked, true],
    [
      'when the patient was made again',
      'Patient/a',
      'Patient/b',
      [generation(1, 'a', 'remote-gone'), generation(2, 'b')],
      true,
    ],
    ['when the record names another client', 'Patient/x', 'Patient/a', [generation(1, 'a')], true],
    ['not when the hospital merged two patients', 'Patient/a', 'Patient/b', merged, false],
    [
      'not when it merged them twice',
      'Patient/a',
      'Patient/c',
      [generation(1, 'a', 'patient-merged'), generation(2, 'b', 'patient-merged'), generation(3, 'c')],
      false,
    ],
    [
      'when the client was another patient after the merge',
      'Patient/a',
      'Patient/c',
      [generation(1, 'a', 'patient-merged'), generation(2, 'b', 'patient-relinked'), generation(3, 'c')],
      true,
    ],
    [
      'when a person says that the client is nobody there',
      'Patient/a',
      undefined,
      [generation(1, 'a', 'patient-unlinked')],
      true,
    ],
    [
      'also when a question has been left open since',
      'Patient/a',
      undefined,
      [generation(1, 'a', 'patient-unlinked'), generation(2, null)],
      true,
    ],
    [
      'not while it is not known who the client is',
      'Patient/a',
      undefined,
      [generation(1, 'a', 'patient-merged')],
      false,
    ],
    ['when the record names another client, who is not known there', 'Patient/x', undefined, [], true],
    ['when the record names another client, who is still to be made', 'Patient/x', 'urn:uuid:1', [], true],
    [
      'not while the patient is still to be made',
      'Patient/a',
      'urn:uuid:1',
      [generation(1, 'a', 'remote-gone')],
      false,
    ],
  ])('%s: %s, %s', (_when, was, now, links, isMoved) => {
    expect(movedFrom(filed(was, now, links))?.code).toBe(isMoved ? 'subject-moved' : undefined);
  });
});

describe('an appointment names its patient among those who take part', () => {
  const element = 'participant[client]';
  const taking = (id: string) => ({ actor: `Patient/${id}`, status: 'accepted' });
  const relinked = [generation(1, 'a', 'patient-relinked'), generation(2, 'b')];
  const merged = [generation(1, 'a', 'patient-merged'), generation(2, 'b')];
  const booked = (links: readonly LinkRow[], observed?: JsonObject) => ({
    desired: desiredOf(
      { [element]: taking('b') },
      { references: [{ element, target, required: true, reference: 'Patient/b' }] },
    ),
    sent: { [element]: taking('a') },
    observed,
    generations: () => links,
  });
  const held = (...ids: string[]) => ({
    resourceType: 'Appointment',
    participant: ids.map((id) => ({ actor: { reference: `Patient/${id}` } })),
  });

  test('it must leave the chart of somebody else as anything must', () => {
    expect(movedFrom(booked(relinked))?.code).toBe('subject-moved');
    expect(movedFrom(booked(merged))).toBeUndefined();
  });

  test.each([
    ['keeps the old name where two patients were merged', held('mother', 'a'), 'a'],
    ['… until the server has written the new one, wherever it stands', held('mother', 'b'), 'b'],
  ])('it %s', (_when, observed, name) => {
    expect(inItsChart(booked(merged, observed)).facts).toEqual({ [element]: taking(name) });
  });

  test('an entry that is no patient tells no chart, and what names a subject is in that chart', () => {
    const worker = { 'participant[worker]': { actor: 'PractitionerRole/w', status: 'accepted' } };
    expect(chartOf(worker)).toBeUndefined();
    expect(chartOf({ ...worker, [element]: taking('a') })).toBe('Patient/a');
    expect(chartOf({ [element]: taking('a'), subject: 'Patient/b' })).toBe('Patient/b');
  });
});

describe('in the chart of a patient who was merged', () => {
  const links = [generation(1, 'a', 'patient-merged'), generation(2, 'b')];

  test('a resource keeps the old name of its subject, everywhere', () => {
    const { resource, facts, references } = inItsChart(filed('Patient/a', 'Patient/b', links));
    expect(JSON.stringify([resource, facts, references])).not.toContain('Patient/b');
    expect(facts).toEqual({ subject: 'Patient/a' });
  });

  test('until the server has written the new one', () => {
    const observed = { resourceType: 'Goal', subject: { reference: 'https://h.example.org/r4/Patient/b' } };
    expect(inItsChart(filed('Patient/a', 'Patient/b', links, observed)).facts).toEqual({ subject: 'Patient/b' });
  });

  test('a re-linked client has the new name only', () => {
    const other = [generation(1, 'a', 'patient-relinked'), generation(2, 'b')];
    expect(inItsChart(filed('Patient/a', 'Patient/b', other)).facts).toEqual({ subject: 'Patient/b' });
  });
});

test('the chart that a resource was written to is told by what we sent', () => {
  expect(chartOf({ for: 'Patient/a', owner: 'Organization/o' })).toBe('Patient/a');
  expect(chartOf({ subject: 'Group/g' })).toBeUndefined();
  expect(chartOf(undefined)).toBeUndefined();
});
