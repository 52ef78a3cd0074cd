/** What other servers take these for, each of which ends a process that does not know it. */
const OTHERS = ['SIGUSR1', 'SIGUSR2'] as const

/**
 * Has SIGHUP end nothing, nor the signals by which other servers reopen their logs or begin anew. To be called first for a command that
 * serves: until it listens there is nothing to be read again, and a file that changes meanwhile is noticed later.
 *
 * @example
 * outliveHangUp()
 */
export function outliveHangUp(): void {
  for (const signal of ['SIGHUP', ...OTHERS] as const) process.on(signal, () => undefined)
}
