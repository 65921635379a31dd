export { default } from "@sealane/tidy/stryker";
