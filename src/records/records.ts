// Front door of records/: what comes in from sources, checked.

export {
  type Acceptance,
  acceptRecords,
  type CheckedRecord,
  type LaneKey,
  type Recipient,
  staleLimit,
} from './accept.ts';
export { acceptStale, type StaleKey } from './accept-stale.ts';
export {
  type CustomField,
  customKinds,
  customName,
  isCustomKind,
  withCustomFields,
} from './custom-fields.ts';
export { type FieldError, kindOf, shownName } from './field-error.ts';
export { type Field, type FieldKind, fieldNames, fieldTree, schemaAt } from './fields.ts';
export { isCalendarDate, isInstant, isInstantOrLocal, isPartialDate } from './formats.ts';
export { withOffset } from './local-time.ts';
export { openCaseStatuses } from './open-case.ts';
export { type JsonLimits, parseJson } from './parse-json.ts';
export { brokenIn, type ParseOptions, parseRecord, type StoredRecord } from './parse-record.ts';
export { type RecordLine, type RecordLineLimits, readRecordLines } from './record-lines.ts';
export { type RecordSchemas, shippedSchemas } from './record-schemas.ts';
export { isRecordType, type RecordKey, type RecordType, recordTypes } from './record-type.ts';
export type * from './record-types.ts';
export { aheadLimitMs } from './rules.ts';
export { sameClient } from './same-client.ts';
export { definitionsSchema, recordSchemas } from './schemas.ts';
export { parseSubject, sourceOf, subjectOf } from './subject.ts';
