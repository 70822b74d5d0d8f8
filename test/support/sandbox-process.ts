// The process behind `worker-sandbox.ts`: tells its addresses in one line, and ends with its standard input.

import { startSandbox } from '../../src/sandbox/sandbox.ts';

const { url, fhirBases } = await startSandbox({ port: 0 });
process.stdout.write(`${JSON.stringify({ url, fhirBases })}\n`);
process.stdin.on('end', () => process.exit(0));
process.stdin.resume();
