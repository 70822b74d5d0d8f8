// The shape of every rule once it is compiled: a lens between a place in the record and a place in the resource.
// Laws (tested): absorb(project(r), r) changes nothing; project(absorb(x, r)) says what x says; put keeps what the lens does not know.

import type { Json } from '../json.ts';
import type { Trace } from './lineage.ts';
import type { Draft, Scope } from './scope.ts';
import type { DesiredReference, MappingIssue, MappingIssueCode, ProjectContext, SlotRef } from './types.ts';

export interface Lens {
  /** Says nothing about the record: its presence alone makes no object. */
  readonly constant: boolean;
  /** A fixed part that is not always there, so nothing is recognised by it. */
  readonly optional?: boolean;
  /** Has nothing to report where it is not present. */
  readonly quiet?: boolean;
  /** False where the way back is missing on purpose (`oneWay`). */
  readonly twoWay: boolean;
  /** True when the record says something here, even if its link is still missing. */
  present(scope: Scope, run: Run): boolean;
  project(scope: Scope, run: ProjectRun): Json | undefined;
  /** The canonical value; undefined where the raw value holds nothing that this lens knows. */
  fact(raw: Json): Json | undefined;
  /** True when a list item looks like one of this lens: by its fixed values, code systems and reference types. */
  claims(raw: Json): boolean;
  /** `old` with what this lens knows as in `raw`. */
  put(raw: Json | undefined, old: Json | undefined): Json | undefined;
  /** True when the draft already says what `raw` says; absent: told by the facts. */
  agrees?(raw: Json, draft: Draft, run: AbsorbRun): boolean;
  /** Changes the draft so that it says what `raw` says. */
  absorb(raw: Json | undefined, draft: Draft, run: AbsorbRun): void;
}

export interface Run {
  /** Absent while absorbing, where only the record itself is known. */
  readonly context?: ProjectContext;
  /** True: no other record is known, so what comes from one is `unknown`. */
  readonly blind?: boolean;
}

/** One projection: what it needs and what it finds on the way. */
export interface ProjectRun extends Run {
  readonly context: ProjectContext;
  readonly recordId: string;
  readonly blind: boolean;
  /** False: a missing link may be there after all. */
  readonly linksKnown: boolean;
  /** Missing links become the target's fullUrl, so that the resource can be checked as it will be. */
  readonly placeholders: boolean;
  /** The key of the element being made. */
  element: string;
  /** Set where a value depends on something that is not known here: another record, a link, the connection. */
  unknown: boolean;
  readonly issues: MappingIssue[];
  readonly references: DesiredReference[];
  /** Notes where what is made comes from; absent: nobody wants to know. */
  readonly trace?: Trace | undefined;
}

export interface AbsorbRun extends Run {
  readonly context?: undefined;
  /** The links of this record, where the caller knows them. */
  readonly linked?: ProjectContext['reference'];
  element: string;
  readonly issues: MappingIssue[];
  readonly resolve: (reference: string) => SlotRef | undefined;
}

export function addIssue(
  run: ProjectRun | AbsorbRun,
  code: MappingIssueCode,
  message: string,
  at: string,
  pointer?: string,
  more?: Pick<MappingIssue, 'unmapped' | 'parks'>,
): void {
  run.issues.push({ code, element: run.element, ...(pointer !== undefined && { pointer }), message, at, ...more });
}

/** A run for comparing while absorbing: no other record and no link is known, and nobody listens to issues. */
export function blindRun(linked?: ProjectContext['reference']): ProjectRun {
  return {
    context: {
      source: '',
      identifierSystem: '',
      identifierSystems: {},
      record: () => undefined,
      reference: linked ?? (() => undefined),
    },
    blind: true,
    linksKnown: linked !== undefined,
    recordId: '',
    placeholders: false,
    element: '',
    unknown: false,
    issues: [],
    references: [],
  };
}

/** `old` where it says the same as `raw` (so a server's wording of it stays), else `raw`. */
export function replaceUnlessSame(
  lens: Pick<Lens, 'fact'>,
  raw: Json | undefined,
  old: Json | undefined,
): Json | undefined {
  if (raw === undefined || old === undefined) {
    return raw;
  }
  return sameJson(lens.fact(raw), lens.fact(old)) ? old : raw;
}

/** Equality of JSON values; keys in any order. */
export function sameJson(left: Json | undefined, right: Json | undefined): boolean {
  if (left === right) {
    return true;
  }
  if (typeof left !== 'object' || typeof right !== 'object' || left === null || right === null) {
    return false;
  }
  if (Array.isArray(left) || Array.isArray(right)) {
    return (
      Array.isArray(left) &&
      Array.isArray(right) &&
      left.length === right.length &&
      left.every((item, index) => sameJson(item, right[index]))
    );
  }
  const names = Object.keys(left);
  return names.length === Object.keys(right).length && names.every((name) => sameJson(left[name], right[name]));
}
