// What becomes of a row by the verdict on it, and of a whole referral with what it points at: without a store or a server.

import { describe, expect, test } from '@jest/globals';
import { standard } from '../../../src/connections/vendors/standard.ts';
import { reason } from '../../../src/errors.ts';
import type { JsonObject } from '../../../src/json.ts';
import { type InboundInput, type InboundPlan, planInbound } from '../../../src/lanes/inbound/plan/plan.ts';
import { answeredBy, putOut } from '../../../src/lanes/inbound/plan/put-out.ts';
import { placeOf, type Verdict } from '../../../src/lanes/inbound/plan/verdict.ts';
import { View } from '../../../src/lanes/inbound/plan/view.ts';
import { type InboundRow, type InboundState, proposedId } from '../../../src/lanes/inbound/rows.ts';
import { aConnection } from '../../connections/fhir-server.ts';
import { mappings } from '../../mapping/fixtures.ts';
import { foodCondition, foodOrder, ines, task } from '../../support/begun.ts';

const now = new Date('2026-03-02T10:00:00Z');

function rowOf(type: string, resourceType: string, id: string, set: Partial<InboundRow> = {}): InboundRow {
  return {
    connection: 'general',
    source: 'county',
    resource_type: resourceType,
    remote_id: id,
    type,
    id: proposedId('general', type, resourceType, id),
    subject: 'county.inbound.ines',
    patient: null,
    state: 'new',
    reason: null,
    look: null,
    offered: null,
    offered_hash: null,
    parts: null,
    answer: null,
    record_id: null,
    noted_at: now,
    updated_at: now,
    ...set,
  };
}

function inputOf(rows: readonly InboundRow[], ...bodies: readonly JsonObject[]): InboundInput {
  return {
    connection: { config: aConnection('http://127.0.0.1/fhir'), vendor: standard },
    source: 'county',
    timeZone: 'America/New_York',
    identifierSystem: 'https://county.example/id',
    mappings,
    rows,
    looks: new Map(bodies.map((body) => [`${body.resourceType}/${body.id}`, { body }])),
    texts: new Map(),
    around: { linked: new Map(), referred: new Map(), clients: new Map(), agencies: new Set(), hospital: undefined },
    now,
  };
}

/** The rows as they stand once the plan is stored. */
function storedBy(rows: readonly InboundRow[], { changes }: InboundPlan): InboundRow[] {
  const after = new Map(rows.map((row) => [row.id, row]));
  for (const { row, state, look, patient = null, reason: why = null, offered } of changes) {
    const before = after.get(row.id) ?? rowOf(row.type, row.resource_type, row.remote_id);
    const parts = offered?.parts.map((part) => ({ ...part, facts: { ...part.facts } })) ?? [];
    const told = offered && { offered: offered.record, offered_hash: offered.hash, parts };
    after.set(row.id, { ...before, state, look, patient, reason: why, ...told });
  }
  return [...after.values()];
}

describe('a verdict is put out', () => {
  const keep: Verdict = { kind: 'keep', why: 'inbound-no-case' };
  const withdraw: Verdict = { kind: 'withdraw', why: 'inbound-cancelled' };
  const ask: Verdict = { kind: 'ask', why: 'inbound-gone' };
  const view = new View(inputOf([]));

  test.each<[state: InboundState | 'no row', Verdict, becomes: string]>([
    ['no row', keep, 'kept'],
    ['no row', withdraw, 'nothing'],
    ['no row', ask, 'nothing'],
    ['new', keep, 'kept'],
    ['new', withdraw, 'kept'],
    ['new', ask, 'kept, ask'],
    ['kept', keep, 'kept'],
    ['kept', withdraw, 'kept'],
    ['kept', ask, 'kept, ask'],
    ['proposed', keep, 'proposed'],
    ['proposed', withdraw, 'withdrawn, withdraw'],
    ['proposed', ask, 'proposed, ask'],
    ['proposed', { kind: 'stands' }, 'nothing'],
    ['proposed', { kind: 'read', named: { resourceType: 'Binary', id: 'b1' } }, 'nothing'],
    ['withdrawn', keep, 'withdrawn'],
    ['withdrawn', withdraw, 'nothing'],
    ['withdrawn', ask, 'withdrawn, ask'],
  ])('%s: %j makes %s, and nothing once that is stored', (state, verdict, becomes) => {
    const row = rowOf('goal', 'Goal', 'walk');
    const place = placeOf({ ...row, ...(state !== 'no row' && { state }) });
    const judged = { verdict, patient: 'ines', look: 'seen' };
    const change = putOut(view, { ...judged, place: state === 'no row' ? { ...place, row: undefined } : place });
    const words = change && [change.state, change.change?.op, change.ask && 'ask'].filter(Boolean).join(', ');
    expect(words ?? 'nothing').toBe(becomes);
    if (change === undefined) return;
    const [stored = row] = storedBy([row], { changes: [change], answered: [], toRead: [] });
    expect(putOut(view, { ...judged, place: placeOf(stored) })).toBeUndefined();
  });

  test('a question is answered by any verdict that asks none', () => {
    const place = placeOf(rowOf('goal', 'Goal', 'walk', { state: 'proposed', reason: reason('inbound-gone') }));
    const judged = { place, patient: 'ines', look: 'seen' };
    expect(answeredBy({ ...judged, verdict: withdraw })).toEqual(['inbound:Goal/walk']);
    expect(answeredBy({ ...judged, verdict: ask })).toEqual([]);
  });
});

describe('a referral of a stranger', () => {
  const bodies = [task, foodOrder, foodCondition, ines];
  const rows = [
    rowOf('referral', 'Task', 'task-1', { patient: 'ines' }),
    rowOf('referral', 'ServiceRequest', 'order-1', { patient: 'ines' }),
  ];
  const offered = planInbound(inputOf(rows, ...bodies));
  const ops = ({ changes }: InboundPlan) =>
    changes.flatMap(({ change }) => (change === undefined ? [] : [`${change.op} ${change.type}`]));
  const stored = storedBy(rows, offered);

  test('is offered after what it points at; once that is stored, nothing is left to say', () => {
    expect(ops(offered)).toEqual(['propose client', 'propose case', 'propose need', 'propose referral']);
    expect(planInbound(inputOf(stored, ...bodies)).changes).toEqual([]);
  });

  test('that is cancelled is taken back in the other order', () => {
    const cancelled = planInbound(inputOf(stored, { ...task, status: 'cancelled' }, foodOrder, foodCondition, ines));
    expect(ops(cancelled)).toEqual(['withdraw referral', 'withdraw need', 'withdraw case', 'withdraw client']);
  });

  test('that somebody else has moved on stands with all that came with it, until a person has looked', () => {
    const moved = planInbound(inputOf(stored, { ...task, status: 'completed' }, foodOrder, foodCondition, ines));
    expect(ops(moved)).toEqual([]);
    expect(moved.changes.flatMap(({ ask }) => ask?.topic ?? [])).toEqual(['inbound:Task/task-1']);
  });

  test('whose Task is gone stands with all that came with it, until a person has looked', () => {
    const gone = planInbound(inputOf(stored, foodOrder, foodCondition, ines));
    expect(ops(gone)).toEqual([]);
    expect(gone.changes.flatMap(({ ask }) => ask?.topic ?? [])).toEqual(['inbound:Task/task-1']);
    expect(planInbound(inputOf(storedBy(stored, gone), foodOrder, foodCondition, ines)).changes).toEqual([]);
  });
});
