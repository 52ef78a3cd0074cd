import { expect, test } from 'bun:test'
import { openRawClient, postText, sendRaw } from '../helpers/raw-client.ts'
import { hasHead } from '../helpers/received-answers.ts'
import { startGateway } from '../helpers/start-gateway.ts'

const KEY = { Authorization: 'Bearer sk-mine' }
const BODY = '{"model":"m","input":"x"}'
const SURPLUS = 'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 15\r\n\r\n{"not":"yours"}'

/** Heads of answers that end there. */
const BODILESS: Readonly<Record<string, string>> = {
  '204': 'HTTP/1.1 204 No Content\r\n\r\n',
  '204 that tells a length': `HTTP/1.1 204 No Content\r\nContent-Length: ${SURPLUS.length}\r\n\r\n`,
  '205': 'HTTP/1.1 205 Reset Content\r\nContent-Length: 0\r\n\r\n',
  '304': 'HTTP/1.1 304 Not Modified\r\n\r\n',
  '304 that tells a length': `HTTP/1.1 304 Not Modified\r\nContent-Length: ${SURPLUS.length}\r\n\r\n`,
  '200 without a byte': 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n',
  '403 without a byte': 'HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n',
}

for (const [way, path] of [
  ['the standard fetch', '/v1/responses'],
  ['the exact one', "/v1/responses?q='a'"],
] as const) {
  test.each(Object.keys(BODILESS))(
    `what comes behind a %s is never the answer to the next call: ${way}`,
    async (name) => {
      const held: ((bytes: string) => void)[] = []
      const gateway = await startGateway({
        upstreams: {
          openai: async (request, { write, json }) => {
            await request.body
            if (gateway.upstreams.openai.requests.length === 1) {
              write(BODILESS[name] ?? '')
              held.push(write)
              return
            }
            // The first call's surplus comes when a next one has been sent, wherever that was sent to.
            for (const late of held.splice(0)) late(SURPLUS)
            setTimeout(() => json({ is: 'yours' }), 50)
          },
        },
      })
      try {
        // Its head is all of it, whatever length that tells.
        const client = await openRawClient(gateway.port)
        client.write(postText(path, BODY, KEY))
        const first = await client.until(hasHead)
        expect(first.toString()).toStartWith(`HTTP/1.1 ${name.slice(0, 3)} `)
        client.leave()
        const next = await Promise.all([1, 2, 3].map(() => sendRaw(gateway.port, postText(path, BODY, KEY))))
        expect(next.map(({ status }) => status)).toEqual([200, 200, 200])
        expect(next.map((answer) => answer.json())).toEqual([{ is: 'yours' }, { is: 'yours' }, { is: 'yours' }])
      } finally {
        await gateway.stop()
      }
    },
  )
}
