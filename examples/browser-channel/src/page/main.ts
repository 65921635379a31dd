/** The page's entry: one panel for each of the two channels. */
import { runBridge } from "./bridge.js";
import { Panel } from "./panel.js";
import { runWorkers } from "./workers.js";

const between = new Panel({
  name: "Two workers",
  link: "MessagePort",
  about:
    "Each worker draws its own key; this page, as the service, vouches for both and sees nothing of what they say.",
  ends: [
    { name: "Worker A", runs: "Web Worker · noble suite" },
    { name: "Worker B", runs: "Web Worker · noble suite" },
  ],
});
const across = new Panel({
  name: "This page and Node",
  link: "WebSocket",
  about: "The process that served this page has endorsed its key. The same frames would travel over TCP between nodes.",
  ends: [
    { name: "Page", runs: "this page · noble suite" },
    { name: "Node", runs: "Node process · native suite" },
  ],
});
document.getElementById("channels")?.append(between.root, across.root);
runWorkers(between).catch((error: unknown) => between.fail(error));
runBridge(across).catch((error: unknown) => across.fail(error));
