import type { JsonObject } from '../../src/json.ts';
import type { Line } from '../caseload.ts';

declare const given_: unique symbol;
type Given = { readonly [given_]: true };

export const names: readonly string[];
export const steps: readonly ((given: Given) => JsonObject & { resourceType: string })[];
export function given(records: readonly Line[], made: Readonly<Record<string, string>>): Given;
