// Says which quirk of which vendor has a test on the server's and on the client's side. Exit 1 when one that should have it lacks it.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { coverageLines, quirkCoverage } from './quirk-coverage.ts';
import { quirks } from './quirks.ts';

const root = join(import.meta.dirname, '..');
const files = readdirSync(join(root, 'test'), { recursive: true, encoding: 'utf8' })
  .map((path) => `test/${path.replaceAll('\\', '/')}`)
  .filter((path) => path.endsWith('.test.ts'))
  .map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }));

const coverage = quirkCoverage(quirks, files);
process.stdout.write(`${coverageLines(coverage).join('\n')}\n`);
if (coverage.some(({ lacks }) => lacks.length > 0)) process.exitCode = 1;
