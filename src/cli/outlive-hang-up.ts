/**
 * Has SIGHUP end nothing. To be called first for a command that serves: until it listens there is nothing to be read again, and a file
 * that changes meanwhile is noticed later.
 *
 * @example
 * outliveHangUp()
 */
export function outliveHangUp(): void {
  process.on('SIGHUP', () => undefined)
}
