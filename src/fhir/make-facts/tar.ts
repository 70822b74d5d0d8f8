// Reads a guide package: a gzipped tar file (POSIX ustar, with pax and GNU long names), https://hl7.org/fhir/packages.html.
// Packages come from anywhere, so every size is bounded and nothing but plain files below one folder is taken. Nothing is ever unpacked to disk.

import { gunzipSync } from 'node:zlib';
import { errorCode } from '../../error-code.ts';

/** Why bytes are no package; the message says it in half a sentence. */
export class NoPackage extends Error {}

const block = 512;

/** Bytes and files that an archive may unpack to. The largest published guides stay below a third of either. */
export interface ArchiveLimits {
  readonly bytes: number;
  readonly files: number;
}

const defaultLimits: ArchiveLimits = { bytes: 512 * 1024 * 1024, files: 50_000 };

/** Data about the files that follow, which we do not need: pax globals, GNU long link names. */
const skipped = ['g', 'K'];
const folder = '5';

/**
 * The files of a .tgz by name, in the order of the archive.
 * @throws NoPackage for what is no archive, is cut off, holds links or names outside its folder, or unpacks to too much
 */
export function readTgz(bytes: Uint8Array, limits: ArchiveLimits = defaultLimits): Map<string, Buffer> {
  const tar = unzip(bytes, limits);
  const files = new Map<string, Buffer>();
  let longName: string | undefined;

  for (let at = 0; at + block <= tar.length && tar[at] !== 0; ) {
    const header = tar.subarray(at, at + block);
    checkHeader(header);
    const size = sizeOf(header);
    if (at + block + size > tar.length) refuse('the archive is cut off');
    const body = tar.subarray(at + block, at + block + size);
    const kind = String.fromCharCode(header[156] ?? 0);

    if (kind === 'x') {
      longName = paxPath(body) ?? longName;
    } else if (kind === 'L') {
      longName = text(body, 0, size);
    } else if (!skipped.includes(kind)) {
      const name = longName ?? headerName(header);
      checkName(name, kind);
      if (kind !== folder) files.set(name, body);
      if (files.size > limits.files) refuse(`it holds more than ${limits.files} files`);
      longName = undefined;
    }
    at += block + Math.ceil(size / block) * block;
  }
  return files;
}

function unzip(bytes: Uint8Array, limits: ArchiveLimits): Buffer {
  try {
    return gunzipSync(bytes, { maxOutputLength: limits.bytes });
  } catch (error) {
    const code = errorCode(error);
    if (code === 'ERR_BUFFER_TOO_LARGE') return refuse(`it unpacks to more than ${limits.bytes} bytes`);
    if (code === 'Z_BUF_ERROR') return refuse('the archive is cut off');
    if (code?.startsWith('Z_') === true) return refuse('it is not compressed with gzip, or it is damaged');
    throw error;
  }
}

/** The sum over the header, with its own field taken as spaces, stands in the header. */
function checkHeader(header: Buffer): void {
  const sum = header.reduce((total, byte, at) => total + (at >= 148 && at < 156 ? 0x20 : byte), 0);
  if (Number.parseInt(text(header, 148, 8), 8) !== sum) refuse('it holds no tar archive, or the archive is damaged');
}

function sizeOf(header: Buffer): number {
  const field = text(header, 124, 12);
  return /^[0-7]+$/.test(field) ? Number.parseInt(field, 8) : refuse('the archive gives a size that is no number');
}

function checkName(name: string, kind: string): void {
  if (!['0', '\0', folder].includes(kind)) refuse('it holds a link or a device, which no guide needs');
  if (/^[/\\]|^[A-Za-z]:|\0/.test(name) || name.split(/[/\\]/).includes('..'))
    refuse('it holds a name that leads out of its folder');
}

function headerName(header: Buffer): string {
  const prefix = text(header, 345, 155);
  const name = text(header, 0, 100);
  return prefix ? `${prefix}/${name}` : name;
}

/** The value of `path` among pax records, each `<length> <key>=<value>\n`. */
function paxPath(body: Buffer): string | undefined {
  return /^\d+ path=(.*)$/m.exec(body.toString('utf8'))?.[1];
}

function text(bytes: Buffer, start: number, length: number): string {
  const field = bytes.subarray(start, start + length);
  const end = field.indexOf(0);
  return field.toString('utf8', 0, end < 0 ? field.length : end).trim();
}

function refuse(problem: string): never {
  throw new NoPackage(problem);
}
