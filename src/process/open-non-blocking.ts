import { constants, fstatSync, openSync } from 'node:fs'

/**
 * Gives a descriptor for the same file whose writes never wait: they fail with EAGAIN when nobody reads. A pipe or a terminal is opened
 * once more, for this process alone. A socket can't be: it is made non-blocking for all processes that share it, as the runtime does
 * with its own.
 *
 * Gives the same descriptor when that fails, and for any other kind of file.
 *
 * @example
 * const fd = openNonBlocking(1)
 */
export function openNonBlocking(fd: number): number {
  try {
    const kind = fstatSync(fd)
    if (kind.isSocket()) Bun.file(fd).writer()
    if (!(kind.isFIFO() || kind.isCharacterDevice())) return fd
    return openSync(`/proc/self/fd/${fd}`, constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY)
  } catch {
    return fd
  }
}
