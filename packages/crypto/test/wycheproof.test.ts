/** Every vector of Wycheproof for the native suite, and a spread of them for the portable one; all of those in `wycheproof.long.test.ts`. */

import { nobleSuite } from "../src/index.js";
import { nativeSuite } from "../src/native.js";
import { wycheproof } from "./wycheproof.js";

wycheproof(nativeSuite, true);
wycheproof(nobleSuite, false);
