// What of an answer can be kept. No store takes a NUL, half a character or what is nested without end: what holds one of them is taken out before
// anybody reads the answer, so that a read, a search and a write all meet it here and nowhere else.

import { isObject, type Json, type JsonObject } from '../json.ts';
import { leftOut } from './entry-cutter.ts';

/** A resource that is not passed on, and why. */
export interface Unkept {
  /** In words, behind a colon. */
  readonly problem: string;
  /** Its type and id as shown: to compare, never to keep. */
  readonly named: JsonObject;
}

export interface Kept {
  readonly body?: JsonObject | undefined;
  readonly unkept?: Unkept;
}

const problems = {
  'odd-text': 'it holds characters that no text may hold',
  'too-deep': 'it is nested too deeply',
  'too-large': 'it is too large',
} as const;

type Problem = keyof typeof problems;

/** What stands in a page where an entry was left out, in words; it came from the server, or from ourselves. */
export function problemInWords(mark: Json): string {
  const known = Object.entries(problems).find(([problem]) => problem === mark);
  return known?.[1] ?? 'it is no JSON';
}

/** The body as it may be kept; of a Bundle, every entry by itself. What an OperationOutcome says is read and not kept. */
export function keepable(body: JsonObject | undefined): Kept {
  if (body === undefined || isOutcome(body)) return { body };
  if (body.resourceType === 'Bundle') {
    return { body: Array.isArray(body.entry) ? { ...body, entry: body.entry.map(keepableEntry) } : body };
  }
  const problem = problemOf(body);
  if (problem === undefined) return { body };
  const { resourceType, id } = body;
  const named = { ...(resourceType !== undefined && { resourceType }), ...(id !== undefined && { id }) };
  return { unkept: { problem: problems[problem], named } };
}

/** Without the parts that cannot be kept; an entry that has lost its resource says so, and keeps the id. */
function keepableEntry(entry: Json): Json {
  const problem = problemOf(entry);
  if (problem === undefined) return entry;
  if (!isObject(entry)) return { [leftOut]: problem };
  const parts = Object.entries(entry).filter(([, part]) => isOutcome(part) || problemOf(part) === undefined);
  const kept = Object.fromEntries(parts);
  if (entry.resource === undefined || kept.resource !== undefined) return kept;
  const id = isObject(entry.resource) ? entry.resource.id : undefined;
  return { ...kept, [leftOut]: problem, ...(typeof id === 'string' && problemOf(id) === undefined && { id }) };
}

function isOutcome(part: Json): boolean {
  return isObject(part) && part.resourceType === 'OperationOutcome';
}

const deepest = 64;

function problemOf(value: Json, depth = 0): Problem | undefined {
  if (typeof value === 'string') return value.includes('\0') || !value.isWellFormed() ? 'odd-text' : undefined;
  if (typeof value !== 'object' || value === null) return undefined;
  if (depth > deepest) return 'too-deep';
  const parts: readonly Json[] = Array.isArray(value) ? value : Object.entries(value).flat();
  for (const part of parts) {
    const problem = problemOf(part, depth + 1);
    if (problem !== undefined) return problem;
  }
  return undefined;
}
