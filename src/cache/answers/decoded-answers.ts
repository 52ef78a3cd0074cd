import { LRUCache } from 'lru-cache'
import { decodeAnswer, hasSamePrefix, type StoredAnswer } from './stored-answer.ts'

/** The memory that the decoded answers of a cache take, at the most. */
const BYTES_MAX = 4 * 1024 * 1024
/** About the memory that an answer takes beside its bytes, and that each of its chunks takes. */
const ANSWER_BYTES = 2048
const CHUNK_BYTES = 160

interface Decoded {
  readonly bytes: Uint8Array
  readonly answer: StoredAnswer
}

/**
 * The answers of a store that were decoded last: one that is asked for again is checked and decoded once. The store is asked each time
 * all the same, since another process may have stored another answer, or purged it.
 *
 * @example
 * const decoded = new DecodedAnswers()
 * const decoding = decoded.decode(key, bytes)
 */
export class DecodedAnswers {
  // Made late: most servers have no cache.
  #known: LRUCache<string, Decoded> | undefined

  /** Decodes the bytes of a key, at once or for a large answer in slices. They must not change. undefined: they are damaged. */
  decode(key: string, bytes: Uint8Array): StoredAnswer | undefined | Promise<StoredAnswer | undefined> {
    const known = this.#known?.get(key)
    if (known !== undefined && hasSamePrefix(known.bytes, bytes)) return known.answer
    const remember = (answer: StoredAnswer | undefined): StoredAnswer | undefined => {
      if (answer !== undefined) this.#remember(key, { bytes, answer })
      return answer
    }
    const decoding = decodeAnswer(bytes)
    return decoding instanceof Promise ? decoding.then(remember) : remember(decoding)
  }

  #remember(key: string, decoded: Decoded): void {
    this.#known ??= new LRUCache({ maxSize: BYTES_MAX })
    const size = decoded.bytes.byteLength + ANSWER_BYTES + CHUNK_BYTES * decoded.answer.chunks.length
    this.#known.set(key, decoded, { size })
  }
}
