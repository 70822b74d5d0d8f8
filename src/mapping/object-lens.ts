// An object template: several lenses side by side. It is made only when the record says something in it, fixed parts aside,
// and what it does not know in a server's object stays there.

import { isObject, type Json, type JsonObject } from '../json.ts';
import { setElement } from './elements.ts';
import { addIssue, blindly, holdsNoNews, isAsSent, type Lens, type ProjectRun, sentIn } from './lens.ts';
import type { Scope } from './scope.ts';
import { isUntold, qualifierOf } from './untold.ts';

export interface ChildLens {
  readonly name: string;
  readonly lens: Lens;
  /** The choice that it is one form of: `detail[x]`. */
  readonly choice?: string | undefined;
}

/** A child as `project` needs it. */
interface Part {
  readonly name: string;
  readonly project: Lens['project'];
  /** With it there, there is something to say. */
  readonly isTelling: boolean;
  readonly isRequired: boolean;
}

/**
 * @param required names without which the whole object is left out.
 * @param at the rule, as `file:line`.
 * @param isOneValue its parts mean something together only, as a number and its unit: they are never put together from two sides
 */
export function objectLens(
  children: readonly ChildLens[],
  required: readonly string[],
  at: string,
  isOneValue: boolean,
): Lens {
  const constant = children.every(({ lens }) => lens.constant);
  const telling = tellingOf(children, required);
  const names = children.map(({ name }) => name);
  const parts = children.map(
    (child): Part => ({
      name: child.name,
      project: child.lens.project,
      isTelling: constant || telling.includes(child),
      isRequired: required.includes(child.name),
    }),
  );
  const requiredCount = new Set(required).size;
  const self: Lens = {
    constant,
    quiet: children.every(({ lens }) => lens.constant || lens.quiet === true) && required.length === 0,
    twoWay: children.some(({ lens }) => lens.twoWay && !lens.constant),
    present: (scope, run) => telling.some(({ lens }) => lens.present(scope, run)),
    project: (scope, run) => {
      const made: JsonObject = {};
      const issues = run.issues.length;
      const references = run.references.length;
      const { trace } = run;
      const mark = trace?.mark() ?? 0;
      let isSaid = false;
      let lacking = requiredCount;
      for (const { name, project, isTelling, isRequired } of parts) {
        trace?.enter(name);
        const value = project(scope, run);
        trace?.leave();
        if (value !== undefined) {
          made[name] = value;
          isSaid ||= isTelling;
          if (isRequired) lacking -= 1;
        }
      }
      if (isSaid && lacking === 0) {
        return made;
      }
      trace?.forget(mark);
      if (isSaid && !hasReported(run, issues, references)) {
        reportIncomplete(
          required.filter((name) => made[name] === undefined),
          at,
          scope,
          run,
        );
      }
      return undefined;
    },
    fact: (raw) => {
      const facts: JsonObject = {};
      for (const { name, lens } of children) {
        // A fixed id only tells which one it is.
        const value = isObject(raw) && !(name === 'id' && lens.constant) ? raw[name] : undefined;
        const known = value === undefined ? undefined : lens.fact(value);
        if (known !== undefined) {
          facts[name] = known;
        }
      }
      return Object.keys(facts).length > 0 ? facts : undefined;
    },
    claims: (raw, list) =>
      isObject(raw) &&
      required.every((name) => raw[name] !== undefined) &&
      children.every(
        ({ name, lens }) => claimsChild(lens, raw[name]) || (name === 'id' && isItWithoutId(lens, raw, names, list)),
      ),
    put: (raw, old, sent) =>
      putChildren(
        children,
        isObject(raw) ? raw : undefined,
        isObject(old) ? old : undefined,
        isOneValue && sent !== undefined ? {} : sent,
      ),
    absorb: (raw, draft, run) => {
      // What was never sent, for lack of a required part, was not removed.
      if (raw === undefined && self.project(draft, blindly(run)) === undefined) {
        return;
      }
      const from = isObject(raw) ? raw : {};
      if (!run.isPlain && qualifierOf(from, names) !== undefined) {
        addIssue(
          run,
          'left-out',
          'What the other side holds here is qualified in a way that the record has no place for.',
          at,
        );
        return;
      }
      const told = run.isPlain ? children : children.filter(({ name }) => !isUntold(from, [name]));
      if (told.length < children.length) {
        addIssue(run, 'left-out', 'The other side says that it does not tell part of this.', at);
      }
      // What is gone makes room first, because conditions keep the forms of one element apart.
      for (const { name, lens } of told) {
        if (from[name] === undefined) lens.absorb(undefined, draft, run);
      }
      for (const { name, lens } of told) {
        const value = from[name];
        if (value !== undefined && !holdsNoNews(lens, value, draft, run)) lens.absorb(value, draft, run);
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

/** True where an issue or a missing link, told since there were so many, already says why a part is not there. */
function hasReported(run: ProjectRun, issues: number, references: number): boolean {
  return (
    run.issues.length > issues || run.references.slice(references).some(({ reference }) => reference === undefined)
  );
}

function reportIncomplete(missing: readonly string[], at: string, scope: Scope, run: ProjectRun): void {
  addIssue(run, 'left-out', `Left out, because it lacks ${missing.join(' and ')}.`, at, scope.pointer || undefined);
}

/** A fixed part must be there; another part must look like ours where it is there. */
function claimsChild(lens: Lens, value: Json | undefined): boolean {
  return value === undefined ? !lens.constant || lens.optional === true : lens.claims(value);
}

/** The item of a fixed id, where the ids were dropped: no other one has the id, and it is the first that says nothing but what its template does. */
function isItWithoutId(
  { claims }: Lens,
  raw: JsonObject,
  names: readonly string[],
  list: readonly Json[] = [],
): boolean {
  const isForm = (one: Json): boolean =>
    isObject(one) && one.id === undefined && Object.keys(one).every((name) => names.includes(name));
  return list.find(isForm) === raw && !list.some((one) => isObject(one) && one.id !== undefined && claims(one.id));
}

function putChildren(
  children: readonly ChildLens[],
  raw: JsonObject | undefined,
  old: JsonObject | undefined,
  sent: Json | undefined,
): Json | undefined {
  const result: JsonObject = { ...old };
  const isLeft = ({ name, lens }: ChildLens): boolean => isAsSent(lens, name, raw?.[name], sent);
  const changed = children.filter((child) => !isLeft(child));
  for (const child of children) {
    const { name, lens, choice } = child;
    // Of a choice only one form can stand.
    const isReplaced = choice !== undefined && changed.some((other) => other.choice === choice);
    if (isReplaced || changed.includes(child)) {
      setElement(result, name, lens.put(raw?.[name], old?.[name], sentIn(sent, name)));
    }
  }
  return Object.keys(result).length > 0 ? result : undefined;
}
