import { isJsonObject } from './json.ts'
import { type Member, membersOf } from './members.ts'

/** What may be known of a JSON body beside its text and its value. */
export interface JsonBodyParts {
  /** The body as it came, where the text is its decoded form. */
  readonly encoded?: Uint8Array<ArrayBuffer> | undefined
  /** Where its members stand, where they have been found. */
  readonly members?: readonly Member[] | undefined
  /** What counts the memory of its value. */
  readonly held?: { readonly drop: () => void } | undefined
}

const NO_PARTS: JsonBodyParts = {}

/** A JSON body: the value to decide with, and the bytes to send on; a class, because there is one for nearly every request. */
export class JsonBody {
  /** The text as plain JSON: what came, or its decoded form where it came with a Content-Encoding. */
  readonly bytes: Uint8Array<ArrayBuffer>
  /** The body as it came, where `bytes` is its decoded form. */
  readonly encoded: Uint8Array<ArrayBuffer> | undefined
  readonly #held: JsonBodyParts['held']
  #value: unknown
  #members: readonly Member[] | undefined

  /**
   * `value` is what the text says, parsed.
   *
   * @example
   * const { bytes, members } = new JsonBody(changed, JSON.parse(text))
   */
  constructor(bytes: Uint8Array<ArrayBuffer>, value: unknown, { encoded, members, held }: JsonBodyParts = NO_PARTS) {
    this.bytes = bytes
    this.#value = value
    this.encoded = encoded
    this.#members = members
    this.#held = held
  }

  /** What the text says; undefined when it has been let go. */
  get value(): unknown {
    return this.#value
  }

  /** Where the members stand in the text, also those that the value no longer tells of; none of what is no object. Searched for once. */
  get members(): readonly Member[] {
    this.#members ??= membersOf(this.bytes, 0, namesOf(this.#value))
    return this.#members
  }

  /** Nobody decides by the value any more: it may take many times the memory of its text. */
  letGo(): void {
    this.#value = undefined
    this.#held?.drop()
  }
}

function namesOf(value: unknown): readonly string[] | undefined {
  return isJsonObject(value) ? Object.keys(value) : undefined
}
