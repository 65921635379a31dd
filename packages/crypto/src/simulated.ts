/** Entry point `@sealane/crypto/simulated`: for simulations alone. */
export { simulatedKeyWrapping, simulatedSuite } from "./simulated-suite.js";
