// An object template: several lenses side by side. It is made only when the record says something in it, fixed parts aside,
// and what it does not know in a server's object stays there.

import { isObject, type Json, type JsonObject } from '../json.ts';
import { addIssue, blindRun, type Lens, type ProjectRun } from './lens.ts';
import type { Scope } from './scope.ts';

export interface ChildLens {
  readonly name: string;
  readonly lens: Lens;
}

/**
 * @param required names without which the whole object is left out.
 * @param at the rule, as `file:line`.
 */
export function objectLens(children: readonly ChildLens[], required: readonly string[], at: string): Lens {
  const constant = children.every(({ lens }) => lens.constant);
  const telling = tellingOf(children, required);
  const self: Lens = {
    constant,
    twoWay: children.some(({ lens }) => lens.twoWay && !lens.constant),
    present: (scope, run) => telling.some(({ lens }) => lens.present(scope, run)),
    project: (scope, run) => {
      const made: JsonObject = {};
      const before = countReported(run);
      for (const { name, lens } of children) {
        const value = lens.project(scope, run);
        if (value !== undefined) {
          made[name] = value;
        }
      }
      const said = constant || telling.some(({ name }) => made[name] !== undefined);
      const missing = required.filter((name) => made[name] === undefined);
      if (said && missing.length > 0 && countReported(run) === before) {
        reportIncomplete(missing, at, scope, run);
      }
      return said && missing.length === 0 && Object.keys(made).length > 0 ? made : undefined;
    },
    fact: (raw) => {
      const facts: JsonObject = {};
      for (const { name, lens } of children) {
        const value = isObject(raw) ? raw[name] : undefined;
        const known = value === undefined ? undefined : lens.fact(value);
        if (known !== undefined) {
          facts[name] = known;
        }
      }
      return Object.keys(facts).length > 0 ? facts : undefined;
    },
    claims: (raw) =>
      isObject(raw) &&
      required.every((name) => raw[name] !== undefined) &&
      children.every(({ name, lens }) => claimsChild(lens, raw[name])),
    put: (raw, old) => putChildren(children, isObject(raw) ? raw : undefined, isObject(old) ? old : undefined),
    absorb: (raw, draft, run) => {
      // What was never sent, for lack of a required part, was not removed.
      if (raw === undefined && self.project(draft, blindRun(run.linked)) === undefined) {
        return;
      }
      const from = isObject(raw) ? raw : {};
      // What is gone makes room first, because conditions keep the forms of one element apart.
      for (const { lens } of children.filter(({ name }) => from[name] === undefined)) {
        lens.absorb(undefined, draft, run);
      }
      for (const { name, lens } of children.filter(({ name }) => from[name] !== undefined)) {
        lens.absorb(from[name], draft, run);
      }
    },
  };
  return self;
}

/** The parts that make the object worth making: of those that it requires, or else of all, what is not fixed. */
function tellingOf(children: readonly ChildLens[], required: readonly string[]): readonly ChildLens[] {
  const variable = children.filter(({ lens }) => !lens.constant);
  const needed = variable.filter(({ name }) => required.includes(name));
  return needed.length > 0 ? needed : variable.length > 0 ? variable : children;
}

/** Issues and missing links: what already says why a part is not there. */
function countReported({ issues, references }: ProjectRun): number {
  return issues.length + references.filter(({ reference }) => reference === undefined).length;
}

function reportIncomplete(missing: readonly string[], at: string, scope: Scope, run: ProjectRun): void {
  addIssue(run, 'left-out', `Left out, because it lacks ${missing.join(' and ')}.`, at, scope.pointer || undefined);
}

/** A fixed part must be there; another part must look like ours where it is there. */
function claimsChild(lens: Lens, value: Json | undefined): boolean {
  return value === undefined ? !lens.constant || lens.optional === true : lens.claims(value);
}

function putChildren(
  children: readonly ChildLens[],
  raw: JsonObject | undefined,
  old: JsonObject | undefined,
): Json | undefined {
  const result: JsonObject = { ...old };
  for (const { name, lens } of children) {
    const value = lens.put(raw?.[name], old?.[name]);
    if (value === undefined) {
      delete result[name];
    } else {
      result[name] = value;
    }
  }
  return Object.keys(result).length > 0 ? result : undefined;
}
