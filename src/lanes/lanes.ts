// Front door of lanes/: the sync core. A lane is one subject on one connection; running it brings the server to what the records want
// (lanes.md).
//
// Here: a run of a lane, from its lease (run.ts) over what it loads, desires, settles and plans to what it sends. Beside it:
//   polls/      what changed on the other side, and who is asked about
//   inbound/    what begins there: proposals, what is heard, what a source adopts
//   patients/   who a client is on a server
//   documents/  what goes as a readable document or a message where no resource of ours is taken
//   unknown/    requests of which nobody knows what came
//   operating/  what operators see and do: pausing, replays, previews, mass changes, alerts

export { cachedCapabilities, readAbilities, slotsOf } from './abilities.ts';
export {
  activateMapping,
  activeMappings,
  activeVersion,
  checkIdentity,
  checkMapping,
  freeDeadLeases,
  keptIdentity,
  noteOff,
} from './activate.ts';
export { lanesAtOnce } from './at-once.ts';
export { offerPatch, referralsOffered } from './changes.ts';
export {
  configurationOf,
  configuredOtherwise,
  type OtherConfiguration,
  type Standing,
  standingColumns,
  standingOf,
} from './configuration.ts';
export { decide } from './decisions.ts';
export { applyDecision } from './effects.ts';
export { type Feeder, startFeeder, wantAll } from './feeder.ts';
export { noteInbound } from './inbound/note.ts';
export { offerAppointmentMade } from './inbound/offer-made.ts';
export { appointmentRecord } from './inbound/their-appointment.ts';
export { commentIdOf, commentsByTime, joinedComments } from './inbound/their-comments.ts';
export type { Abilities, LaneConnection, LaneDeps, LaneLog } from './lane-connection.ts';
export { createLaneMemories } from './lane-memory.ts';
export type { LaneKey } from './lease.ts';
export { hashOfSeen, raiseWanted, saveSeen } from './links.ts';
export { closeAlert, openAlert, openAlertOnce, reviewAlerts } from './operating/alerts.ts';
export { parkLane, retryLane, runByHand, type Signature, skipStuck } from './operating/by-hand.ts';
export { type ConnectionReport, connectionReport, offReport } from './operating/connection-report.ts';
export { drain, finishDrains } from './operating/drain.ts';
export { type DryRun, dryRun } from './operating/dry-run.ts';
export { reviewMassChanges } from './operating/mass-change.ts';
export { type Probe, probePaused, probeSoon, setPaused } from './operating/pause.ts';
export {
  bundleEntries,
  collectionBundle,
  issuesOf,
  lineageOf,
  type Projected,
  projectRecords,
  projectWith,
  whyNothing,
} from './operating/preview.ts';
export { type ReplayAsked, startReplay } from './operating/replay.ts';
export { workDryRuns, workReplays } from './operating/replay-work.ts';
export { type Resting, restingConnections } from './operating/resting.ts';
export { reviewStuck, stuckTopic } from './operating/stuck-deliveries.ts';
export { patientsIn } from './patients/patient-of.ts';
export { type RelinkAsked, type Relinked, relinkPatient, requirePatient } from './patients/relink.ts';
export type { Written } from './patients/written.ts';
export { type IdentifierSought, keepVisit, type PatientFound, patientsWith, readsVisits } from './polls/keep-adt.ts';
export { runDuePolls } from './polls/poll.ts';
export type { PollReport } from './polls/poll-report.ts';
export { preparePolls, refreshRoster, uploadRoster } from './polls/roster.ts';
export { findSought, type NumberSought, numberSought } from './polls/roster-sought.ts';
export { heardFromOwn, subscriptionsLeft } from './polls/subscribe.ts';
export { type HeardOf, heardFrom, reviewSubscriptions } from './polls/subscriptions.ts';
export { type NewsOf, wakePolls } from './polls/wake-polls.ts';
export { pruneAudit, pruneHomeVersions, pruneOutcomes, pruneReplays, pruneSeen } from './prune.ts';
export { type Refusal, refuseChange } from './refused-change.ts';
export { checkNames } from './renamed.ts';
export { runLane } from './run.ts';
export { createRunGate } from './run-gate.ts';
export { clientTypes, isShared } from './share.ts';
export { type BreakerProbe, freeDeadShares, probeFailing, sharedBudget } from './shared-budget.ts';
export { prepareConnection } from './take-over.ts';
export { unknownOutcomes } from './unknown/unknown-outcomes.ts';
