/** The object identifiers this package writes or knows, dotted, each with its source. */

/** RFC 5480 §2.1.1. */
export const ID_EC_PUBLIC_KEY = "1.2.840.10045.2.1";
/** RFC 5758 §3.2. */
export const ID_ECDSA_WITH_SHA256 = "1.2.840.10045.4.3.2";
/** RFC 5758 §3.2. */
export const ID_ECDSA_WITH_SHA384 = "1.2.840.10045.4.3.3";
/** X.520 §6.2.2. */
export const ID_COMMON_NAME = "2.5.4.3";
/** RFC 5280 §4.2.1.2. */
export const ID_SUBJECT_KEY_IDENTIFIER = "2.5.29.14";
/** RFC 5280 §4.2.1.3. */
export const ID_KEY_USAGE = "2.5.29.15";
/** RFC 5280 §4.2.1.6. */
export const ID_SUBJECT_ALT_NAME = "2.5.29.17";
/** RFC 5280 §4.2.1.9. */
export const ID_BASIC_CONSTRAINTS = "2.5.29.19";
/** RFC 5280 §4.2.1.1. */
export const ID_AUTHORITY_KEY_IDENTIFIER = "2.5.29.35";
/** RFC 5280 §4.2.1.12. */
export const ID_EXTENDED_KEY_USAGE = "2.5.29.37";
/** RFC 5280 §4.2.1.12. */
export const ID_ANY_EXTENDED_KEY_USAGE = "2.5.29.37.0";
/** RFC 5280 §4.2.1.12. */
export const ID_SERVER_AUTH = "1.3.6.1.5.5.7.3.1";
/** RFC 5280 §4.2.1.12. */
export const ID_CLIENT_AUTH = "1.3.6.1.5.5.7.3.2";
