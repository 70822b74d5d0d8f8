// The mapper that a good engineer writes for this one job: one function per resource, straight from record to FHIR, no notation, no way back.

import type { ProjectContext, SlotRef } from '../../../src/mapping/mapping.ts';
import type {
  CarePlanRecord,
  CaseRecord,
  ClientRecord,
  GoalRecord,
  NeedRecord,
  ReferralRecord,
} from '../../../src/records/records.ts';
import { plan } from './care-plan.ts';
import { episode, team } from './case.ts';
import { patient } from './client.ts';
import { goal, measuredIn, observation } from './goal.ts';
import type { HandTables } from './hand-tables.ts';
import { condition } from './need.ts';
import {
  answer,
  asksToCancel,
  cancellation,
  fulfilment,
  hasAnswer,
  hasResult,
  message,
  request,
  result,
  saidIn,
} from './referral.ts';
import type { Issue, Out, Run } from './values.ts';

export type HandRecord =
  | { readonly type: 'client'; readonly record: ClientRecord }
  | { readonly type: 'case'; readonly record: CaseRecord }
  | { readonly type: 'need'; readonly record: NeedRecord }
  | { readonly type: 'goal'; readonly record: GoalRecord }
  | { readonly type: 'carePlan'; readonly record: CarePlanRecord }
  | { readonly type: 'referral'; readonly record: ReferralRecord };

export interface HandMade {
  readonly resource: Out;
  readonly issues: readonly Issue[];
  /** Resources that the record points to and that have no link yet. */
  readonly missing: readonly SlotRef[];
}

/** The resources of one record, in the order in which Casebridge makes them. */
export function byHand(line: HandRecord, context: ProjectContext, tables: HandTables): HandMade[] {
  if (line.record.deleted === true) return [];
  const made = (make: (run: Run) => Out): HandMade => {
    const run: Run = { context, tables, issues: [], missing: [] };
    return { resource: make(run), issues: run.issues, missing: run.missing };
  };
  switch (line.type) {
    case 'client':
      return [made((run) => patient(line.record, run))];
    case 'case':
      return [made((run) => episode(line.record, run)), made((run) => team(line.record, run))];
    case 'need':
      return [made((run) => condition(line.record, run))];
    case 'goal':
      return [
        made((run) => goal(line.record, run)),
        ...measuredIn(line.record).map((one) => made((run) => observation(one, line.record, run))),
      ];
    case 'carePlan':
      return [made((run) => plan(line.record, run))];
    case 'referral':
      return [
        ...(line.record.status === 'draft' ? [] : [made((run) => request(line.record, run))]),
        ...(asksToCancel(line.record) ? [made((run) => cancellation(line.record, run))] : []),
        ...(line.record.status === 'draft' ? [] : [made((run) => fulfilment(line.record, run))]),
        ...(hasResult(line.record) ? [made((run) => result(line.record, run))] : []),
        ...saidIn(line.record).map((at) => made((run) => message(at, line.record, run))),
        ...(hasAnswer(line.record) ? [made((run) => answer(line.record, run))] : []),
      ];
  }
}
