import { isJsonObject } from './json.ts'
import { type Member, membersOf } from './members.ts'

/** A JSON body: the value to decide with, and the bytes to send on; a class, because there is one for nearly every request. */
export class JsonBody {
  /** The text as plain JSON: what came, or its decoded form where it came with a Content-Encoding. */
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly value: unknown
  /** The body as it came, where `bytes` is its decoded form. */
  readonly encoded: Uint8Array<ArrayBuffer> | undefined
  #members: readonly Member[] | undefined

  /**
   * `value` is what the text says, parsed.
   *
   * @example
   * const { bytes, members } = new JsonBody(changed, JSON.parse(text))
   */
  constructor(bytes: Uint8Array<ArrayBuffer>, value: unknown, encoded?: Uint8Array<ArrayBuffer>) {
    this.bytes = bytes
    this.value = value
    this.encoded = encoded
  }

  /** Where the members stand in the text, also those that the value no longer tells of; none of what is no object. Searched for once. */
  get members(): readonly Member[] {
    this.#members ??= isJsonObject(this.value) ? membersOf(this.bytes, 0, Object.keys(this.value)) : []
    return this.#members
  }
}
