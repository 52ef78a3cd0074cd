import { isJsonObject } from './json.ts'
import { type Member, membersOf } from './members.ts'

/** Optional facts about a JSON body beside its text and its value. */
export interface JsonBodyParts {
  /** The body as it came, if the text is its decoded form. */
  readonly encoded?: Uint8Array<ArrayBuffer> | undefined
  /** The places of its members, if they have been found. */
  readonly members?: readonly Member[] | undefined
  /** Whether the value has the members only: what is in a long one is `UNREAD`. */
  readonly hasUnread?: boolean | undefined
  /** The account of the memory that its value takes. */
  readonly held?: { readonly drop: () => void } | undefined
}

const NO_PARTS: JsonBodyParts = {}

/** A JSON body: the value to decide with, and the bytes to send on; a class, because there is one for nearly every request. */
export class JsonBody {
  /** The text as plain JSON: the body as it came, or its decoded form if it had a Content-Encoding. */
  readonly bytes: Uint8Array<ArrayBuffer>
  /** The body as it came, if `bytes` is its decoded form. */
  readonly encoded: Uint8Array<ArrayBuffer> | undefined
  readonly #held: JsonBodyParts['held']
  readonly #hasUnread: boolean
  #value: unknown
  #members: readonly Member[] | undefined

  /**
   * `value` is the parsed text.
   *
   * @example
   * const { bytes, members } = new JsonBody(changed, JSON.parse(text))
   */
  constructor(bytes: Uint8Array<ArrayBuffer>, value: unknown, parts: JsonBodyParts = NO_PARTS) {
    this.bytes = bytes
    this.#value = value
    this.encoded = parts.encoded
    this.#members = parts.members
    this.#hasUnread = parts.hasUnread ?? false
    this.#held = parts.held
  }

  /**
   * The parsed text; undefined after `letGo`. Throws for a body that has not been looked into as a whole: nothing may be decided by its
   * rest.
   */
  get value(): unknown {
    if (this.#hasUnread) throw new Error('This body has not been read as a whole.')
    return this.#value
  }

  /** The parsed text, in which a long member of a long body may be `UNREAD`; undefined after `letGo`. */
  get outline(): unknown {
    return this.#value
  }

  /** Whether a member may be `UNREAD`. */
  get hasUnread(): boolean {
    return this.#hasUnread
  }

  /** The places of the members in the text, also of those that the value no longer shows; empty if it is no object. Searched for once. */
  get members(): readonly Member[] {
    this.#members ??= membersOf(this.bytes, 0, namesOf(this.#value))
    return this.#members
  }

  /** Drops the value, which may take many times the memory of its text, when nobody decides by it any more. */
  letGo(): void {
    this.#value = undefined
    this.#held?.drop()
  }
}

function namesOf(value: unknown): readonly string[] | undefined {
  return isJsonObject(value) ? Object.keys(value) : undefined
}
