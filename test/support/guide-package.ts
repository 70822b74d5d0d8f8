// Guide packages made for a test: a gzipped tar file of JSON files.

import { gzipSync } from 'node:zlib';
import type { PackageFile } from '../../src/fhir/fhir.ts';

/** The package; its second file stands under its name in a pax header, as long names do. */
export function aPackage(files: Readonly<Record<string, object>>): PackageFile {
  const entries = Object.entries(files).flatMap(([name, content], at) => {
    const body = Buffer.from(JSON.stringify(content));
    const record = ` path=${name}\n`;
    const pax = Buffer.from(`${record.length + 2}${record}`);
    return at === 1 ? [tarEntry('x', pax, 'pax'), tarEntry('short-name', body)] : [tarEntry(name, body)];
  });
  return { name: 'package.tgz', bytes: tgz(entries) };
}

export function tgz(entries: readonly Buffer[]): Buffer {
  return gzipSync(Buffer.concat([...entries, Buffer.alloc(1024)]));
}

/** The letters by which tar tells kinds of entries apart. */
const kinds = { file: '0', hardLink: '1', symbolicLink: '2', device: '3', pax: 'x' } as const;

export function tarEntry(path: string, body: Buffer, kind: keyof typeof kinds = 'file'): Buffer {
  const header = Buffer.alloc(512);
  header.write(path, 0);
  header.write(body.length.toString(8).padStart(11, '0'), 124);
  header.write(' '.repeat(8), 148);
  header.write(kinds[kind], 156);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return Buffer.concat([header, body, Buffer.alloc((512 - (body.length % 512)) % 512)]);
}
