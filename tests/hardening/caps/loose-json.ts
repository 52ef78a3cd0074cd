/** A JSON value with all that its text says: names that occur twice, in order. */
export type LooseValue = string | number | boolean | null | undefined | LooseArray | LooseObject

/** A list. */
export interface LooseArray {
  readonly items: readonly LooseValue[]
}

/** An object. */
export interface LooseObject {
  readonly members: readonly (readonly [name: string, value: LooseValue])[]
}

const SPACE = /(?:\s|\uFEFF|\/\*[\s\S]*?\*\/|\/\/[^\n]*)*/y
const NUMBER = /[+-]?(?:0x[0-9a-f]+|Infinity|NaN|(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)/iy
const WORD = /[A-Za-z_$][\w$]*/y
const ESCAPES: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', 0: '\0' }
const WORDS: Readonly<Record<string, LooseValue>> = { true: true, false: false, null: null, undefined: undefined }

/**
 * Reads the first value of a text as the most tolerant of JSON's parsers do: with comments, quotes of both kinds or none, commas too
 * many, any number. Undefined where even they would fail.
 *
 * @example
 * const value = parseLoose("{model: 'm', model: 'n',}")
 */
export function parseLoose(text: string): LooseValue {
  try {
    return new LooseParser(text).value()
  } catch {
    return undefined
  }
}

class LooseParser {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  value(): LooseValue {
    this.#skip(SPACE)
    const first = this.#text[this.#at]
    if (first === '{') return this.#object()
    if (first === '[') return this.#array()
    if (first === '"' || first === "'") return this.#string(first)
    const number = this.#skip(NUMBER)
    if (number !== '') return Number(number.replace(/^\+/, ''))
    const word = this.#skip(WORD)
    if (!Object.hasOwn(WORDS, word)) throw new SyntaxError('no value')
    return WORDS[word]
  }

  #object(): LooseObject {
    const members: (readonly [string, LooseValue])[] = []
    this.#at += 1
    while (!this.#isClosed('}')) {
      const name = this.#name()
      this.#skip(SPACE)
      if (this.#text[this.#at] !== ':') throw new SyntaxError('no colon')
      this.#at += 1
      members.push([name, this.value()])
      this.#comma('}')
    }
    return { members }
  }

  #array(): LooseArray {
    const items: LooseValue[] = []
    this.#at += 1
    while (!this.#isClosed(']')) {
      items.push(this.value())
      this.#comma(']')
    }
    return { items }
  }

  #name(): string {
    const first = this.#text[this.#at]
    if (first === '"' || first === "'") return this.#string(first)
    const word = this.#skip(WORD)
    if (word === '') throw new SyntaxError('no name')
    return word
  }

  #isClosed(bracket: string): boolean {
    this.#skip(SPACE)
    if (this.#text[this.#at] !== bracket) return false
    this.#at += 1
    return true
  }

  #comma(bracket: string): void {
    this.#skip(SPACE)
    if (this.#text[this.#at] === ',') this.#at += 1
    else if (this.#text[this.#at] !== bracket) throw new SyntaxError('no comma')
  }

  #string(quote: string): string {
    let text = ''
    for (this.#at += 1; this.#text[this.#at] !== quote; this.#at += 1) {
      const char = this.#text[this.#at]
      if (char === undefined) throw new SyntaxError('no end')
      text += char === '\\' ? this.#escape() : char
    }
    this.#at += 1
    return text
  }

  #escape(): string {
    this.#at += 1
    const char = this.#text[this.#at] ?? ''
    if (char !== 'u') return ESCAPES[char] ?? char
    const hex = this.#text.slice(this.#at + 1, this.#at + 5)
    this.#at += 4
    return String.fromCharCode(Number.parseInt(hex, 16))
  }

  #skip(pattern: RegExp): string {
    pattern.lastIndex = this.#at
    const found = pattern.exec(this.#text)?.[0] ?? ''
    this.#at += found.length
    return found
  }
}
