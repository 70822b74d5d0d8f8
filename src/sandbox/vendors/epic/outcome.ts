// What this server says beside data: OperationOutcomes whose issues carry the vendor's numbers. A client goes by the number; the system's OID
// differs from site to site (E31).

import type { JsonObject } from '../../../json.ts';
import type { Reply } from '../../exchange.ts';
import type { EpicSettings } from './settings.ts';

type Severity = 'fatal' | 'warning' | 'information';

/** Severity, FHIR issue type and text of each number. */
const numbers = {
  '4101': ['warning', 'processing', 'No results.'],
  '4107': ['fatal', 'processing', 'This patient has been merged into another one.'],
  '4112': ['fatal', 'invalid', 'The search parameters contradict each other.'],
  '4113': ['fatal', 'processing', 'The session of this paged search has expired.'],
  '4118': ['fatal', 'forbidden', 'The client is not authorized for this request.'],
  '4127': ['fatal', 'too-costly', 'More than 100 patients were found.'],
  '4131': ['fatal', 'forbidden', 'Access to this patient is restricted.'],
  '4134': ['information', 'suppressed', 'Access to a patient is restricted.'],
  '4135': ['fatal', 'throttled', 'The document queries of this day are used up.'],
  '59008': ['fatal', 'not-found', 'The id is unknown.'],
  '59100': ['information', 'invalid', 'The content is not valid by the specification or a profile.'],
  '59102': ['fatal', 'invalid', 'The value of a parameter is not valid.'],
  '59105': ['fatal', 'structure', 'The content has a fault of structure.'],
  '59108': ['fatal', 'required', 'A required element is missing.'],
  '59111': ['fatal', 'value', 'A required element has a value that is not valid.'],
  '59141': ['fatal', 'duplicate', 'The same record exists already.'],
  '59144': ['fatal', 'not-found', 'The target of a reference was not found.'],
  '59159': ['fatal', 'business-rule', 'A business rule does not permit this.'],
  '59188': ['fatal', 'business-rule', 'No single flowsheet row belongs to these codes.'],
  '59204': ['warning', 'suppressed', 'The client lacks a part of this type; the results of that part are left out.'],
} as const satisfies Record<string, readonly [Severity, string, string]>;

export interface EpicIssue {
  number: keyof typeof numbers;
  /** What exactly, in words. */
  diagnostics: string;
  /** Element or parameter. */
  expression?: string;
}

/** A refused request; thrown out of `Store.transact` it has changed nothing. */
export class EpicRefusal extends Error {
  readonly status: number;
  readonly issues: readonly EpicIssue[];
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, issues: readonly EpicIssue[], headers: Readonly<Record<string, string>> = {}) {
    super(issues.map(({ diagnostics }) => diagnostics).join(' '));
    this.name = 'EpicRefusal';
    this.status = status;
    this.issues = issues;
    this.headers = headers;
  }
}

/** A refusal that says nothing in FHIR (E7, E8). */
export class BareRefusal extends Error {
  readonly reply: Reply;

  constructor(reply: Reply) {
    super(`Refused with ${reply.status}.`);
    this.name = 'BareRefusal';
    this.reply = reply;
  }
}

/** There is nothing at this path for this method: the web server answers, not the FHIR server (E10). */
export class NoSuchEndpoint extends Error {
  constructor() {
    super('There is nothing at this path.');
    this.name = 'NoSuchEndpoint';
  }
}

/** A refusal with one issue. */
export function refused(
  status: number,
  number: EpicIssue['number'],
  diagnostics: string,
  expression?: string,
): EpicRefusal {
  return new EpicRefusal(status, [{ number, diagnostics, ...(expression !== undefined && { expression }) }]);
}

/** Severity, type and text follow from the numbers; the system of the numbers from the site's instance (E31). */
export function epicOutcome({ instance }: Pick<EpicSettings, 'instance'>, issues: readonly EpicIssue[]): JsonObject {
  const system = `urn:oid:1.2.840.114350.1.13.${instance}.7.2.657369`;
  return {
    resourceType: 'OperationOutcome',
    issue: issues.map(({ number, diagnostics, expression }) => {
      const [severity, code, text] = numbers[number];
      return {
        severity,
        code,
        details: { coding: [{ system, code: number, display: text }], text },
        diagnostics,
        ...(expression !== undefined && {
          location: [`/f:${expression.replaceAll('.', '/f:')}`],
          expression: [expression],
        }),
      };
    }),
  };
}
