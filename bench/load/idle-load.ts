/**
 * Opens a number of connections, sends a request on each, waits until all of them are answered, and then does nothing until its
 * standard input ends. A process of its own, so that what it holds is not the bench's. `bun bench/load/idle-load.ts
 * <connections> <a Target as JSON>`; it prints the number of connections when all are idle.
 */
import type { Target } from './load.ts'

const AT_ONCE = 20

const connections = Number(process.argv[2])
const target = JSON.parse(process.argv[3] ?? '') as Target
const url = new URL(target.url)
const head = Object.entries({ Host: url.host, ...target.headers }).map(([name, value]) => `${name}: ${value}\r\n`)
const request = `POST ${url.pathname} HTTP/1.1\r\n${head.join('')}Content-Length: ${Buffer.byteLength(target.body)}\r\n\r\n${target.body}`

/** Opens a connection; resolves when its request has been answered: a whole body, or a stream's first event. */
async function openOne(): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  let answer = ''
  await Bun.connect({
    hostname: url.hostname,
    port: Number(url.port),
    socket: {
      open: (socket) => {
        socket.write(request)
      },
      data: (_, bytes) => {
        answer += bytes.toString('latin1')
        if (!answer.startsWith('HTTP/1.1 200')) reject(new Error(`answered ${answer.slice(0, 80)}`))
        // The mock's answer ends with its last member, an event with an empty line, in a chunk or not.
        if (/\}\n\n|"fp_bench"\}|\}\s*0\r\n\r\n$/.test(answer)) resolve()
      },
      close: () => reject(new Error('the connection was closed')),
      error: (_, cause) => reject(cause),
    },
  })
  await promise
}

let opened = 0
async function openSome(): Promise<void> {
  while (opened < connections) {
    opened += 1
    await openOne()
  }
}

await Promise.all(Array.from({ length: AT_ONCE }, openSome))
process.stdout.write(`${opened}\n`)
await Bun.stdin.text()
process.exit(0)
