/** The members in which answers have their text, in all APIs. Those of an event of OpenAI's Responses repeat what its `delta`s had. */
const TEXT_MEMBERS: readonly string[] = [
  ...['content', 'text', 'reasoning_content', 'reasoning', 'thinking', 'arguments', 'partial_json', 'refusal'],
  ...['response', 'output_text'],
].map((name) => `"${name}":`)
const DELTA = '"delta":'

/**
 * Counts the text in an answer while its bytes pass, without parsing them: that of the members in which answers have text. It is for
 * estimates only.
 *
 * @example
 * const seen = new SeenText()
 * bytes += seen.add('data: {"choices":[{"delta":{"content":"Hello"}}]}\n\n') // 5
 */
export class SeenText {
  /** The member in which the last text was. */
  #member: string | undefined
  /** Whether the last chunk has ended within a text. */
  #isInside = false

  /** Takes the next chunk, each of its bytes as one character; gives the bytes of text in it. */
  add(chunk: string): number {
    let bytes = 0
    let from = 0
    if (this.#isInside) {
      const end = this.#endOfText(chunk, 0)
      bytes = end
      from = end
    }
    const member = this.#member
    if (member !== undefined) {
      const found = this.#countIn(chunk, member, from)
      if (found > 0 || member === DELTA) return bytes + found
    }
    return bytes + this.#findIn(chunk, from)
  }

  /** Looks for another member with text. */
  #findIn(chunk: string, from: number): number {
    if (this.#member === undefined) {
      const found = this.#countIn(chunk, DELTA, from)
      if (found > 0) {
        this.#member = DELTA
        return found
      }
    }
    let bytes = 0
    for (const member of TEXT_MEMBERS) {
      if (member === this.#member) continue
      const found = this.#countIn(chunk, member, from)
      if (found > 0) this.#member = member
      bytes += found
    }
    return bytes
  }

  #countIn(chunk: string, member: string, from: number): number {
    let bytes = 0
    let at = chunk.indexOf(member, from)
    while (at !== -1) {
      let start = at + member.length
      while (chunk[start] === ' ') start += 1
      if (chunk[start] === '"') {
        const end = this.#endOfText(chunk, start + 1)
        bytes += end - start - 1
        start = end
      }
      at = chunk.indexOf(member, start)
    }
    return bytes
  }

  /** Gives where a text ends that goes on at `from`. */
  #endOfText(chunk: string, from: number): number {
    let at = from
    for (;;) {
      const quote = chunk.indexOf('"', at)
      this.#isInside = quote === -1
      if (quote === -1) return chunk.length
      let before = quote - 1
      while (before >= from && chunk[before] === '\\') before -= 1
      if ((quote - before) % 2 === 1) return quote
      at = quote + 1
    }
  }
}
