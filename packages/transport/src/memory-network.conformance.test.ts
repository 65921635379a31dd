import { inMemoryNetwork } from "./memory-network.js";
import { transportConformance } from "./testing.js";

transportConformance({
  name: "in-memory network",
  create: () => {
    const network = inMemoryNetwork({ random: () => 0.5, addresses: "required" });
    return {
      open: ({ address, ...options }) =>
        Promise.resolve({ transport: network.transport(options), address: address ?? options.self }),
      progress: () => {
        network.advance(network.nextDueMs ?? network.nowMs + 1);
        return new Promise((resolve) => setImmediate(resolve)); // a test that hangs must still time out
      },
    };
  },
});
