// Three-way merge per element with two bases: what we sent and what we saw at the last agreement (lanes.md 13).
// The bases may differ for ever, because servers rewrite and because sources take their time. Pure; compares mapped facts, not bytes.

import { isDeepStrictEqual } from 'node:util';
import type { Json } from '../json.ts';
import type { Facts, Owner } from '../mapping/mapping.ts';

export interface Bases {
  /** Our desired facts at the last agreement; undefined: there never was one (found, re-linked, restored). */
  readonly sent: Facts | undefined;
  /** The server's facts then. */
  readonly seen: Facts | undefined;
  /** Elements of which neither is known, although it is of the others: a rule is new, or reads otherwise than it did. */
  readonly baseless?: ReadonlySet<string>;
}

export interface MergeElement {
  readonly key: string;
  readonly owner: Owner;
}

export interface MergeInput extends Bases {
  readonly elements: readonly MergeElement[];
  readonly desired: Facts;
  readonly observed: Facts;
  /** Times of both sides in epoch milliseconds, for the owner `latest`. */
  readonly times?: { readonly ours: number; readonly theirs: number };
}

/**
 * What to do with one element:
 * `agreed` both sides say the same; `quiet` they differ, as they did; `write` send ours; `keep` theirs stands and is offered as a change;
 * `override` send ours and report theirs; `ask` a person decides.
 */
export type Verdict = 'agreed' | 'quiet' | 'write' | 'keep' | 'override' | 'ask';

export interface MergeResult {
  readonly verdicts: ReadonlyMap<string, Verdict>;
  /** The bases after this look: moved for what is agreed or kept, unmoved for what is still to be written or asked. */
  readonly bases: { readonly sent: Facts; readonly seen: Facts };
}

/** Clocks of two systems agree no better than this; nearer times are no order (lanes.md 13). */
const latestMarginMs = 5 * 60_000;

/** Merges all elements of one resource. Same input, same output. */
export function merge(input: MergeInput): MergeResult {
  const verdicts = new Map(input.elements.map((element) => [element.key, verdictFor(element, input)]));
  return { verdicts, bases: basesAfter(input, verdicts) };
}

/** True when both facts are the same; an absent element equals only an absent one. */
export function sameFact(left: Json | undefined, right: Json | undefined): boolean {
  return isDeepStrictEqual(left, right);
}

/** The facts with one of them as given; undefined takes it out. */
export function withFact(facts: Facts, key: string, value: Json | undefined): Facts {
  const { [key]: _before, ...rest } = facts;
  return value === undefined ? rest : { ...rest, [key]: value };
}

function verdictFor({ key, owner }: MergeElement, input: MergeInput): Verdict {
  const desired = input.desired[key];
  const observed = input.observed[key];
  if (sameFact(desired, observed)) return 'agreed';
  if (!hasBase(input, key)) return withoutBase(desired, observed);
  const ours = !sameFact(desired, input.sent?.[key]);
  const theirs = !sameFact(observed, input.seen?.[key]);
  if (ours && theirs) return bothChanged(owner, input.times);
  if (theirs) return 'keep';
  if (ours) return owner === 'remote' ? 'ask' : 'write';
  return 'quiet';
}

function hasBase({ sent, seen, baseless }: Bases, key: string): boolean {
  return sent !== undefined && seen !== undefined && baseless?.has(key) !== true;
}

/** Fill what is empty, clear nothing, ask about the rest. */
function withoutBase(desired: Json | undefined, observed: Json | undefined): Verdict {
  if (observed === undefined) return 'write';
  return desired === undefined ? 'quiet' : 'ask';
}

function bothChanged(owner: Owner, times: MergeInput['times']): Verdict {
  switch (owner) {
    case 'source':
      return 'override';
    case 'remote':
      return 'keep';
    case 'latest':
      if (times === undefined || Math.abs(times.ours - times.theirs) <= latestMarginMs) return 'ask';
      return times.ours > times.theirs ? 'override' : 'keep';
    case 'ask':
      return 'ask';
    default:
      return owner satisfies never;
  }
}

function basesAfter(input: MergeInput, verdicts: ReadonlyMap<string, Verdict>): MergeResult['bases'] {
  const sent: Record<string, Json> = { ...input.sent };
  const seen: Record<string, Json> = { ...input.seen };
  for (const [key, verdict] of verdicts) {
    const withBase = hasBase(input, key);
    if (verdict === 'agreed' || (verdict === 'quiet' && !withBase)) {
      put(sent, key, input.desired[key]);
      put(seen, key, input.observed[key]);
    } else if (verdict === 'keep') {
      put(sent, key, input.desired[key]);
      put(seen, key, input.observed[key]);
    } else if (verdict === 'override' || (verdict === 'write' && !withBase)) {
      put(seen, key, input.observed[key]);
    }
  }
  return { sent, seen };
}

function put(facts: Record<string, Json>, key: string, value: Json | undefined): void {
  if (value === undefined) delete facts[key];
  else facts[key] = value;
}
