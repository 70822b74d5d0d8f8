// What may be said of an unforeseen error: its kind, its code and where in our code it arose. Never its text, which may quote a record.

import { types } from 'node:util';
import { errorCode } from './error-code.ts';
import { CasebridgeError } from './errors.ts';

export interface FaultFacts {
  /** The error's class, or the code of one of ours. */
  readonly error: string;
  /** Of Node, zlib or PostgreSQL. */
  readonly code?: string;
  /** Only errors of ours have a text: theirs holds no content. */
  readonly text?: string;
  /** Lines of the stack. */
  readonly at?: readonly string[];
}

/** For the log. */
export function factsOf(error: unknown): FaultFacts {
  if (error instanceof CasebridgeError) return { error: error.code, text: error.message };
  const code = errorCode(error);
  return { error: kindOfError(error), ...(code !== undefined && { code }), at: framesOf(error) };
}

/** `TypeError`, or the type of what was thrown that is no error. */
export function kindOfError(error: unknown): string {
  return types.isNativeError(error) ? error.name : typeof error;
}

const mostFrames = 8;

/** The lines of the stack that name a place in a file; whatever the text of the error looks like, none of it is among them. */
export function framesOf(error: unknown): string[] {
  if (!types.isNativeError(error)) return [];
  const { stack = '', message } = error;
  const behind = stack.indexOf(message) + message.length;
  const lines = stack.slice(behind).split('\n');
  return lines
    .filter((line) => /^ {4}at .*:\d+:\d+\)?$/.test(line))
    .slice(0, mostFrames)
    .map((line) => line.trim());
}
