import type { Arrival } from '../caps/read-request.ts'

/** Reads a request of the grammar as an upstream would get it, were there nobody between. */
export function arrivalOf(bytes: Uint8Array): Arrival {
  const text = Buffer.from(bytes)
  const end = text.indexOf('\r\n\r\n')
  const [line = '', ...lines] = text.subarray(0, end).toString('latin1').split('\r\n')
  // Of two of one name, the first.
  const headers = new Map(
    lines.toReversed().map((one) => {
      const colon = one.indexOf(':')
      return [one.slice(0, colon).toLowerCase(), one.slice(colon + 1).trim()] as const
    }),
  )
  return {
    target: line.split(' ')[1] ?? '',
    header: (name) => headers.get(name.toLowerCase()),
    body: text.subarray(end + 4),
  }
}

/** Writes what an upstream got, for another one to read. */
export function bytesOf({ target, header, body }: Arrival): Uint8Array {
  const names = ['Content-Type', 'Content-Encoding']
  const lines = names.flatMap((name) => {
    const value = header(name)
    return value === undefined ? [] : [`${name}: ${value}\r\n`]
  })
  const head = `POST ${target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: ${body.byteLength}\r\n`
  return Buffer.concat([Buffer.from(`${head}${lines.join('')}\r\n`, 'latin1'), body])
}
