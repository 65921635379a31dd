import { runReadme } from "@sealane/tidy/readme";

runReadme(new URL("../README.md", import.meta.url));
