// Reads a guide package: a gzipped tar file (POSIX ustar, with pax and GNU long names), https://hl7.org/fhir/packages.html.

import { gunzipSync } from 'node:zlib';

const block = 512;

/** The files of a .tgz by name, in the order of the archive. */
export function readTgz(bytes: Uint8Array): Map<string, Buffer> {
  const tar = gunzipSync(bytes);
  const files = new Map<string, Buffer>();
  let longName: string | undefined;

  for (let at = 0; at + block <= tar.length && tar[at] !== 0; ) {
    const header = tar.subarray(at, at + block);
    const size = Number.parseInt(text(header, 124, 12), 8);
    const body = tar.subarray(at + block, at + block + size);
    const kind = String.fromCharCode(header[156] ?? 0);

    if (kind === 'x') {
      longName = paxPath(body);
    } else if (kind === 'L') {
      longName = text(body, 0, size);
    } else {
      if (kind === '0' || kind === '\0') {
        files.set(longName ?? headerName(header), body);
      }
      longName = undefined;
    }
    at += block + Math.ceil(size / block) * block;
  }
  return files;
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
