/** Entry point `@sealane/crypto/native`: the suite, and the wrapping of secrets, on `node:crypto`. */
export { nativeKeyWrapping } from "./native-key-wrapping.js";
export { nativeSuite } from "./native-suite.js";
