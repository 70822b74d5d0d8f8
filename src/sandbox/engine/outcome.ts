// What a FHIR server says when it refuses: an HTTP status and an OperationOutcome.

import type { JsonObject } from '../../json.ts';

export interface Issue {
  /** Issue type of http://hl7.org/fhir/issue-type, such as `not-found`. */
  code: string;
  text: string;
  /** FHIRPath of the element. */
  expression?: string;
}

/** A refused request. The request has changed nothing when this is thrown out of `Store.transact`. */
export class Refusal extends Error {
  readonly status: number;
  readonly issues: readonly Issue[];
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, issues: readonly Issue[], headers: Readonly<Record<string, string>> = {}) {
    super(issues.map((issue) => issue.text).join(' '));
    this.name = 'Refusal';
    this.status = status;
    this.issues = issues;
    this.headers = headers;
  }
}

/** A refusal with one issue. */
export function refusal(status: number, code: string, text: string, expression?: string): Refusal {
  return new Refusal(status, [{ code, text, ...(expression === undefined ? {} : { expression }) }]);
}

export function operationOutcome(severity: 'error' | 'information', issues: readonly Issue[]): JsonObject {
  return {
    resourceType: 'OperationOutcome',
    issue: issues.map(({ code, text, expression }) => ({
      severity,
      code,
      details: { text },
      ...(expression === undefined ? {} : { expression: [expression] }),
    })),
  };
}
