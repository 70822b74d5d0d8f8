// The code by which Node, zlib and PostgreSQL tell their errors apart.

import { types } from 'node:util';

/** The file or folder that an error of the file system is about. */
export function errorPath(error: unknown): string | undefined {
  return types.isNativeError(error) && 'path' in error && typeof error.path === 'string' ? error.path : undefined;
}

/** `ENOENT`, `Z_DATA_ERROR`, `23505`, …; undefined where the error has none. */
export function errorCode(error: unknown): string | undefined {
  return types.isNativeError(error) && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
