// OperationOutcome: building the one we answer with, and reading the ones that servers answer.

import type { JsonObject } from '../json.ts';
import { isObject } from '../json.ts';

/** From worst to best (http://hl7.org/fhir/issue-severity). */
const severities = ['fatal', 'error', 'warning', 'information'] as const;

export type Severity = (typeof severities)[number];

export interface OutcomeIssue {
  readonly severity: Severity;
  /** FHIR issue type, such as 'processing'. */
  readonly code: string;
  /** details.text, else diagnostics, else the display or code of details. May quote record content: not for logs. */
  readonly text: string;
  readonly expression: readonly string[];
}

/** An OperationOutcome with one issue. `expression` is a FHIRPath such as 'Task.output[0].type'. */
export function operationOutcome(severity: Severity, issueCode: string, text: string, expression?: string): JsonObject {
  return {
    resourceType: 'OperationOutcome',
    issue: [
      { severity, code: issueCode, details: { text }, ...(expression !== undefined && { expression: [expression] }) },
    ],
  };
}

/** The gravest issue of an OperationOutcome, the first of equals; undefined when it is none or holds no issue. */
export function worstIssue(outcome: JsonObject | undefined): OutcomeIssue | undefined {
  if (outcome?.resourceType !== 'OperationOutcome' || !Array.isArray(outcome.issue)) {
    return undefined;
  }
  const issues = outcome.issue.filter(isObject).map(readIssue);
  return issues.sort((a, b) => severities.indexOf(a.severity) - severities.indexOf(b.severity))[0];
}

function readIssue(issue: JsonObject): OutcomeIssue {
  const { severity, code, details, diagnostics, expression } = issue;
  return {
    // A severity we do not know is taken as an error: it is never made smaller than it may be.
    severity: severities.find((known) => known === severity) ?? 'error',
    code: typeof code === 'string' ? code : 'processing',
    text: [isObject(details) ? detailsText(details) : undefined, diagnostics].find(isText) ?? '',
    expression: Array.isArray(expression) ? expression.filter(isText) : [],
  };
}

function detailsText(details: JsonObject): string | undefined {
  const coding = Array.isArray(details.coding) ? details.coding.find(isObject) : undefined;
  return [details.text, coding?.display, coding?.code].find(isText);
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}
