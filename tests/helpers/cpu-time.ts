/**
 * The processor time of this process so far, in ms. What other programs on the machine do adds nothing to it, so a bound on work is kept
 * on a busy machine, too. Test files of one process run one after the other.
 *
 * @example
 * const before = cpuMs()
 */
export function cpuMs(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}
