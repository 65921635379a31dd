/** Entry point `@sealane/crypto/native`: the suite on `node:crypto`. */
export { nativeSuite } from "./native-suite.js";
