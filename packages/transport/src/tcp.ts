/** The entry for programs in Node: everything that needs `node:net`. */
export { type BackoffOptions, DIAL_BACKOFF } from "./tcp/backoff.js";
export { LOBBY_LIMITS, type LobbyLimits } from "./tcp/lobby.js";
export type { TcpOptions } from "./tcp/settings.js";
export { TcpTransport, tcp } from "./tcp/tcp-transport.js";
