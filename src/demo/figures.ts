import type { Stage } from './stage.ts';
import { connectionName } from './stage.ts';

/** What happened on one connection. */
export interface ConnectionFigures {
  /** Resources that the gateway made, by the server's journal. */
  readonly created: number;
  /** Versions that it added to them. */
  readonly updated: number;
  /** Documents among what it made. */
  readonly documents: number;
  /** Lanes that need mending. */
  readonly parked: number;
  /** Open decisions. */
  readonly decisions: number;
}

/** Counts in the server's journal and at the gateway's interface. */
export async function figuresOf({ exchange, gateway }: Stage): Promise<ConnectionFigures> {
  const writes = (await exchange.journal()).filter(({ isGateway }) => isGateway).flatMap((entry) => entry.writes);
  const lanes = await gateway.lanes();
  const decisions = await gateway.decisions();
  return {
    created: writes.filter(({ kind }) => kind === 'create').length,
    updated: writes.filter(({ kind }) => kind === 'update').length,
    documents: writes.filter(({ kind, resourceType }) => kind === 'create' && resourceType === 'DocumentReference')
      .length,
    parked: lanes.filter(({ state, connection }) => state === 'parked' && connection === connectionName).length,
    decisions: decisions.filter(({ connection }) => connection === connectionName).length,
  };
}
