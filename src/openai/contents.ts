/** The last segments of paths whose answers are somebody's own content: a file's, a video's, or what was said. */
const CONTENTS = /(?:^|\/)(?:content|audio\/(?:speech|transcriptions|translations))\/?$/

/**
 * Whether the answer of an endpoint (its path below `/v1/`) is content, whose kind says nothing of who answered: a file may be
 * a web page, and some servers call the text of a transcription `text/html`.
 *
 * @example
 * const mayBePage = holdsContent(endpointOf(exchange.target))
 */
export function holdsContent(endpoint: string): boolean {
  return CONTENTS.test(endpoint)
}
