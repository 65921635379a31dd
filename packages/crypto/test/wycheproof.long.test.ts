/** Every vector of Wycheproof for the portable suite; ten seconds or so. */

import { nobleSuite } from "../src/index.js";
import { wycheproof } from "./wycheproof.js";

wycheproof(nobleSuite, true);
