// An object template: several lenses side by side. It is made only when the record says something in it, fixed parts aside,
// and what it does not know in a server's object stays there.

import { isObject, type Json, type JsonObject } from '../json.ts';
import { blindRun, type Lens } from './lens.ts';

export interface ChildLens {
  readonly name: string;
  readonly lens: Lens;
}

/** @param required names without which the whole object is left out. */
export function objectLens(children: readonly ChildLens[], required: readonly string[]): Lens {
  const constant = children.every(({ lens }) => lens.constant);
  const telling = constant ? children : children.filter(({ lens }) => !lens.constant);
  const self: Lens = {
    constant,
    twoWay: children.some(({ lens }) => lens.twoWay && !lens.constant),
    present: (scope, run) => telling.some(({ lens }) => lens.present(scope, run)),
    project: (scope, run) => {
      const made: JsonObject = {};
      let said = constant;
      for (const { name, lens } of children) {
        const value = lens.project(scope, run);
        if (value !== undefined) {
          made[name] = value;
          said ||= !lens.constant;
        }
      }
      return said && required.every((name) => made[name] !== undefined) && Object.keys(made).length > 0
        ? made
        : undefined;
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
    claims: (raw) => isObject(raw) && children.every(({ name, lens }) => claimsChild(lens, raw[name])),
    put: (raw, old) => putChildren(children, isObject(raw) ? raw : undefined, isObject(old) ? old : undefined),
    absorb: (raw, draft, run) => {
      // What was never sent, for lack of a required part, was not removed.
      if (raw === undefined && self.project(draft, blindRun(run.linked)) === undefined) {
        return;
      }
      const from = isObject(raw) ? raw : {};
      for (const { name, lens } of children) {
        lens.absorb(from[name], draft, run);
      }
    },
  };
  return self;
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
