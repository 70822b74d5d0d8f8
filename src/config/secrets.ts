// Secrets stand outside the configuration file: `env:NAME` or `file:PATH`, nothing else. Errors name the setting and the
// place, never what was found there.

import { readFile, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { errorCode } from '../error-code.ts';

export type Resolved = { readonly value: string; readonly warning?: string } | { readonly problem: string };

/** Where `env:` and `file:` references look. */
export interface SecretPlaces {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Folder that relative paths count from. */
  readonly folder: string;
}

/** True for text of the form `env:NAME` or `file:PATH`. */
export function isReference(text: string): boolean {
  return text.startsWith('env:') || text.startsWith('file:');
}

/** The value that a reference points at, without the line break at its end; or what is wrong, as the end of a sentence. */
export async function resolveReference(reference: string, places: SecretPlaces): Promise<Resolved> {
  if (reference.startsWith('env:')) return fromEnvironment(reference.slice('env:'.length), places.env);
  if (reference.startsWith('file:')) return fromFile(resolve(places.folder, reference.slice('file:'.length)));
  return { problem: 'is a secret in clear text. Write env:NAME or file:PATH instead, and change the secret' };
}

function fromEnvironment(name: string, env: SecretPlaces['env']): Resolved {
  const value = env[name];
  if (value === undefined) return { problem: `needs the environment variable ${name}, which is not set` };
  if (value === '') return { problem: `needs the environment variable ${name}, which is empty` };
  return { value };
}

async function fromFile(path: string): Promise<Resolved> {
  try {
    const value = (await readFile(path, 'utf8')).replace(/\r?\n$/, '');
    if (value === '') return { problem: `needs the file ${path}, which is empty` };
    const { mode } = await stat(path);
    const open = process.platform !== 'win32' && (mode & 0o077) !== 0;
    return open
      ? { value, warning: `${path} can be read by others on this machine. Set its mode to 0600.` }
      : { value };
  } catch (error) {
    const code = errorCode(error) ?? 'unreadable';
    return { problem: `needs the file ${path}, which could not be read (${code})` };
  }
}
