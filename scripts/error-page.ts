// The page of error codes as it must be: one row per code, in order.

import { type ErrorKind, errorKinds } from '../src/errors.ts';

const classes: Record<ErrorKind['class'], string> = {
  permanent: 'rests until the record or the mapping is mended',
  retry: 'tried again by itself',
  denied: 'rests until the server allows it',
  config: 'rests until the configuration is mended',
  person: 'a person decides, or nothing is wrong',
};

/** The text of docs/errors.md. */
export function errorPage(): string {
  const rows = Object.entries<ErrorKind>(errorKinds)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(
      ([code, { text, status, issue, class: kind }]) =>
        `| \`${code}\` | ${cell(text)} | ${status} | ${issue} | ${kind} |`,
    );
  return [
    '# Error codes',
    '',
    'Made from `src/errors.ts` by `node scripts/make-error-page.ts`. Every problem answer, lane reason and log line carries one of these codes.',
    'A text never holds record content: names in braces are filled with ids, counts and kinds.',
    '',
    ...Object.entries(classes).map(([name, meaning]) => `- **${name}**: ${meaning}.`),
    '',
    '| code | text | HTTP | FHIR issue | class |',
    '|---|---|---|---|---|',
    ...rows,
    '',
  ].join('\n');
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}
