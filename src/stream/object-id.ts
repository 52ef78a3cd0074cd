/** How far into an answer the id of its object is looked for. */
const CHARS_MAX = 4096

/**
 * Makes what finds the first id in the beginning of an answer, in however many pieces that comes: the id of the object that
 * the answer is, or that its events are about. It is given chunk after chunk, and says whether it needs more of them.
 *
 * @example
 * const needsMore = findObjectId((id) => remember(id))
 * for await (const chunk of body) if (!needsMore(chunk)) break
 */
export function findObjectId(onId: (id: string) => void): (chunk: Uint8Array) => boolean {
  const decoder = new TextDecoder()
  let text = ''
  return (chunk) => {
    text += decoder.decode(chunk.subarray(0, CHARS_MAX - text.length), { stream: true })
    const id = /"id"\s*:\s*"([\w-]{8,256})"/.exec(text)?.[1]
    if (id !== undefined) onId(id)
    return id === undefined && text.length < CHARS_MAX
  }
}
