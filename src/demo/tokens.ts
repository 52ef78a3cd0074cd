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
