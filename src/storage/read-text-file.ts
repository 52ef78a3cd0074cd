import { closeSync, openSync, readSync } from 'node:fs'

/** Larger than any configuration, key or program: a longer file is a device without an end, or a mistake. */
const BYTES_MAX = 256 * 1024 * 1024
const PIECE_BYTES = 64 * 1024

/**
 * Reads the text of a file, a pipe or standard input (0). Throws as the system does, and with the code `EFBIG` where there is no end to it.
 *
 * @example
 * const text = readTextFile('/etc/nexcode/nexcode.yaml')
 */
export function readTextFile(path: string | 0): string {
  const file = path === 0 ? 0 : openSync(path, 'r')
  try {
    const pieces: Buffer[] = []
    let length = 0
    for (;;) {
      const piece = Buffer.allocUnsafe(PIECE_BYTES)
      const count = readSync(file, piece)
      if (count === 0) return Buffer.concat(pieces, length).toString('utf8')
      pieces.push(piece.subarray(0, count))
      length += count
      if (length > BYTES_MAX) throw Object.assign(new Error('EFBIG: file too large'), { code: 'EFBIG' })
    }
  } finally {
    if (file !== 0) closeSync(file)
  }
}
