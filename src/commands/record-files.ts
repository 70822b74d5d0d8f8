// Files of records, as `import` and `map` read them.

import { createReadStream } from 'node:fs';
import { access, constants, stat } from 'node:fs/promises';
import { errorCode } from '../error-code.ts';
import { CasebridgeError } from '../errors.ts';

/** Makes sure that all files can be read before work on the first begins. @throws CasebridgeError `file-unreadable` */
export async function checkReadable(files: readonly string[]): Promise<void> {
  for (const file of files) {
    const code = await access(file, constants.R_OK)
      .then(() => stat(file))
      .then((found) => (found.isDirectory() ? 'EISDIR' : undefined))
      .catch((error: unknown) => errorCode(error) ?? 'unknown');
    if (code !== undefined) throw new CasebridgeError('file-unreadable', { file, code });
  }
}

/** A file as a stream of bytes. */
export function bytesOf(file: string): AsyncIterable<Uint8Array> {
  return createReadStream(file);
}

/** Where a line of a file stands and what is wrong with it. */
export interface RefusedLine {
  readonly line?: number;
  /** Of a JSON array. */
  readonly element?: number;
  readonly type?: string;
  readonly id?: string;
  readonly messages: readonly string[];
}

/** A refused line, for people. */
export function refusedText(file: string, { line, element, type, id, messages }: RefusedLine): string {
  const place = `${file}:${line ?? '?'}${element === undefined ? '' : ` (item ${element})`}`;
  const what = [type, id].filter((part) => part !== undefined).join(' ');
  return `${place}: ${what}${what === '' ? '' : ': '}${messages.join(' ')}`;
}
