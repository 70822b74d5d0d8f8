// Which rules of a slot can make something of a record. Records lack most of what they could say, and asking for a field that is not there
// costs more than reading one; records of one source come with few different sets of fields, so the answer for one is kept for the next.

import type { JsonObject } from '../json.ts';

/** A rule and the fields of the record of which one must be there for it to speak; absent: it may speak anyway. */
export interface Speaker {
  readonly fields?: readonly string[] | undefined;
}

/** A way through the names of a record's fields, in the order in which they stand there. */
interface Shape<Answer> {
  readonly next: Map<string, Shape<Answer>>;
  answer?: Answer;
}

/** Shapes that are kept. A hostile source could send as many as it likes. */
const mostShapes = 1000;

/** For a record, what `answer` makes of those of the speakers, in order, that can make something of it. */
export function bySpeakers<One extends Speaker, Answer>(
  speakers: readonly One[],
  answer: (speaking: readonly One[]) => Answer,
): (record: JsonObject) => Answer {
  let first: Shape<Answer> = { next: new Map() };
  let shapes = 0;
  const grown = (shape: Shape<Answer>, name: string): Shape<Answer> => {
    const next: Shape<Answer> = { next: new Map() };
    shape.next.set(name, next);
    shapes += 1;
    return next;
  };
  return (record) => {
    if (shapes > mostShapes) {
      first = { next: new Map() };
      shapes = 0;
    }
    let shape = first;
    for (const name in record) shape = shape.next.get(name) ?? grown(shape, name);
    shape.answer ??= answer(
      speakers.filter(({ fields }) => fields === undefined || fields.some((field) => Object.hasOwn(record, field))),
    );
    return shape.answer;
  };
}
