export { default } from "@sealane/tidy/vitest";
