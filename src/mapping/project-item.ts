// One item of a record's list as it is sent (`each-lens.ts`).

import { isObject, type Json } from '../json.ts';
import type { ProjectRun } from './lens.ts';
import type { EachRule } from './list-items.ts';
import { listPointer, RecordScope, type Scope } from './scope.ts';

export function within(scope: Scope, item: Json, { path }: EachRule, index: number): Scope {
  return new RecordScope(scope.record, item, listPointer(scope, path), index, scope);
}

export function projectItem(rule: EachRule, scope: Scope, run: ProjectRun): Json | undefined {
  if (rule.where?.(scope, run.context) === false) return undefined;
  const value = rule.item.project(scope, run);
  if (rule.by !== 'id' || value === undefined) return value;
  const id = isObject(scope.item) ? scope.item.id : undefined;
  if (id === undefined || !isObject(value)) {
    return value;
  }
  if (run.trace !== undefined) {
    run.trace.enter('id');
    run.trace.note({ rule: rule.at, converter: 'copy', pointers: [`${scope.pointer}/id`], raw: id });
    run.trace.leave();
  }
  return { id, ...value };
}
