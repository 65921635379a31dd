/** Before each test file of a mutation test: properties draw the same few cases in every run, and do not look for a smaller one. */
import fc from "fast-check";

fc.configureGlobal({ seed: 1, numRuns: 40, endOnFailure: true });
