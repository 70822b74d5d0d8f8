// The shape of every rule once it is compiled: a lens between a place in the record and a place in the resource.
// Laws (tested): absorb(project(r), r) changes nothing; project(absorb(x, r)) says what x says; put keeps what the lens does not know.

import { isObject, type Json } from '../json.ts';
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
  /**
   * True when a list item looks like one of this lens: by its fixed values, code systems and reference types.
   * @param list that it is an item of: without a fixed id it is known by its form where no other one has that id
   */
  claims(raw: Json, list?: readonly Json[]): boolean;
  /** `old` with what this lens knows as in `raw`. `sent`: the fact of what was last agreed on here: what `raw` still says so is left; absent: all is put. */
  put(raw: Json | undefined, old: Json | undefined, sent?: Json): Json | undefined;
  /** True when `absorb` would find nothing in `raw`, as most often; absent: told by `isAsMade`. Never true where it would. */
  stands?: ((raw: Json | undefined, draft: Draft, run: AbsorbRun) => boolean) | undefined;
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
  /** For `blindly`. */
  readonly compared: ProjectRun;
  /** True when nothing in the resource is held back or qualified (`untold.ts`). */
  readonly isPlain: boolean;
  element: string;
  readonly issues: MappingIssue[];
  readonly resolve: (reference: string) => SlotRef | undefined;
  /** IANA: where the record's days are days; absent: a time is on the day that it names. */
  readonly timeZone?: string;
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

/**
 * A run for comparing while absorbing: no other record and no link is known, and nobody listens to issues.
 * @param identifierSystem where our own lists hang, if that is known
 * @param isTold as in a ProjectContext
 */
export function blindRun(
  linked?: ProjectContext['reference'],
  identifierSystem = '',
  isTold?: ProjectContext['isTold'],
): ProjectRun {
  return {
    context: {
      source: '',
      identifierSystem,
      identifierSystems: {},
      record: () => undefined,
      reference: linked ?? (() => undefined),
      ...(isTold && { isTold }),
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

/** The blind run of an absorb as if it were new. What it has found of one projection is gone with the next. */
export function blindly({ compared }: AbsorbRun): ProjectRun {
  compared.unknown = false;
  // Most of the time there is nothing to take away, and setting a length costs more than asking for it.
  if (compared.issues.length > 0) compared.issues.length = 0;
  if (compared.references.length > 0) compared.references.length = 0;
  return compared;
}

/** True when `raw` is to the letter what the record makes: by the first law there is nothing to absorb. Most of what a server holds is. */
export function isAsMade(lens: Pick<Lens, 'project'>, raw: Json | undefined, draft: Draft, run: AbsorbRun): boolean {
  const blind = blindly(run);
  const made = lens.project(draft, blind);
  return !blind.unknown && sameJson(made, raw);
}

/** True when nothing in `raw` is news to the record. */
export function holdsNoNews(lens: Lens, raw: Json | undefined, draft: Draft, run: AbsorbRun): boolean {
  return lens.stands ? lens.stands(raw, draft, run) : isAsMade(lens, raw, draft, run);
}

/** What of the fact of a whole we last wrote in one part of it. */
export function sentIn(sent: Json | undefined, name: string): Json | undefined {
  return sent === undefined ? undefined : ((isObject(sent) ? sent[name] : undefined) ?? {});
}

/** True for a part of a whole, agreed on as `sent`, of which `raw` says what was said then. */
export function isAsSent(
  lens: Pick<Lens, 'fact'>,
  name: string,
  raw: Json | undefined,
  sent: Json | undefined,
): boolean {
  // Of what was not there nothing was agreed on.
  if (!isObject(sent) || Object.keys(sent).length === 0) return false;
  return sameJson(raw === undefined ? undefined : lens.fact(raw), sent[name]);
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
    if (!Array.isArray(left) || !Array.isArray(right) || left.length !== right.length) return false;
    for (let at = 0; at < left.length; at += 1) {
      if (!sameJson(left[at], right[at])) return false;
    }
    return true;
  }
  let count = 0;
  for (const name in left) {
    if (!sameJson(left[name], right[name])) return false;
    count += 1;
  }
  for (const _ in right) count -= 1;
  return count === 0;
}
