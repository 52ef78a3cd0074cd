import { inputTokens, outputTokens, type Usage } from './usage.ts'

/**
 * What a call has used whose answer does not tell it: what its request asks for (`asked`), and as many tokens as have passed as words. Of a
 * sound or an image that is billed by its length or number no words count: they would stand in the way of that price, since of what tells its
 * tokens those are billed. `told`: what is known all the same.
 *
 * @example
 * estimatedUsage(NO_USAGE, { inputText: 900 }, 12).outputText // 12
 */
export function estimatedUsage(told: Usage, asked: Partial<Usage>, words: number): Usage {
  const outputText = Math.max(outputTokens(told), isBilledByPieces(asked) ? 0 : words)
  return { ...told, ...asked, outputText, outputReasoning: 0 }
}

/** Whether a usage that is estimated has anything that may be wrong: characters are known from the request. */
export function isGuessed(usage: Usage): boolean {
  return inputTokens(usage) + outputTokens(usage) > 0 || isBilledByPieces(usage)
}

function isBilledByPieces({ seconds = 0, images = 0, inputAudio = 0 }: Partial<Usage>): boolean {
  return (seconds > 0 && inputAudio === 0) || images > 0
}
