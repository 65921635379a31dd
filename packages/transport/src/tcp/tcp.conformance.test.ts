import { formatAddress, parseAddress } from "@sealane/wire";
import { transportConformance } from "../testing.js";
import { tcp } from "./tcp-transport.js";

transportConformance({
  name: "TCP",
  create: () => ({
    open: async ({ address, ...options }) => {
      const listen = address === undefined ? { host: "127.0.0.1", port: 0 } : parseAddress(address);
      const transport = await tcp({ ...options, listen, dialBackoff: { minMs: 1, maxMs: 20 } });
      return { transport, address: formatAddress(transport.address) };
    },
    progress: () => new Promise((resolve) => setImmediate(resolve)),
  }),
});
