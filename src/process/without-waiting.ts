import { constants, fstatSync, openSync } from 'node:fs'

/**
 * Gives a descriptor for the same thing whose writes never wait: where nobody reads, they fail with EAGAIN. A pipe or a terminal is opened
 * once more, for this process alone; a socket can't be, and is told so for all who share it, as the runtime does with its own.
 *
 * What can't be told that stays as it is.
 *
 * @example
 * const fd = withoutWaiting(1)
 */
export function withoutWaiting(fd: number): number {
  try {
    const kind = fstatSync(fd)
    if (kind.isSocket()) Bun.file(fd).writer()
    if (!(kind.isFIFO() || kind.isCharacterDevice())) return fd
    return openSync(`/proc/self/fd/${fd}`, constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY)
  } catch {
    return fd
  }
}
