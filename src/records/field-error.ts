// The shape of every refusal of a record, and its words. An error says where, which rule and what kind was found; never the value.

/** One reason why a record is refused. */
export interface FieldError {
  /** JSON pointer (RFC 6901); empty for the record itself. */
  pointer: string;
  /** The rule that was broken, kebab-case. */
  rule: string;
  /** The kind that was found: `text of 12 characters`, `list of 3`, `missing`. */
  found: string;
  /** A sentence: what is wrong, where, what to do. */
  message: string;
}

/** What kind of value this is, in words that tell nothing of its content. */
export function kindOf(value: unknown): string {
  if (value === undefined) return 'missing';
  if (value === null) return 'null';
  if (Array.isArray(value)) return `list of ${value.length}`;
  switch (typeof value) {
    case 'string':
      return value === '' ? 'empty text' : `text of ${value.length} character${value.length === 1 ? '' : 's'}`;
    case 'number':
      return Number.isInteger(value) ? 'whole number' : 'number';
    case 'boolean':
      return 'boolean';
    case 'object': {
      const fields = Object.keys(value).length;
      return `object with ${fields} field${fields === 1 ? '' : 's'}`;
    }
    default:
      return typeof value;
  }
}

const safeName = /^[A-Za-z0-9_-]+$/;

/** A field's name for an error, cut at 60 characters, or undefined where it could hold more than a name. */
export function shownName(name: string): string | undefined {
  return safeName.test(name) ? name.slice(0, 60) : undefined;
}

const safeStep = /^[A-Za-z0-9_/-]+$/;

/** A pointer for an error: it ends before the first name that may not be shown. Names with slashes are pointers themselves (`missing`). */
export function shownPointer(names: readonly (string | number)[]): string {
  let pointer = '';
  for (const name of names) {
    const step = String(name);
    if (!safeStep.test(step)) return pointer;
    pointer += `/${step.slice(0, 60).replaceAll('/', '~1')}`;
  }
  return pointer;
}

/** How a message names a place. */
export function place(pointer: string): string {
  return pointer === '' ? 'The record' : pointer;
}
