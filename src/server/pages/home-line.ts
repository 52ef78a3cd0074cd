/**
 * What `/` answers: one line of plain text that says what this is and where to read on.
 *
 * @example
 * new Response(renderHomeLine('0.1.0'), { headers: { 'content-type': 'text/plain; charset=utf-8' } })
 */
export function renderHomeLine(version: string): string {
  return `NexCode ${version}, an OpenAI-compatible gateway: the API is at /v1, the documentation at /docs.\n`
}
