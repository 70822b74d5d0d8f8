// Whether an answer repeats a value that was refused: a text anywhere, a number as one of its own.

import type { Json } from '../../src/json.ts';
import { mark } from './broken-values.ts';

export function repeats(answer: unknown, value: Json): boolean {
  const text = JSON.stringify(answer);
  const shown = typeof value === 'string' || typeof value === 'number' ? String(value) : '';
  return text.includes(mark) || (shown.length > 3 && text.includes(shown));
}
