import { closeSync, fstatSync, ftruncateSync, openSync } from 'node:fs'

/** Memory that counters lie in: `words` and `halves` are views of the same bytes. */
export interface TableMemory {
  /** The bytes as 64-bit words. */
  readonly words: BigInt64Array
  /** The bytes as 32-bit words. */
  readonly halves: Int32Array
  readonly bytes: Uint8Array<ArrayBuffer>
}

/**
 * Makes the memory of tables. With a path it is a file that is mapped into each process that asks for it: what one process writes, the
 * others see, and a process that is killed leaves it as it was. Without one it is of this process alone. `bytes`: a multiple of 8; a file
 * that is longer keeps its length.
 *
 * Throws the system's error where the file can't be made.
 */
export function openTableMemory(path: string | undefined, bytes: number): TableMemory {
  if (path === undefined) return viewsOf(new Uint8Array(bytes))
  const descriptor = openSync(path, 'a+', 0o600)
  try {
    // The file is made of holes: what is never used takes no room.
    if (fstatSync(descriptor).size < bytes) ftruncateSync(descriptor, bytes)
  } finally {
    closeSync(descriptor)
  }
  return viewsOf(Bun.mmap(path, { shared: true }))
}

/** A part of a memory as one of its own. `from` and `bytes`: multiples of 8. */
export function partOfMemory({ bytes }: TableMemory, from: number, length: number): TableMemory {
  return viewsOf(bytes.subarray(from, from + length))
}

function viewsOf(bytes: Uint8Array<ArrayBuffer>): TableMemory {
  const { buffer, byteOffset, byteLength } = bytes
  return {
    bytes,
    words: new BigInt64Array(buffer, byteOffset, byteLength >> 3),
    halves: new Int32Array(buffer, byteOffset, byteLength >> 2),
  }
}
