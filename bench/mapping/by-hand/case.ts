// A case by hand: EpisodeOfCare and CareTeam.

import type { CaseRecord } from '../../../src/records/records.ts';
import { usCore } from './urls.ts';
import { codeIn, concept, head, list, type Out, period, type Run, text, to } from './values.ts';

type Assignment = NonNullable<CaseRecord['assignments']>[number];
type Member = NonNullable<CaseRecord['careTeam']>[number];

export function episode(record: CaseRecord, run: Run): Out {
  const program = text(record.program, '/program', run);
  const manager = record.assignments?.findLast((one) => one.role === 'primary' && one.to === undefined);
  return {
    resourceType: 'EpisodeOfCare',
    ...head('case', 'episode', record, undefined, run),
    status: codeIn(run.tables.caseStatus, record.status, '/status', run),
    type: program === undefined ? undefined : [{ text: program }],
    patient: to('client', 'patient', record.clientId, run),
    managingOrganization: to('organization', 'organization', record.organizationId, run),
    period: period(record.openedOn, record.closedOn),
    careManager: to('worker', 'role', manager?.workerId, run),
  };
}

export function team(record: CaseRecord, run: Run): Out {
  return {
    resourceType: 'CareTeam',
    ...head('case', 'team', record, `${usCore}us-core-careteam`, run),
    status: codeIn(run.tables.caseTeamStatus, record.status, '/status', run),
    subject: to('client', 'patient', record.clientId, run),
    period: period(record.openedOn, record.closedOn),
    participant: list<Out>([
      ...(record.assignments?.map((one, at) => assigned(one, `/assignments/${at}`, run)) ?? []),
      ...(record.careTeam?.map((one, at) => member(one, `/careTeam/${at}`, run)) ?? []),
    ]),
    managingOrganization: list([to('organization', 'organization', record.organizationId, run)]),
  };
}

function assigned({ id, role, workerId, from, to: until }: Assignment, at: string, run: Run): Out {
  const worker = to('worker', 'role', workerId, run);
  if (worker === undefined) return undefined;
  const as = concept(run.tables.assignmentRole, role, `${at}/role`, run);
  return { id, role: [as], member: worker, period: period(from, until) };
}

function member({ id, role, workerId, organizationId, name, from, to: until }: Member, at: string, run: Run): Out {
  const as = text(role, `${at}/role`, run);
  const who = memberReference(workerId, organizationId, name, at, run);
  if (who === undefined) return undefined;
  return { id, role: as === undefined ? undefined : [{ text: as }], member: who, period: period(from, until) };
}

function memberReference(
  workerId: string | undefined,
  organizationId: string | undefined,
  name: string | undefined,
  at: string,
  run: Run,
): Out {
  if (workerId !== undefined) return to('worker', 'role', workerId, run);
  if (organizationId !== undefined) return to('organization', 'organization', organizationId, run);
  const display = text(name, `${at}/name`, run);
  return display === undefined ? undefined : { display };
}
