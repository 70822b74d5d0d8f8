import { readFile } from 'node:fs/promises';
import { expect, test } from '@jest/globals';
import { referralPage } from '../../scripts/referral-page.ts';

test('docs/referral-states.md says what src/referrals does (else run: node scripts/make-referral-page.ts)', async () => {
  expect(await readFile(new URL('../../docs/referral-states.md', import.meta.url), 'utf8')).toBe(referralPage());
});
