// The one style sheet, under a name that changes with it.

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

export const css = readFileSync(new URL('./style.css', import.meta.url), 'utf8');

export const cssName = `style-${createHash('sha256').update(css).digest('hex').slice(0, 12)}.css`;
