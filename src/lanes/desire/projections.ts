// Projecting and validating a record costs more than all else that a load does, a run loads several times, and most records of a lane are the same at
// its next run. What a record was projected to stands as long as the record, its mapping and every answer that the mapping got on the way are the
// same.

import { isDeepStrictEqual } from 'node:util';
import { canonicalJson } from '../../fhir/fhir.ts';
import type { Json, JsonObject } from '../../json.ts';
import type { Desired, Mapping, ProjectContext, SlotRef } from '../../mapping/mapping.ts';
import type { RecordType } from '../../records/records.ts';
import type { RecordRow } from './known.ts';

interface Kept {
  readonly mapping: Mapping;
  readonly content: JsonObject;
  readonly setting: Setting;
  readonly answers: ReadonlyMap<string, Answer>;
  readonly desired: Desired[];
}

/** What of a context is no question. */
type Setting = Pick<ProjectContext, 'source' | 'identifierSystem' | 'identifierSystems'>;

interface Answer {
  readonly given: Json | undefined;
  readonly ask: Question;
}

type Question = (context: ProjectContext) => Json | undefined;

export class Projections {
  readonly #kept = new Map<string, Kept>();

  /** What `mapping.project` gives for this record in this context. */
  project(mapping: Mapping, { type, id, content }: RecordRow, context: ProjectContext): Desired[] {
    const key = `${type}/${id}`;
    const kept = this.#kept.get(key);
    if (kept?.mapping === mapping && isSame(kept, content, context)) return kept.desired;
    const answers = new Map<string, Answer>();
    const noting = notingContext(context, answers);
    const desired = mapping.project(content, noting.context);
    noting.end();
    const { source, identifierSystem, identifierSystems } = context;
    const setting = { source, identifierSystem, identifierSystems };
    this.#kept.set(key, { mapping, content, setting, answers, desired });
    return desired;
  }
}

function isSame({ content: before, setting, answers }: Kept, content: JsonObject, context: ProjectContext): boolean {
  return (
    isDeepStrictEqual(before, content) &&
    setting.source === context.source &&
    setting.identifierSystem === context.identifierSystem &&
    isDeepStrictEqual(setting.identifierSystems, context.identifierSystems) &&
    stillHold(answers, context)
  );
}

/** Every question is asked again, so that the context notes what is missing as if the record were projected. */
function stillHold(answers: ReadonlyMap<string, Answer>, context: ProjectContext): boolean {
  let holds = true;
  for (const { given, ask } of answers.values()) holds = isDeepStrictEqual(ask(context), given) && holds;
  return holds;
}

/** The context, with what is asked of it noted until the end. What was projected may outlive it and must not keep all that the run has read. */
function notingContext(
  given: ProjectContext,
  answers: Map<string, Answer>,
): { readonly context: ProjectContext; readonly end: () => void } {
  let asked: ProjectContext | undefined = given;
  const answer = (question: string, ask: Question): void => {
    if (asked !== undefined && !answers.has(question)) answers.set(question, { given: ask(asked), ask });
  };
  return {
    context: {
      source: given.source,
      identifierSystem: given.identifierSystem,
      identifierSystems: given.identifierSystems,
      record(type, id) {
        answer(`record ${type}/${id}`, recordQuestion(type, id));
        return asked?.record(type, id);
      },
      reference(target) {
        answer(`reference ${target.type}/${target.id}#${target.slot}`, referenceQuestion(target));
        return asked?.reference(target);
      },
      isTold(recipient) {
        const ask: Question = (context) => context.isTold?.(recipient) !== false;
        answer(`told ${canonicalJson(recipient)}`, ask);
        return asked === undefined || ask(asked) === true;
      },
    },
    end: () => {
      asked = undefined;
    },
  };
}

function recordQuestion(type: RecordType, id: string): Question {
  return (context) => context.record(type, id);
}

function referenceQuestion(target: SlotRef): Question {
  return (context) => context.reference(target);
}
