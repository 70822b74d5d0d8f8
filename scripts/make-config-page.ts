// Writes docs/configuration.md from the schema of casebridge.yaml. A test holds the page to it.

import { writeFile } from 'node:fs/promises';
import { configPage } from './config-page.ts';

await writeFile(new URL('../docs/configuration.md', import.meta.url), configPage());
