// Which quirk has a test on which side, told by the titles in the test files. The server's side is what tests of the simulated servers show; the client's
// is every other test.

import type { Quirk } from './quirks.ts';

export interface TestFile {
  /** From the project's folder, with slashes: `test/sandbox/epic/search.test.ts`. */
  readonly path: string;
  readonly text: string;
}

export interface Coverage {
  readonly quirk: Quirk;
  readonly server: number;
  readonly client: number;
  /** Sides on which a test is asked for and missing. */
  readonly lacks: readonly ('server' | 'client')[];
}

/** Tests are counted as they are written: a table of rows is one. Skipped ones do not count. */
export function quirkCoverage(quirks: readonly Quirk[], files: readonly TestFile[]): Coverage[] {
  const found = files.flatMap(({ path, text }) => {
    const isServer = /^test\/sandbox\/(epic|oracle)\//.test(path);
    return idsIn(text).map((id) => ({ id, isServer }));
  });
  return quirks.map((quirk) => {
    const own = found.filter(({ id }) => id === quirk.id);
    const server = own.filter(({ isServer }) => isServer).length;
    const client = own.length - server;
    const lacks = [
      ...(server === 0 ? (['server'] as const) : []),
      ...(client === 0 && quirk.clientExempt === undefined ? (['client'] as const) : []),
    ];
    return { quirk, server, client, lacks };
  });
}

/** One line for each quirk and one for the whole. */
export function coverageLines(coverage: readonly Coverage[]): string[] {
  const lines = coverage.map(({ quirk, server, client, lacks }) => {
    const counts = `server ${String(server).padStart(2)}  client ${String(client).padStart(2)}`;
    const exempt = quirk.clientExempt === undefined ? '' : `  no client test asked: ${quirk.clientExempt}`;
    const missing = lacks.length === 0 ? '' : `  LACKS ${lacks.join(' and ')}`;
    return `${quirk.id.padEnd(4)} ${quirk.name.padEnd(50)} ${counts}${missing}${exempt}`;
  });
  const lacking = (side: 'server' | 'client') =>
    coverage.filter(({ lacks }) => lacks.includes(side)).map(({ quirk }) => quirk.id);
  const sentence = (side: 'server' | 'client') => {
    const ids = lacking(side);
    return `${side}: ${ids.length === 0 ? 'none lacks a test' : `${ids.length} lack a test: ${ids.join(' ')}`}`;
  };
  return [...lines, '', `${coverage.length} quirks; ${sentence('server')}; ${sentence('client')}`];
}

/** Ids at the beginning of the titles; several are parted by commas or `and`. */
function idsIn(text: string): string[] {
  const titles = text.matchAll(/(?:\b(?:test|it)\(|\)\()\s*['"`]((?:[EC]\d{1,2}\b(?:,? and |, | )?)+)/g);
  return [...titles].flatMap(([, ids = '']) => ids.match(/[EC]\d{1,2}/g) ?? []);
}
