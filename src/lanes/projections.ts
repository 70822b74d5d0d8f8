// Projecting and validating a record costs more than all else that a load does, and a run loads several times. What a record was projected to
// stands as long as its version, its mapping and every answer that the mapping got on the way are the same.

import { isDeepStrictEqual } from 'node:util';
import type { Json } from '../json.ts';
import type { Desired, Mapping, ProjectContext } from '../mapping/mapping.ts';
import type { RecordRow } from './known.ts';

interface Kept {
  readonly mapping: Mapping;
  readonly version: number;
  readonly answers: ReadonlyMap<string, Answer>;
  readonly desired: Desired[];
}

interface Answer {
  readonly given: Json | undefined;
  readonly ask: (context: ProjectContext) => Json | undefined;
}

export class Projections {
  readonly #kept = new Map<string, Kept>();

  /** What `mapping.project` gives for this record in this context. */
  project(mapping: Mapping, { type, id, version, content }: RecordRow, context: ProjectContext): Desired[] {
    const key = `${type}/${id}`;
    const kept = this.#kept.get(key);
    if (kept?.mapping === mapping && kept.version === version && stillHold(kept.answers, context)) return kept.desired;
    const answers = new Map<string, Answer>();
    const desired = mapping.project(content, noting(context, answers));
    this.#kept.set(key, { mapping, version, answers, desired });
    return desired;
  }
}

/** Every question is asked again, so that the context notes what is missing as if the record were projected. */
function stillHold(answers: ReadonlyMap<string, Answer>, context: ProjectContext): boolean {
  let holds = true;
  for (const { given, ask } of answers.values()) holds = isDeepStrictEqual(ask(context), given) && holds;
  return holds;
}

function noting(context: ProjectContext, answers: Map<string, Answer>): ProjectContext {
  const note = (question: string, ask: Answer['ask']): void => {
    if (!answers.has(question)) answers.set(question, { given: ask(context), ask });
  };
  return {
    ...context,
    record(type, id) {
      note(`record ${type}/${id}`, (asked) => asked.record(type, id));
      return context.record(type, id);
    },
    reference(target) {
      note(`reference ${target.type}/${target.id}#${target.slot}`, (asked) => asked.reference(target));
      return context.reference(target);
    },
  };
}
