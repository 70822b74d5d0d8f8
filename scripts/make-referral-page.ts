// Writes docs/referral-states.md from src/referrals. A test holds the page to it.

import { writeFile } from 'node:fs/promises';
import { referralPage } from './referral-page.ts';

await writeFile(new URL('../docs/referral-states.md', import.meta.url), referralPage());
