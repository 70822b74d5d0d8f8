// The laws of a two-way mapping hold for every type that is shipped.

import { describe } from '@jest/globals';
import { recordTypes } from '../../src/records/records.ts';
import { mappings } from './fixtures.ts';
import { testLaws } from './laws.ts';

describe.each(recordTypes)('the mapping of %s', (type) => testLaws(mappings, type));
