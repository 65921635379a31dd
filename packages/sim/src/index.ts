/** Entry point `@sealane/sim`. */
export { checkAgreement, ViolationError } from "./checkers.js";
export { Cluster, type ClusterOptions } from "./cluster.js";
export { SeededRandom } from "./random.js";
export { SimulatedDisk } from "./simulated-disk.js";
export { type Answer, SimulatedNode, type SimulatedNodeConfig } from "./simulated-node.js";
