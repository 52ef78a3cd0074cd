import { closeSync, ftruncateSync, openSync, statSync } from 'node:fs'
import { join } from 'node:path'

/** Memory that counters lie in: `words` and `halves` are views of the same bytes. */
export interface TableMemory {
  /** The bytes as 64-bit words. */
  readonly words: BigInt64Array
  /** The bytes as 32-bit words. */
  readonly halves: Int32Array
  readonly bytes: Uint8Array
}

/**
 * Makes the memory of a table. With a folder it is a file there that is mapped into each process that asks for it: what one process
 * writes, the others see, and a process that is killed leaves it as it was. Without one it is of this process alone. `bytes`: a multiple
 * of 8; a file that is longer keeps its length.
 *
 * Throws the system's error where the file can't be made.
 *
 * @example
 * const memory = openTableMemory({ folder: '/var/lib/nexcode', name: 'counters' }, 1 << 22)
 */
export function openTableMemory(at: { folder: string; name: string } | undefined, bytes: number): TableMemory {
  if (at === undefined) return viewsOf(new Uint8Array(bytes))
  const path = join(at.folder, at.name)
  const descriptor = openSync(path, 'a+', 0o600)
  try {
    // The file is made of holes: what is never used takes no room.
    if (statSync(path).size < bytes) ftruncateSync(descriptor, bytes)
  } finally {
    closeSync(descriptor)
  }
  return viewsOf(Bun.mmap(path, { shared: true }))
}

function viewsOf(bytes: Uint8Array<ArrayBuffer>): TableMemory {
  const { buffer, byteOffset, byteLength } = bytes
  return {
    bytes,
    words: new BigInt64Array(buffer, byteOffset, byteLength >> 3),
    halves: new Int32Array(buffer, byteOffset, byteLength >> 2),
  }
}
