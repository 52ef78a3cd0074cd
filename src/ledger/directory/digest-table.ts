const DIGEST_BYTES = 32
const CHUNK_BITS = 20
const CHUNK_BYTES = 1 << CHUNK_BITS
const LENGTH_BYTES = 2
/** The row of nobody; and the address of a row that has been removed. */
const NONE = 0xffff_ffff

/**
 * Finds small texts (up to 65,535 bytes) by a SHA-256 digest, in a quarter of the memory of a `Map`. Texts that are replaced or removed keep
 * their room: `wasted` tells when a new table is due.
 *
 * @example
 * const table = new DigestTable()
 * table.set(digest, text)
 * table.get(digest)
 */
export class DigestTable {
  /** Row numbers, found by the digest's first bytes; as many as a power of two. */
  #index = new Uint32Array(1024).fill(NONE)
  /** Where each row's text is: its chunk, and its place in that. */
  #addresses = new Uint32Array(512)
  #digests = new Uint8Array(512 * DIGEST_BYTES)
  #rows = 0
  readonly #chunks: Uint8Array[] = []
  #used = CHUNK_BYTES
  #live = 0
  /** The bytes of texts that are no longer there. */
  wasted = 0

  /** The number of texts. */
  get size(): number {
    return this.#live
  }

  /** Puts a text under a digest, in place of an older one. */
  set(digest: Uint8Array, text: Uint8Array): void {
    const found = this.#find(digest)
    const row = found ?? this.#add(digest)
    if (found !== undefined) this.#forget(found)
    this.#addresses[row] = this.#store(text)
    this.#live += 1
  }

  /** The text under a digest, to be read at once; undefined: there is none. */
  get(digest: Uint8Array): Uint8Array | undefined {
    const row = this.#find(digest)
    const address = row === undefined ? NONE : (this.#addresses[row] ?? NONE)
    if (address === NONE) return undefined
    const [chunk, at, length] = this.#placeOf(address)
    return chunk.subarray(at, at + length)
  }

  /** Removes the text under a digest. */
  delete(digest: Uint8Array): void {
    const row = this.#find(digest)
    if (row !== undefined) this.#forget(row)
  }

  #forget(row: number): void {
    const address = this.#addresses[row] ?? NONE
    if (address === NONE) return
    this.wasted += this.#placeOf(address)[2]
    this.#addresses[row] = NONE
    this.#live -= 1
  }

  #placeOf(address: number): readonly [chunk: Uint8Array, at: number, length: number] {
    const chunk = this.#chunks[address >>> CHUNK_BITS] ?? new Uint8Array(LENGTH_BYTES)
    const at = address & (CHUNK_BYTES - 1)
    return [chunk, at + LENGTH_BYTES, ((chunk[at] ?? 0) << 8) | (chunk[at + 1] ?? 0)]
  }

  #store(text: Uint8Array): number {
    const needed = LENGTH_BYTES + text.byteLength
    if (text.byteLength > 0xffff) throw new RangeError('A text of a digest table has at most 65,535 bytes.')
    if (this.#used + needed > CHUNK_BYTES) {
      this.#chunks.push(new Uint8Array(CHUNK_BYTES))
      this.#used = 0
    }
    const at = this.#used
    const chunk = this.#chunks.at(-1)
    if (chunk !== undefined) {
      chunk[at] = text.byteLength >> 8
      chunk[at + 1] = text.byteLength & 0xff
      chunk.set(text, at + LENGTH_BYTES)
    }
    this.#used += needed
    return (this.#chunks.length - 1) * CHUNK_BYTES + at
  }

  #add(digest: Uint8Array): number {
    const row = this.#rows
    this.#rows += 1
    if (this.#rows > this.#addresses.length) this.#grow()
    this.#digests.set(digest, row * DIGEST_BYTES)
    this.#addresses[row] = NONE
    this.#insert(row)
    return row
  }

  /** Doubles the room for rows. */
  #grow(): void {
    const addresses = new Uint32Array(this.#addresses.length * 2)
    addresses.set(this.#addresses)
    const digests = new Uint8Array(this.#digests.length * 2)
    digests.set(this.#digests)
    this.#addresses = addresses
    this.#digests = digests
    this.#index = new Uint32Array(addresses.length * 2).fill(NONE)
    for (let row = 0; row < this.#rows - 1; row += 1) this.#insert(row)
  }

  #insert(row: number): void {
    const mask = this.#index.length - 1
    let at = this.#beginOf(this.#digests, row * DIGEST_BYTES) & mask
    while (this.#index[at] !== NONE) at = (at + 1) & mask
    this.#index[at] = row
  }

  #find(digest: Uint8Array): number | undefined {
    const mask = this.#index.length - 1
    for (let at = this.#beginOf(digest, 0) & mask; ; at = (at + 1) & mask) {
      const row = this.#index[at] ?? NONE
      if (row === NONE) return undefined
      if (this.#isRow(row, digest)) return row
    }
  }

  /** Compares whole digests. A digest is of a secret that nobody can choose to suit another: its bytes need no constant time. */
  #isRow(row: number, digest: Uint8Array): boolean {
    const from = row * DIGEST_BYTES
    for (let index = 0; index < DIGEST_BYTES; index += 1)
      if (this.#digests[from + index] !== digest[index]) return false
    return true
  }

  #beginOf(bytes: Uint8Array, at: number): number {
    return (
      ((bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16) | ((bytes[at + 3] ?? 0) << 24)) >>>
      0
    )
  }
}
