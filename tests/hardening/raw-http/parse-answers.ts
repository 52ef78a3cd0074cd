/** The answers on a connection. */
export interface Answers {
  readonly statuses: readonly number[]
  /** What stands behind the last whole answer. */
  readonly rest: string
}

const HEAD = /^HTTP\/1\.1 (\d{3}) [^\r\n]*\r\n((?:[^\r\n]+\r\n)*)\r\n/

/** Cuts what came back into answers; interim ones (1xx) are none. `methods` are those of the requests: a HEAD is answered without a body. */
export function parseAnswers(received: Buffer, methods: readonly string[]): Answers {
  let text = received.toString('latin1')
  const statuses: number[] = []
  for (;;) {
    const head = HEAD.exec(text)
    if (head === null) return { statuses, rest: text }
    const [all, code = '', fields = ''] = head
    const status = Number(code)
    const length = methods[statuses.length] === 'HEAD' || status < 200 ? 0 : lengthOf(fields, text.slice(all.length))
    if (length === undefined || text.length < all.length + length) return { statuses, rest: text }
    text = text.slice(all.length + length)
    if (status >= 200) statuses.push(status)
  }
}

/** How many characters a body has on the wire; undefined: its end has not come. */
function lengthOf(fields: string, text: string): number | undefined {
  const given = /^content-length: (\d+)\r$/im.exec(fields)?.[1]
  if (given !== undefined) return Number(given)
  // Without either it goes on to the connection's end.
  if (!/^transfer-encoding: chunked\r$/im.test(fields)) return text.length
  const end = text.indexOf('0\r\n\r\n')
  return end === -1 ? undefined : end + 5
}
