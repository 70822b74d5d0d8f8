// A server's list taken back into the record's (`each-lens.ts`).

import { cloneJson, isObject, type Json } from '../json.ts';
import { type AbsorbRun, addIssue, blindly, sameJson } from './lens.ts';
import { type EachRule, type Keyed, keyItems, keyWithoutId, lacksId } from './list-items.ts';
import { replaceItems } from './list-lens.ts';
import { projectItem, within } from './project-item.ts';
import { type Draft, type Scope, writer } from './scope.ts';

export function absorbItems(
  rule: EachRule,
  observed: readonly Json[],
  items: readonly Json[],
  draft: Draft,
  run: AbsorbRun,
): void {
  const sent = items.map((value, index) => sentItem(rule, within(draft, value, rule, index), run));
  const ours = keyItems(
    rule,
    sent.map(({ raw }) => raw ?? null),
  );
  const theirItems = keyItems(rule, observed);
  const said = ours.filter((_, index) => sent[index]?.raw !== undefined);
  if (rule.distinct && sameJson(saidOnce(said), saidOnce(theirItems))) return;
  const taken = new Set<number>();
  const absorbed: { index: number; value: Json }[] = [];
  for (const theirs of theirItems) {
    if (rule.by === 'id' && isHeldBack(theirs.key, items, sent)) {
      addIssue(run, 'left-out', 'The other side has an item that the record holds back.', rule.at);
      continue;
    }
    const match = ours.findIndex(
      (own, at) => !taken.has(at) && sent[at]?.raw !== undefined && isSame(rule, own, theirs),
    );
    // Links are not always known here, so an item that may be the same is tried: it is, if nothing changes in it.
    const index =
      match >= 0
        ? match
        : items.findIndex((item, at) => !taken.has(at) && !sent[at]?.certain && holds(rule, theirs, item, draft, run));
    const value = absorbItem(rule, theirs, items[index], draft, run);
    taken.add(index);
    if (value !== undefined) {
      absorbed.push({ index: index < 0 ? Number.MAX_SAFE_INTEGER : index, value });
    }
  }
  if (rule.by !== 'content') {
    absorbed.sort((left, right) => left.index - right.index);
  }
  // Items that were not sent, or may not have been (by `where`, for lack of a link), are none of the other side's business.
  const replaced = items.flatMap((_, index) => (sent[index]?.certain || taken.has(index) ? [index] : []));
  if (rule.isShared) {
    for (const index of replaced.filter((one) => !taken.has(one)))
      absorbed.push({ index, value: unsaid(rule, within(draft, items[index] ?? null, rule, index), draft, run) });
    absorbed.sort((left, right) => left.index - right.index);
  }
  const result = replaceItems(
    items,
    replaced,
    absorbed.map(({ value }) => value),
  );
  if (sameJson(result, items.length > 0 ? [...items] : undefined)) {
    return;
  }
  if (result === undefined && rule.list.required) {
    addIssue(run, 'required-field', 'The other side has removed this, but the record cannot be without it.', rule.at);
  } else {
    writer(rule.path)(draft, result);
  }
}

function saidOnce(items: readonly Keyed[]): Json[] {
  const facts = items.map(({ fact }) => fact);
  return facts.filter((fact, index) => !facts.slice(0, index).some((other) => sameJson(other, fact)));
}

/** What an item looked like on the other side, and whether that is certain without knowing the connection. */
function sentItem(rule: EachRule, scope: Scope, run: AbsorbRun): { raw: Json | undefined; certain: boolean } {
  const blind = blindly(run);
  const raw = projectItem(rule, scope, blind);
  return { raw, certain: raw !== undefined && !blind.unknown };
}

/** True for the id of an item that the record has and does not send. */
function isHeldBack(id: string, items: readonly Json[], sent: readonly { raw: Json | undefined }[]): boolean {
  const index = items.findIndex((item) => isObject(item) && item.id === id);
  return index >= 0 && sent[index]?.raw === undefined;
}

function isSame(rule: EachRule, ours: Keyed, theirs: Keyed): boolean {
  return ours.key === theirs.key || (lacksId(rule, theirs.value) && sameJson(ours.fact, theirs.fact));
}

/**
 * An item of which resources of their own speak too stays when it leaves this list: without what is said here alone, or whole where it would be said
 * here all the same.
 */
function unsaid(rule: EachRule, scope: Scope, draft: Draft, run: AbsorbRun): Json {
  const { item, pointer } = scope;
  const below: Draft = { record: { ...draft.record }, item: cloneJson(item), outer: draft, pointer };
  rule.item.absorb(undefined, below, { ...run, issues: [] });
  const required = [...(rule.list.fields ?? [])].filter(([, field]) => field.required).map(([name]) => name);
  const kept = isObject(item) ? Object.entries(item).filter(([name]) => required.includes(name)) : [];
  const left: Json = isObject(below.item) ? { ...below.item, ...Object.fromEntries(kept) } : item;
  const blind = blindly(run);
  if (
    projectItem(rule, { record: draft.record, item: left, outer: draft, pointer }, blind) === undefined &&
    !blind.unknown
  )
    return left;
  addIssue(
    run,
    'left-out',
    'The other side has taken out here what the record says elsewhere too; it stands.',
    rule.at,
  );
  return item;
}

/** True when the record's item already says what the other side's says. */
function holds(rule: EachRule, theirs: Keyed, item: Json, draft: Draft, run: AbsorbRun): boolean {
  const issues: AbsorbRun['issues'] = [];
  return sameJson(absorbItem(rule, theirs, item, draft, { ...run, issues }), item) && issues.length === 0;
}

/** The record's item as the other side has it; with an issue, where it cannot be one, as it was: undefined for a new one. */
function absorbItem(
  rule: EachRule,
  theirs: Keyed,
  existing: Json | undefined,
  draft: Draft,
  run: AbsorbRun,
): Json | undefined {
  const item = existing === undefined ? newItem(rule, theirs) : cloneJson(existing);
  const below: Draft = { record: draft.record, item, outer: draft, pointer: draft.pointer };
  const told = run.issues.length;
  rule.item.absorb(theirs.value, below, run);
  const made = below.item;
  if (existing === undefined && rule.fixed.size === 0 && isObject(made) && sameJson(made, newItem(rule, theirs))) {
    if (run.issues.length === told) {
      addIssue(run, 'left-out', 'An item of the other side says nothing that the record has a place for.', rule.at);
    }
    return undefined;
  }
  const missing = [...(rule.list.fields ?? [])].find(
    ([name, field]) => field.required && isObject(made) && made[name] === undefined,
  );
  if (missing) {
    addIssue(run, 'required-field', `An item of the other side lacks what the record calls ${missing[0]}.`, rule.at);
    return existing;
  }
  return made === null ? undefined : made;
}

function newItem(rule: EachRule, { key, fact }: Keyed): Json {
  if (rule.list.kind !== 'object') {
    return null;
  }
  const id = /^(?!\.+$)[A-Za-z0-9._-]{1,64}$/.test(key) ? key : keyWithoutId(fact);
  return { ...(rule.by === 'id' && { id }), ...Object.fromEntries(rule.fixed) };
}
