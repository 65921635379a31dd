/** Entry point `@sealane/sim`. */
export { checkAgreement, ViolationError } from "./cluster/checkers.js";
export { Cluster, type ClusterOptions } from "./cluster/cluster.js";
export { RunTrace } from "./cluster/run-trace.js";
export { SimulatedDisk } from "./cluster/simulated-disk.js";
export { type Answer, SimulatedNode, type SimulatedNodeConfig } from "./cluster/simulated-node.js";
export { checkPair, checkTogether } from "./invariants/cluster-invariants.js";
export { Invariants } from "./invariants/invariants.js";
export { checkNode } from "./invariants/node-invariants.js";
export {
  InvariantError,
  type Observed,
  type ObservedReplica,
  type StoredEntry,
  sameEntry,
} from "./invariants/observed.js";
export { checkRoleChange, checkStep, type Remembered, remember } from "./invariants/step-properties.js";
export { SeededRandom } from "./random.js";
export { type CommandHost, EXIT_FAILED, EXIT_OK, EXIT_USAGE, scenarioCommand } from "./scenario/command.js";
export { type Command, parseScenario, ScenarioError } from "./scenario/commands.js";
export { runScenario, type ScenarioObserver, type ScenarioOptions } from "./scenario/run.js";
export { Trace, type TraceLine } from "./scenario/trace.js";
export { expectedTranscript, Transcript, withTranscript } from "./scenario/transcript.js";
export { type Before, type Queued, ScenarioNode, World, type WorldObserver } from "./scenario/world.js";
