import type { Gateway } from './gateway.ts';
import type { Server } from './server.ts';

/** What happened on one connection. */
export interface ConnectionFigures {
  /** Resources that the gateway made, by the server's journal; documents and Provenance, which tells of the others, are not among them. */
  readonly created: number;
  /** Versions that it added to them, documents left out as well. */
  readonly updated: number;
  /** Editions of documents that it filed, as a document of their own or as a version of the one before. They are counted here alone. */
  readonly documents: number;
  /** Lanes that need mending. */
  readonly parked: number;
  /** Open decisions. */
  readonly decisions: number;
}

/** Counts in the server's journal and at the gateway's interface. */
export async function figuresOf(server: Server, gateway: Gateway): Promise<ConnectionFigures> {
  const { connection } = server.place;
  const writes = (await server.journal()).filter(({ isGateway }) => isGateway).flatMap((entry) => entry.writes);
  const documents = writes.filter(({ resourceType }) => resourceType === 'DocumentReference');
  const others = writes.filter(
    ({ resourceType }) => !['DocumentReference', 'Provenance'].includes(String(resourceType)),
  );
  return {
    created: others.filter(({ kind }) => kind === 'create').length,
    updated: others.filter(({ kind }) => kind === 'update').length,
    documents: documents.length,
    parked: (await gateway.lanes()).filter((lane) => lane.state === 'parked' && lane.connection === connection).length,
    decisions: (await gateway.decisions()).filter((decision) => decision.connection === connection).length,
  };
}
