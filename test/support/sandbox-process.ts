// The process behind `worker-sandbox.ts`: tells its addresses in one line, and ends with its standard input. Its argument is the file that tells
// of it, which goes with it.

import { rmSync } from 'node:fs';
import { startSandbox } from '../../src/sandbox/sandbox.ts';

const [place] = process.argv.slice(2);
const { url, fhirBases } = await startSandbox({ port: 0 });
process.stdout.write(`${JSON.stringify({ url, fhirBases })}\n`);
process.stdin.on('end', () => {
  if (place !== undefined) rmSync(place, { force: true });
  process.exit(0);
});
process.stdin.resume();
