/** Entry point `@sealane/crypto/simulated`: for simulations alone. */
export { simulatedSuite } from "./simulated-suite.js";
