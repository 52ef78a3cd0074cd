import { type CanonicalMember, joinMembers } from './canonical-members.ts'

const QUOTE = 0x22
const COMMA = 0x2c
const COLON = 0x3a
const OPEN_BRACKET = 0x5b
const CLOSE_BRACKET = 0x5d
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d
const BACKSLASH = '\\'
const NOT_JSON = 'no JSON'

/** Characters that a string is read one by one before the rest of it is searched: most strings in dense JSON end sooner. */
const NEAR_CHARS = 24

/** The characters that end a number or a literal; the end of the text does, too. */
const SCALAR_END = charClasses(' \t\r\n,:]}"[{')
const SPACE = charClasses(' \t\r\n')

/** The token after a value: another value, the end of its container, or the end of the text. */
type Following = 'value' | 'closed' | 'end'

/** Sorting an object of more members would keep other requests waiting too long. */
const MEMBERS_MAX = 10_000
/** A text that is scanned with rests has as many levels as one that `JsonParser` takes … */
const LEVELS_MAX = 1000
/** … and so many lists and objects: these take 48 bytes and more there, of 2 MiB and five times the length of the text. */
const containersMax = (chars: number): number => (2 * 1024 * 1024 + 5 * chars) / 48
/** The cost that takes about a tenth of a millisecond: a value costs 1, and so do a member that is sorted in and 64 characters. */
const STEP_COST = 1024
const CHARS_OF_COST = 64

/** An open container, and the state of the container around it. */
interface Open {
  /** The members of the container around it; undefined: that is an array, or the text itself. */
  readonly members: CanonicalMember[] | undefined
  /** The name of the member that holds the container. */
  readonly key: string
  /** Only for an object: the text before it in that member. */
  readonly before: string
}

/**
 * Reads a JSON text once, to its canonical form: canonical stretches of it are copied as whole runs.
 * Throws a SyntaxError for a text that is not JSON, where that matters.
 *
 * @example
 * const text = new CanonicalScanner('{ "a": 1 }').scan()
 */
export class CanonicalScanner {
  readonly #text: string
  readonly #open: Open[] = []
  /** The members of the object that is being read; undefined: an array, or the text itself. */
  #members: CanonicalMember[] | undefined
  /** The name of the member that is being read. */
  #key = ''
  /** The canonical form of the current member, or of the text where there is none, up to `#from`. */
  #done = ''
  #from = 0
  #at = 0
  #levelsMax = Number.POSITIVE_INFINITY
  #containersLeft = Number.POSITIVE_INFINITY
  /** The place of a backslash that was passed, or of the first that was not. */
  #backslash = -1

  constructor(text: string) {
    this.#text = text
  }

  scan(): string {
    for (let following: Following = 'value'; following !== 'end'; following = this.#follow()) {
      if (following === 'value') this.#readValue()
    }
    return this.#finish()
  }

  /** Scans with rests. Also throws for an object of more than ten thousand members, too many levels, or too many lists and objects. */
  *scanInSteps(): Generator<void, string, void> {
    this.#levelsMax = LEVELS_MAX
    this.#containersLeft = containersMax(this.#text.length)
    let cost = 0
    for (let following: Following = 'value'; following !== 'end'; following = this.#follow()) {
      const from = this.#at
      const count = this.#members?.length ?? 0
      if (count > MEMBERS_MAX) throw new RangeError('too many members')
      if (following === 'value') this.#readValue()
      else cost += count
      cost += 1 + (this.#at - from) / CHARS_OF_COST
      if (cost < STEP_COST) continue
      cost = 0
      yield
    }
    return this.#finish()
  }

  #finish(): string {
    if (this.#at < this.#text.length) throw new SyntaxError(NOT_JSON)
    return this.#takeDone()
  }

  /** Reads to the end of a value; an empty container is left to `#follow`. */
  #readValue(): void {
    let code = this.#next()
    while (code === OPEN_BRACE || code === OPEN_BRACKET) {
      if (this.#isEmptyWithin(code === OPEN_BRACE)) return
      code = this.#next()
    }
    if (code === QUOTE) this.#readString()
    else this.#readScalar()
  }

  /** Enters a container, up to its first value. Gives whether it is empty. */
  #isEmptyWithin(isObject: boolean): boolean {
    this.#containersLeft -= 1
    if (this.#open.length >= this.#levelsMax || this.#containersLeft < 0) throw new RangeError('too many values')
    this.#open.push({ members: this.#members, key: this.#key, before: isObject ? this.#takeDone() : '' })
    this.#members = isObject ? [] : undefined
    this.#at += 1
    if (!isObject) return this.#next() === CLOSE_BRACKET
    this.#from = this.#at
    if (this.#next() === CLOSE_BRACE) return true
    this.#readKey()
    return false
  }

  /** Goes on from the end of a value. */
  #follow(): Following {
    const code = this.#next()
    const open = this.#open.at(-1)
    if (open === undefined) return 'end'
    if (code === COMMA) return this.#readComma()
    const members = this.#members
    if (code !== (members === undefined ? CLOSE_BRACKET : CLOSE_BRACE)) throw new SyntaxError(NOT_JSON)
    if (members !== undefined) {
      // For an empty object this is a member without a text, which leaves no trace.
      members.push({ key: this.#key, text: this.#takeDone() })
      this.#done = open.before + joinMembers(members)
      this.#from = this.#at + 1
    }
    this.#at += 1
    this.#open.pop()
    this.#members = open.members
    this.#key = open.key
    return 'closed'
  }

  #readComma(): Following {
    const members = this.#members
    const isObject = members !== undefined
    if (isObject) members.push({ key: this.#key, text: this.#takeDone() })
    this.#at += 1
    if (isObject) {
      this.#from = this.#at
      this.#next()
      this.#readKey()
    }
    return 'value'
  }

  #readKey(): void {
    const start = this.#at
    if (this.#text.charCodeAt(start) !== QUOTE) throw new SyntaxError(NOT_JSON)
    this.#readString()
    // Nothing else of this member has been read.
    this.#key = this.#done === '' ? this.#text.slice(start, this.#at) : this.#done
    if (this.#next() !== COLON) throw new SyntaxError(NOT_JSON)
    this.#at += 1
  }

  #readString(): void {
    const text = this.#text
    const start = this.#at
    let end = this.#findQuote(start + 1)
    if (this.#backslash < start) this.#backslash = findBackslash(text, start)
    if (this.#backslash > end) {
      this.#at = end + 1
      return
    }
    while (isEscaped(text, end)) end = this.#findQuote(end + 1)
    this.#done = this.#takeDone() + JSON.stringify(JSON.parse(text.slice(start, end + 1)))
    this.#from = this.#at = end + 1
  }

  #readScalar(): void {
    const text = this.#text
    let at = this.#at
    while (SCALAR_END[text.charCodeAt(at)] === 0) at += 1
    if (at === this.#at) throw new SyntaxError(NOT_JSON)
    this.#at = at
  }

  /** Gives the next character that is not white space, and ends the run before any white space. */
  #next(): number {
    const text = this.#text
    const code = text.charCodeAt(this.#at)
    if (SPACE[code] !== 1) return code
    this.#done = this.#takeDone()
    let at = this.#at + 1
    while (SPACE[text.charCodeAt(at)] === 1) at += 1
    this.#from = this.#at = at
    return text.charCodeAt(at)
  }

  /** Gives the text that has been read, and ends the run. */
  #takeDone(): string {
    const taken = this.#from === this.#at ? this.#done : this.#done + this.#text.slice(this.#from, this.#at)
    this.#done = ''
    this.#from = this.#at
    return taken
  }

  #findQuote(from: number): number {
    const text = this.#text
    const nearEnd = from + NEAR_CHARS
    for (let at = from; at < nearEnd; at += 1) if (text.charCodeAt(at) === QUOTE) return at
    const found = text.indexOf('"', nearEnd)
    if (found === -1) throw new SyntaxError(NOT_JSON)
    return found
  }
}

function findBackslash(text: string, from: number): number {
  const found = text.indexOf(BACKSLASH, from)
  return found === -1 ? Number.POSITIVE_INFINITY : found
}

/** Whether the quote at `at` is part of a string's text. */
function isEscaped(text: string, at: number): boolean {
  let before = at - 1
  while (text[before] === BACKSLASH) before -= 1
  return (at - before) % 2 === 0
}

function charClasses(characters: string): Uint8Array {
  const classes = new Uint8Array(128)
  for (const character of characters) classes[character.charCodeAt(0)] = 1
  return classes
}
