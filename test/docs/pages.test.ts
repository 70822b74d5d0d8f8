// The pages hold together: every link leads somewhere, every call is answered, and every question that may be asked is explained.

import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, test } from '@jest/globals';
import { routes } from '../../src/http/routes.ts';

const root = join(import.meta.dirname, '..', '..');
const names = (await readdir(join(root, 'docs'), { recursive: true })).filter((name) => name.endsWith('.md'));
const pages = ['README.md', 'CHANGELOG.md', ...names.map((name) => join('docs', name))];
const read = (page: string) => readFile(join(root, page), 'utf8');

/** The anchors that a Markdown page gives its headings, as GitHub makes them. */
async function anchorsOf(page: string): Promise<string[]> {
  const headings = (await read(page)).matchAll(/^#+ (.+)$/gm);
  return [...headings].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\w\- ]/g, '')
      .replaceAll(' ', '-'),
  );
}

test.each(pages)('every link of %s leads to a file and a heading that are there', async (page) => {
  const links = (await read(page)).matchAll(/\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)/g);
  const broken: string[] = [];
  for (const [link, path = '', anchor] of links) {
    const target = path === '' ? page : join(dirname(page), path);
    const isThere =
      existsSync(join(root, target)) && (anchor === undefined || (await anchorsOf(target)).includes(anchor));
    if (!isThere) broken.push(link);
  }
  expect(broken).toEqual([]);
});

test.each(['docs/operating.md', 'docs/production.md'])('every address that %s names is answered', async (page) => {
  const named = [...(await read(page)).matchAll(/\/(?:api|health)\/[a-z{}/-]*[a-z}](?![a-z{}/-])/g)].map(
    ([path]) => path,
  );
  const answered = routes.map(({ path }) => path);
  expect(named.length).toBeGreaterThan(4);
  expect(named.filter((path) => !answered.includes(path))).toEqual([]);
});

test('every kind of decision has a heading of its own, and each choice that can be offered is told', async () => {
  const page = await read('docs/operating.md');
  const files = (await readdir(join(root, 'src', 'lanes'), { recursive: true })).filter((name) => name.endsWith('.ts'));
  const sources = await Promise.all(files.map((name) => read(join('src', 'lanes', name))));
  const [, union = ''] = /readonly kind:\n([^;]*);/.exec(await read('src/lanes/decisions/decisions.ts')) ?? [];
  const kinds = [...union.matchAll(/'([a-z-]+)'/g)].map(([, kind = '']) => kind);
  expect(kinds).toContain('patient-match');
  expect(kinds.filter((kind) => !page.includes(`\n### \`${kind}\`\n`))).toEqual([]);
  const choices = sources.flatMap((text) =>
    [...text.matchAll(/\bchoose: (?:'([a-z-]+)'|`link:)/g)].map(([, choice]) => choice ?? 'link:<id>'),
  );
  // A refused proposal of a referral is decided by its source with this one; nobody is offered it.
  const offered = new Set(choices.filter((choice) => choice !== 'decline'));
  expect(offered.size).toBeGreaterThan(10);
  expect([...offered].filter((choice) => !page.includes(`\`${choice}\``))).toEqual([]);
});
