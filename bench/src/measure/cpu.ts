/** CPU time of this process: user and system, of all its threads. */

export type CpuTimer = () => number;

/** @returns what tells the microseconds of CPU time since now. */
export function startCpu(): CpuTimer {
  const before = process.cpuUsage();
  return () => {
    const { user, system } = process.cpuUsage(before);
    return user + system;
  };
}
