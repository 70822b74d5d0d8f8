// Front door of lanes/: the sync core. A lane is one subject on one connection; running it brings the server to what the records want
// (lanes.md).
//
// Here: what all of it shares, such as the lease and the feeder, and the two pure questions, plan.ts (what is to be done) and merge.ts.
// A run, in its order:
//   run/            from the lease through its steps to the lane being given back
//   load/           what the store says, in one snapshot
//   desire/         what should be on the server, and by which way
//   look/           what is there
//   absorb/         what the other side changed: bases moved, changes offered, questions asked
//   send/           one level of writes: intent, request, outcome
// What a run asks on the way:
//   unknown/        requests of which nobody knows what came
//   patients/       who a client is on a server
//   inbound/        what begins on the other side: proposals, what is heard, what a source adopts
//   documents/      what goes as a readable document or a message where no resource of ours is taken
//   decisions/      what only a person may settle
// Around it:
//   links/          what is kept of a server: looks, links and their states; who waits for whom, and which lanes are wanted
//   configuration/  what a start does, and which configuration is in force
//   budget/         the rate of a connection, shared by all processes
//   polls/          what changed on the other side, and who is asked about
//   operating/      what operators see and do: pausing, replays, previews, mass changes, alerts

export { lanesAtOnce } from './budget/at-once.ts';
export { freeDeadShares, probeFailing, sharedBudget } from './budget/shared-budget.ts';
export { offerPatch, referralsOffered } from './changes.ts';
export { cachedCapabilities, readAbilities } from './configuration/abilities.ts';
export {
  activateMapping,
  activeMappings,
  activeVersion,
  checkIdentity,
  checkMapping,
  freeDeadLeases,
  keptIdentity,
  noteOff,
} from './configuration/activate.ts';
export {
  configurationOf,
  configuredOtherwise,
  type Standing,
  standingColumns,
  standingOf,
} from './configuration/configuration.ts';
export { checkNames } from './configuration/renamed.ts';
export { prepareConnection } from './configuration/take-over.ts';
export { decide } from './decisions/decisions.ts';
export { applyDecision } from './decisions/effects.ts';
export { type Refusal, refuseChange } from './decisions/refused-change.ts';
export { clientTypes, isShared } from './desire/share.ts';
export { type Feeder, startFeeder, wantAll } from './feeder.ts';
export { noteInbound } from './inbound/note.ts';
export { offerAppointmentMade } from './inbound/offer-made.ts';
export { appointmentRecord } from './inbound/their-appointment.ts';
export { commentIdOf, commentsByTime, joinedComments } from './inbound/their-comments.ts';
export type { Abilities, LaneConnection, LaneDeps, LaneLog } from './lane-connection.ts';
export { nameOf } from './lane-resource.ts';
export type { LaneKey } from './lease.ts';
export { saveSeen } from './links/seen.ts';
export { raiseWanted } from './links/wanted.ts';
export { createLaneMemories } from './load/lane-memory.ts';
export { closeAlert, openAlert, openAlertOnce, reviewAlerts } from './operating/alerts.ts';
export { type ConnectionReport, connectionReport, offReport } from './operating/connection-report.ts';
export { drain, finishDrains } from './operating/drain.ts';
export { type DryRun, dryRun } from './operating/dry-run.ts';
export { parkLane, retryLane, runByHand, type Signature, skipStuck } from './operating/lane-by-hand.ts';
export { reviewMassChanges } from './operating/mass-change/review.ts';
export { probePaused, probeSoon, setPaused } from './operating/pause.ts';
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
export { type Resting, restingConnections } from './operating/resting-connections.ts';
export { reviewStuck, stuckTopic } from './operating/stuck-deliveries.ts';
export { patientsIn } from './patients/patient-of.ts';
export { type RelinkAsked, type Relinked, relinkPatient, requirePatient } from './patients/relink.ts';
export { type IdentifierSought, keepVisit, patientsWith, readsVisits } from './polls/keep-adt.ts';
export { runDuePolls } from './polls/poll.ts';
export { preparePolls, refreshRoster, uploadRoster } from './polls/roster.ts';
export { findSought, type NumberSought, numberSought } from './polls/roster-sought.ts';
export { heardFromOwn, subscriptionsLeft } from './polls/subscribe.ts';
export { type HeardOf, heardFrom, reviewSubscriptions } from './polls/subscriptions.ts';
export { type NewsOf, wakePolls } from './polls/wake-polls.ts';
export { pruneAudit, pruneHomeVersions, pruneOutcomes, pruneReplays, pruneSeen } from './prune.ts';
export { runLane } from './run/run.ts';
export { createRunGate } from './run/run-gate.ts';
export { isUnknown, unknownOutcomes } from './unknown/unknown-outcomes.ts';
