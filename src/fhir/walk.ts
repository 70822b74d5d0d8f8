// Where a check is in a resource, and what it found. Paths are written only when there is something to report.

import type { JsonObject } from '../json.ts';

/** Something about a resource that a rule does not allow. Holds no values of the resource. */
export interface ProfileIssue {
  readonly severity: 'error' | 'warning';
  /** 'cardinality', 'required-binding', … or the key of an invariant ('SDOH-Con-3'). */
  readonly rule: string;
  /** FHIRPath from the resource type: 'Task.output[0].type'. */
  readonly path: string;
  /** Profile id; the resource type for base R4. */
  readonly profile: string;
  readonly message: string;
}

export class Walk {
  readonly issues: ProfileIssue[] = [];
  readonly root: JsonObject;
  readonly profile: string;
  readonly #steps: (string | number)[];

  constructor(root: JsonObject, profile: string, type: string) {
    this.root = root;
    this.profile = profile;
    this.#steps = [type];
  }

  enter(step: string | number): void {
    this.#steps.push(step);
  }

  leave(): void {
    this.#steps.pop();
  }

  /** Reports at the place where the walk is, or at a child of it. */
  report(rule: string, message: string, child?: string, severity: ProfileIssue['severity'] = 'error'): void {
    const steps = child === undefined ? this.#steps : [...this.#steps, child];
    const path = steps
      .map((step, at) => (typeof step === 'number' ? `[${step}]` : at === 0 ? step : `.${step}`))
      .join('');
    this.issues.push({ severity, rule, path, profile: this.profile, message });
  }
}
