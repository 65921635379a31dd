/** Entry point `@sealane/crypto/verifier`: what verifying signatures takes, small enough for a page. */
export { nobleVerifier, type Verifier } from "./noble-verifier.js";
