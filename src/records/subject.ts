// Which lane subject a record belongs to: its case, its client, or itself as a directory entry (`<source>.<kind>.<id>`).

import { CasebridgeError } from '../errors.ts';
import type { RecordType } from './record-type.ts';

export type SubjectKind = 'case' | 'client' | 'organization' | 'service' | 'worker';

/**
 * The subject of a record: directory entries, clients and cases are their own; all else belongs to its case, a consent or coverage without a case to
 * its client. Empty for an improvement idea without a case: it never leaves the agency, so no lane has to know of it. Throws `record-without-subject` where none can be told: a deletion mark without `caseId` and `clientId`, for which the
 * stored version has to be asked.
 */
export function subjectOf(
  source: string,
  type: RecordType,
  record: { readonly id: string; readonly caseId?: unknown; readonly clientId?: unknown },
): string {
  if (isSubjectKind(type)) return `${source}.${type}.${record.id}`;
  if (typeof record.caseId === 'string') return `${source}.case.${record.caseId}`;
  if ((type === 'consent' || type === 'coverage') && typeof record.clientId === 'string')
    return `${source}.client.${record.clientId}`;
  if (type === 'improvementIdea') return '';
  throw new CasebridgeError('record-without-subject', { type });
}

const subjectPattern = /^([a-z][a-z0-9-]{0,31})\.([a-z]+)\.(?!\.+$)([A-Za-z0-9._-]{1,64})$/;

/** The parts of a subject; ids may hold dots, sources and kinds may not. Throws `subject-invalid`. */
export function parseSubject(subject: string): { source: string; kind: SubjectKind; id: string } {
  const [, source, kind, id] = subjectPattern.exec(subject) ?? [];
  if (source !== undefined && kind !== undefined && id !== undefined && isSubjectKind(kind))
    return { source, kind, id };
  throw new CasebridgeError('subject-invalid');
}

/** The source whose records a subject is about. */
export function sourceOf(subject: string): string {
  const [source = ''] = subject.split('.');
  return source;
}

const subjectKinds: ReadonlySet<string> = new Set<SubjectKind>(['case', 'client', 'organization', 'service', 'worker']);

function isSubjectKind(text: string): text is SubjectKind {
  return subjectKinds.has(text);
}
