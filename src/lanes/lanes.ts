// Front door of lanes/: the sync core. A lane is one subject on one connection; running it brings the server to what the records want
// (lanes.md).

export { cachedCapabilities, readAbilities, slotsOf } from './abilities.ts';
export {
  activateMapping,
  activeMappings,
  activeVersion,
  checkIdentity,
  checkMapping,
  freeDeadLeases,
  keptIdentity,
  prepareConnection,
} from './activate.ts';
export { closeAlert, openAlert, reviewAlerts } from './alerts.ts';
export { lanesAtOnce } from './at-once.ts';
export { parkLane, retryLane, runByHand, type Signature, skipStuck } from './by-hand.ts';
export { keepRemoteValues, offerChanges } from './changes.ts';
export { type ConnectionReport, connectionReport, offReport } from './connection-report.ts';
export { decide } from './decisions.ts';
export { drain, finishDrains } from './drain.ts';
export { type DryRun, dryRun } from './dry-run.ts';
export { applyDecision } from './effects.ts';
export { type Feeder, startFeeder, wantAll } from './feeder.ts';
export { noteInbound } from './inbound/note.ts';
export { offerMade } from './inbound/offer-made.ts';
export { appointmentRecord } from './inbound/their-appointment.ts';
export { type IdentifierSought, keepVisit, type PatientFound, patientsWith, readsVisits } from './keep-adt.ts';
export type { Abilities, LaneConnection, LaneDeps, LaneLog } from './lane-connection.ts';
export { createLaneMemories } from './lane-memory.ts';
export type { LaneKey } from './lease.ts';
export { hashOfSeen, raiseWanted, saveSeen, versionTagOf } from './links.ts';
export { patientOf } from './patient-of.ts';
export { type Probe, probePaused, probeSoon, setPaused } from './pause.ts';
export { runDuePolls } from './poll.ts';
export type { PollReport } from './poll-report.ts';
export {
  bundleEntries,
  collectionBundle,
  issuesOf,
  lineageOf,
  type Projected,
  projectRecords,
  projectWith,
  whyNothing,
} from './preview.ts';
export { pruneAudit, pruneHomeVersions, pruneOutcomes, pruneReplays, pruneSeen } from './prune.ts';
export { type Refusal, refuseChange } from './refused-change.ts';
export { type RelinkAsked, type Relinked, relinkPatient, requirePatient } from './relink.ts';
export { checkNames } from './renamed.ts';
export { type ReplayAsked, startReplay } from './replay.ts';
export { workReplays } from './replay-work.ts';
export { type Resting, restingConnections } from './resting.ts';
export { preparePolls, refreshRoster, uploadRoster } from './roster.ts';
export { findSought, type NumberSought, numberSought } from './roster-sought.ts';
export { runLane } from './run.ts';
export { createRunGate } from './run-gate.ts';
export { clientTypes, isShared } from './share.ts';
export { type BreakerProbe, freeDeadShares, probeFailing, sharedBudget } from './shared-budget.ts';
export { heardFromOwn, subscriptionsLeft } from './subscribe.ts';
export { type HeardOf, heardFrom, reviewSubscriptions } from './subscriptions.ts';
export { unknownOutcomes } from './unknown-outcomes.ts';
export { type NewsOf, wakePolls } from './wake-polls.ts';
export type { Written } from './written.ts';
