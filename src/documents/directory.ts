// Who is named in a document: agency, worker, partners, care team. A directory record with a sensitivity label (a shelter, a treatment
// program) says by its name alone what the label protects, so it is named only where the record that points to it carries the label,
// which the client's consent was then asked for. The caller gives records with all labels that count for them.

import { type JsonObject, objectAt, objectsAt, textAt, textsAt } from '../json.ts';
import type { RecordType } from '../records/records.ts';
import { shown } from './clean.ts';
import { present, said } from './values.ts';

export type Find = (type: RecordType, id: string) => JsonObject | undefined;

const nameLimit = 90;
const phoneLimit = 60;

/** The directory record that a field of another record points to, where it may be named. */
export function pointedAt(find: Find, from: JsonObject, field: string, type: RecordType): JsonObject | undefined {
  const id = textAt(from, field);
  return id === undefined ? undefined : nameable(find(type, id), from);
}

export function nameable(found: JsonObject | undefined, from: JsonObject): JsonObject | undefined {
  const allowed = textsAt(from, 'sensitivity');
  if (!found || found.deleted === true) return undefined;
  return textsAt(found, 'sensitivity').every((label) => allowed.includes(label)) ? found : undefined;
}

export function organizationName(organization: JsonObject | undefined): string | undefined {
  return shown(textAt(organization, 'name'), nameLimit);
}

function personName(name: JsonObject | undefined): string | undefined {
  return shown(said([textAt(name, 'given'), textAt(name, 'family')]).join(' '), nameLimit);
}

/** Phones to call, with what their note says (hours stand there): fax numbers and those of a confidential address are left out. */
export function organizationPhones(organization: JsonObject | undefined): JsonObject[] {
  if (objectAt(organization, 'address')?.confidential === true) return [];
  return objectsAt(organization, 'phones')
    .filter((phone) => phone.kind !== 'fax')
    .slice(0, 2)
    .map((phone) => {
      const extension = textAt(phone, 'extension');
      const number = [textAt(phone, 'number'), extension && `ext. ${extension}`].filter(Boolean).join(' ');
      return present({ number: shown(number, phoneLimit), note: shown(textAt(phone, 'note'), phoneLimit) });
    });
}

/** Name, role and phone of a worker. */
export function workerFacts(worker: JsonObject | undefined): JsonObject {
  return present({
    name: personName(objectAt(worker, 'name')),
    role: textAt(worker, 'role'),
    phone: shown(textAt(worker, 'phone'), phoneLimit),
  });
}

/** The worker who has the case: its open primary assignment, else the last one. */
export function primaryAssignment(caseRecord: JsonObject): JsonObject | undefined {
  const primaries = objectsAt(caseRecord, 'assignments').filter((assignment) => assignment.role === 'primary');
  const open = primaries.filter((assignment) => assignment.to === undefined);
  return latest(open) ?? latest(primaries);
}

function latest(assignments: JsonObject[]): JsonObject | undefined {
  return assignments.toSorted((a, b) => started(b) - started(a))[0];
}

function started(assignment: JsonObject): number {
  return Date.parse(textAt(assignment, 'from') ?? '') || 0;
}

/** Whoever has a place in the facts of the case and may not be named: `worker`, and keys of the care team. */
export function unnamedPlaces(caseRecord: JsonObject, find: Find): string[] {
  const primary = primaryAssignment(caseRecord);
  const isUnnamed = (item: JsonObject) => isHidden(item, caseRecord, find);
  const keysOf = (list: string, kind: string) =>
    objectsAt(caseRecord, list)
      .filter(isUnnamed)
      .map(({ id }) => `${kind}/${id}`);
  return [
    ...(primary !== undefined && isUnnamed(primary) ? ['worker'] : []),
    ...keysOf('assignments', 'assignment'),
    ...keysOf('careTeam', 'member'),
  ];
}

/** Whether an item of the case points at a person or an organization that may not be named. */
function isHidden(item: JsonObject, caseRecord: JsonObject, find: Find): boolean {
  const from = sharing(item, caseRecord);
  const isOne = (field: string, type: RecordType) =>
    textAt(item, field) !== undefined && pointedAt(find, from, field, type) === undefined;
  return isOne('organizationId', 'organization') || isOne('workerId', 'worker');
}

/** Everybody else to talk to: the agency's other workers on the case, then people and organizations outside it. */
export function careTeamFacts(caseRecord: JsonObject, find: Find): JsonObject[] {
  const primary = primaryAssignment(caseRecord);
  const workers = objectsAt(caseRecord, 'assignments')
    .filter((assignment) => assignment.to === undefined && assignment.workerId !== primary?.workerId)
    .map((assignment) => {
      const { name, phone } = workerFacts(pointedAt(find, sharing(assignment, caseRecord), 'workerId', 'worker'));
      return present({ key: `assignment/${textAt(assignment, 'id')}`, name, part: textAt(assignment, 'role'), phone });
    });
  const others = objectsAt(caseRecord, 'careTeam').map((member) => {
    const from = sharing(member, caseRecord);
    const organization = pointedAt(find, from, 'organizationId', 'organization');
    const worker = workerFacts(pointedAt(find, from, 'workerId', 'worker'));
    // A name or number beside an entry that may not be named would name it.
    const hidden = isHidden(member, caseRecord, find);
    const [line] = organizationPhones(organization);
    return present({
      key: `member/${textAt(member, 'id')}`,
      name: hidden ? undefined : (shown(textAt(member, 'name'), nameLimit) ?? textAt(worker, 'name')),
      role: shown(textAt(member, 'role'), nameLimit),
      organization: organizationName(organization),
      phone: hidden
        ? undefined
        : (shown(textAt(member, 'phone'), phoneLimit) ?? textAt(worker, 'phone') ?? textAt(line, 'number')),
      until: textAt(member, 'to'),
    });
  });
  return [...workers, ...others].filter((member) => member.name !== undefined || member.organization !== undefined);
}

// An item of a list carries no labels of its own: its record's hold for it.
function sharing(item: JsonObject, owner: JsonObject): JsonObject {
  return { ...item, sensitivity: textsAt(owner, 'sensitivity') };
}
