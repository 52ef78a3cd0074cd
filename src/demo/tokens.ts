// A character of a script that is written without spaces is a token of its own; elsewhere a word is one, together with
// the space before it. The length is bounded so that a megabyte without spaces does not count as one token.
const TOKEN =
  /\s*(?:[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]|[^\s\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]{1,24})|\s+/gu

/** The simulated tokens of a text: words, or single characters in Chinese and Japanese. Joined, they are the text again. */
export function splitTokens(text: string): string[] {
  return text.match(TOKEN) ?? []
}

/** How many simulated tokens a text has. */
export function countTokens(text: string): number {
  return splitTokens(text).length
}

/** The usage block of a chat or text completion (OpenAI specification: CompletionUsage). */
export function completionUsage(promptTokens: number, completionTokens: number) {
  return {
    prompt_tokens: promptTokens,
    completion_tokens: completionTokens,
    total_tokens: promptTokens + completionTokens,
    prompt_tokens_details: { cached_tokens: 0, audio_tokens: 0 },
    completion_tokens_details: {
      reasoning_tokens: 0,
      audio_tokens: 0,
      accepted_prediction_tokens: 0,
      rejected_prediction_tokens: 0,
    },
  }
}

/** Takes the first of each list, then the second of each, and so on. */
export function interleaved<T>(lists: readonly (readonly T[])[]): T[] {
  const longest = lists.reduce((most, list) => Math.max(most, list.length), 0)
  return Array.from({ length: longest }, (_, at) => lists.flatMap((list) => list.slice(at, at + 1))).flat()
}

/** The JSON of a call's arguments in pieces of a few characters, so that clients have to put them together. */
export function argumentPieces(json: string): string[] {
  return splitTokens(json).flatMap((token) => token.match(/.{1,8}/gsu) ?? [])
}
