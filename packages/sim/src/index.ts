/** Entry point `@sealane/sim`. */
export { checkAgreement } from "./cluster/checkers.js";
export { Cluster, type ClusterOptions } from "./cluster/cluster.js";
export { NodeClock } from "./cluster/node-clock.js";
export type { NodeObserver, ObservedHost } from "./cluster/node-observer.js";
export { RunTrace } from "./cluster/run-trace.js";
export { type CrashPoint, type PowerLoss, SimulatedDisk } from "./cluster/simulated-disk.js";
export {
  type Answer,
  type RestartOutcome,
  SimulatedNode,
  type SimulatedNodeConfig,
  type SimulatedRequest,
  type SimulatedWorld,
} from "./cluster/simulated-node.js";
export { type CommandHost, EXIT_FAILED, EXIT_OK, EXIT_USAGE } from "./command-line.js";
export {
  type ClockFault,
  type DiskFault,
  FAULT_KINDS,
  type Fault,
  type FaultKind,
  type MembershipFault,
  type NetworkFault,
  type PowerCut,
  type ProcessFault,
  type TimedFault,
  type WireFault,
} from "./faults/fault.js";
export { type PlanOptions, planFaults } from "./faults/plan.js";
export { History, type Operation, type Outcome } from "./history/history.js";
export { checkLinearizable, type Model, type Verdict } from "./history/linearizability.js";
export { checkStatuses, checkTxOrder, type StatusAnswer } from "./history/transactions.js";
export { checkPair, checkTogether } from "./invariants/cluster-invariants.js";
export { Invariants } from "./invariants/invariants.js";
export { checkNode } from "./invariants/node-invariants.js";
export { InvariantError, type Observed, type ObservedReplica } from "./invariants/observed.js";
export { ObservedLog } from "./invariants/observed-log.js";
export { checkRoleChange, checkStep, type Remembered, remember } from "./invariants/step-properties.js";
export { type StoredEntry, sameEntry } from "./invariants/stored-entry.js";
export { SeededRandom } from "./random.js";
export { scenarioCommand } from "./scenario/command.js";
export { type Command, parseScenario, ScenarioError } from "./scenario/commands.js";
export { runScenario, type ScenarioObserver, type ScenarioOptions } from "./scenario/run.js";
export { Trace, type TraceLine } from "./scenario/trace.js";
export { expectedTranscript, Transcript, withTranscript } from "./scenario/transcript.js";
export { type Before, type Queued, ScenarioNode, World, type WorldObserver } from "./scenario/world.js";
export { ClusterChecks, type StateInvariant } from "./simulation/cluster-checks.js";
export { type SimulationHost, simulationCommand } from "./simulation/command.js";
export { findFailure, type KitFailure, type KitOptions } from "./simulation/kit.js";
export { reduceList } from "./simulation/reduce-list.js";
export { registersSubject } from "./simulation/registers-subject.js";
export { type RunSettings, runSettings, type SuiteName, type Summary, shrinkSettings } from "./simulation/settings.js";
export { type Shrunk, shrink } from "./simulation/shrink.js";
export { type Report, type SimulationOptions, type Subject, simulate, type Violation } from "./simulation/simulate.js";
export { type ViolationCode, ViolationError } from "./violation.js";
export type { ClientPolicy } from "./workload/client.js";
export {
  type ReadLevel,
  type Register,
  type RegisterInput,
  type RegisterOutput,
  registerModel,
} from "./workload/registers.js";
export { type RegistersOptions, registersApp, registersWorkload } from "./workload/registers-app.js";
export { type Call, Refused, type Reply, type Script, type Workload } from "./workload/workload.js";
