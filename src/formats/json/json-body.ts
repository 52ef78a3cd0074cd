import { isJsonObject } from './json.ts'
import { setMember } from './json-builder.ts'
import { type Member, membersOf } from './members.ts'

/** What has not been read of a body. */
export interface UnreadParts {
  /**
   * The texts in unread values at places where ids of objects may stand, and maybe some at other places: where ids were to be found. A text
   * that is not among them is no id in there.
   */
  readonly idTexts: readonly string[]
  /** Parses a part of the body's text, or all of it, as the body itself is parsed: throws, or rejects with, the same refusals. */
  readonly parse: (bytes: Uint8Array) => Parsed | Promise<Parsed>
  /** Drops what it has parsed from the account of memory. */
  readonly drop: () => void
}

/** A text of JSON that is parsed. */
interface Parsed {
  readonly value: unknown
  readonly members?: readonly Member[] | undefined
}

/** Optional facts about a JSON body beside its text and its value. */
export interface JsonBodyParts {
  /** The body as it came, if the text is its decoded form. */
  readonly encoded?: Uint8Array<ArrayBuffer> | undefined
  /** The places of its members, if they have been found. */
  readonly members?: readonly Member[] | undefined
  /** Absent: the value is that of the whole text. Else a long member is `UNREAD` in it. */
  readonly unread?: UnreadParts | undefined
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
  /** What has not been read; undefined: all has. */
  readonly unread: UnreadParts | undefined
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
    this.unread = parts.unread
    this.#held = parts.held
  }

  /**
   * The parsed text; undefined after `letGo`. Throws for a body that has not been looked into as a whole: nothing may be decided by its
   * rest.
   */
  get value(): unknown {
    if (this.unread !== undefined) throw new Error('This body has not been read as a whole.')
    return this.#value
  }

  /** The parsed text, in which a long member of a long body may be `UNREAD`; undefined after `letGo`. */
  get outline(): unknown {
    return this.#value
  }

  /** The places of the members in the text, also of those that the value no longer shows; empty if it is no object. Searched for once. */
  get members(): readonly Member[] {
    this.#members ??= membersOf(this.bytes, 0, namesOf(this.#value))
    return this.#members
  }

  /** Gives the same body with the values of some members read. */
  withValues(values: ReadonlyMap<string, unknown>): JsonBody {
    const { encoded, members, unread } = this
    const outline = { ...(this.#value as Record<string, unknown>) }
    for (const [name, value] of values) setMember(outline, name, value)
    return new JsonBody(this.bytes, outline, { encoded, members, unread })
  }

  /** Gives the same body with all read. Throws, or rejects with, the `ApiError` of a body that can't be. */
  readWhole(): JsonBody | Promise<JsonBody> {
    const { bytes, encoded, unread } = this
    if (unread === undefined) return this
    const whole = ({ value, members }: Parsed): JsonBody =>
      new JsonBody(bytes, value, { encoded, members, held: unread })
    const parsing = unread.parse(bytes)
    return parsing instanceof Promise ? parsing.then(whole) : whole(parsing)
  }

  /** Drops the value, which may take many times the memory of its text, when nobody decides by it any more. */
  letGo(): void {
    this.#value = undefined
    this.#held?.drop()
    this.unread?.drop()
  }
}

function namesOf(value: unknown): readonly string[] | undefined {
  return isJsonObject(value) ? Object.keys(value) : undefined
}
