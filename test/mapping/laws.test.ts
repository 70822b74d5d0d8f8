// The laws of a two-way mapping hold for every type that is shipped: on 20 arbitrary records of each in a plain run, on 60 with
// CASEBRIDGE_TEST_COUNTS=full.

import { describe } from '@jest/globals';
import { recordTypes } from '../../src/records/records.ts';
import { atCounts } from '../support/counts.ts';
import { mappings } from './fixtures.ts';
import { testLaws } from './laws.ts';

describe.each(recordTypes)('the mapping of %s', (type) => testLaws(mappings, type, atCounts({ plain: 12, full: 60 })));
