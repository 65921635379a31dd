export { type Codec, json, rawBytes, u64, utf8Text } from "./codecs.js";
export { KvError, type KvErrorCode } from "./errors.js";
export { canonicalJson } from "./json.js";
export {
  JSON_DEPTH_MAX,
  KEY_BYTES_MAX,
  MAP_NAME_CHARS_MAX,
  TRANSACTION_BYTES_MAX,
  VALUE_BYTES_MAX,
} from "./limits.js";
export { Reader, type StateName } from "./reader.js";
export { type CommittedMap, Store } from "./store.js";
export { isPublicMap, Transaction } from "./transaction.js";
export { type MapHandle, map, TypedMap, TypedReader } from "./typed-map.js";
