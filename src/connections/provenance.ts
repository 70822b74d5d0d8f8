// Whether Provenance goes to a server (US Core Provenance). It has no identifier, so it is sent only where nothing can double it or leave it
// alone: in one transaction with the writes that it tells of, found again by a tag.

import type { Capabilities } from './capabilities.ts';
import { allowedActions } from './scopes.ts';
import { isOffered, type Vendor } from './vendors/vendor.ts';

export interface ProvenanceAbility {
  readonly sent: boolean;
  /** One line for people: when it is sent, or why it is not. */
  readonly why: string;
}

/** @param granted scopes of the token; undefined: this auth knows none */
export function provenanceAbility(
  { transaction, interactions, conditionalCreate, searchParams }: Capabilities,
  vendor: Pick<Vendor, 'transaction' | 'create'>,
  granted: readonly string[] | undefined,
): ProvenanceAbility {
  if (!transaction || !isOffered(vendor.transaction)) {
    return none('it would have to go in one transaction with the writes that it tells of, and the server takes none.');
  }
  if (interactions.Provenance?.includes('create') !== true) {
    return none('the server does not declare that it creates Provenance.');
  }
  if (conditionalCreate.Provenance !== true || !isOffered(vendor.create.conditional)) {
    return none('the server does not declare conditional create of Provenance.');
  }
  if (searchParams.Provenance?.includes('_tag') !== true) {
    return none('the server does not declare that it searches Provenance by _tag.');
  }
  const allowed = granted && allowedActions(granted, 'Provenance');
  if (allowed !== undefined && !(allowed.has('create') && allowed.has('search'))) {
    return none('the token does not grant system/Provenance.cs.');
  }
  return { sent: true, why: 'Provenance goes with each transaction; what goes as a single request has none.' };
}

function none(why: string): ProvenanceAbility {
  return { sent: false, why: `No Provenance: ${why}` };
}
