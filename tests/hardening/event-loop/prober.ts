/**
 * A program of its own, which asks two servers at the same moments, again and again, on a connection that stays:
 * `prober.ts PORT PID PORT [chat]`, for `/health` or a small chat. For each line on its input it prints what it has seen since the last one, as JSON: the longest that the
 * first took, in milliseconds, and the longest that the second, which does nothing, took.
 *
 * Of the first one's time is taken off what the machine has kept its thread, and this one's, waiting for a processor (Linux's
 * `schedstat`): what is left is its own doing.
 */
import { readFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'

const EVERY_MS = 3
const NS_PER_MS = 1e6
const P99 = 0.99
const [portOfOne = 0, pidOfOne = 0, portOfOther = 0] = process.argv.slice(2).map(Number)
const CHAT = '{"model":"m","messages":[{"role":"user","content":"hi"}]}'
const CHAT_HEAD = `POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer sk-anything\r\nContent-Type: application/json\r\nContent-Length: ${CHAT.length}\r\n\r\n`
const REQUEST = process.argv[5] === 'chat' ? CHAT_HEAD + CHAT : 'GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n'

interface Asker {
  ask(): Promise<number>
}

function asker(port: number): Asker {
  let answered: (() => void) | undefined
  const socket: Socket = connect(port, '127.0.0.1')
  socket.setNoDelay(true)
  socket.on('data', () => {
    answered?.()
    answered = undefined
  })
  socket.on('error', (error) => {
    throw error
  })
  return {
    ask: () =>
      new Promise((resolve) => {
        const began = performance.now()
        answered = () => resolve(performance.now() - began)
        socket.write(REQUEST)
      }),
  }
}

const one = asker(portOfOne)
const other = asker(portOfOther)
let isWanted = false
/** How long the main thread of a process has waited for a processor, in milliseconds; 0 where the system does not tell. */
function waitedFor(pid: number): number {
  try {
    return Number(readFileSync(`/proc/${pid}/task/${pid}/schedstat`, 'utf8').split(' ')[1]) / NS_PER_MS
  } catch {
    return 0
  }
}

const waited = (): number => waitedFor(pidOfOne) + waitedFor(process.pid)

let seen: { readonly one: number; readonly other: number; readonly waited: number }[] = []

async function probe(): Promise<never> {
  for (;;) {
    const before = waited()
    const [first, second] = await Promise.all([one.ask(), other.ask()])
    seen.push({ one: first, other: second, waited: waited() - before })
    // Not before: what is under way when somebody asks for it belongs to it.
    if (isWanted) process.stdout.write(`${JSON.stringify(summary())}\n`)
    isWanted = false
    await Bun.sleep(EVERY_MS)
  }
}

/** All in milliseconds, but how often it has asked. */
function summary(): Readonly<Record<'hold' | 'seen' | 'machine' | 'p99' | 'asked', number>> {
  const taken = seen
  seen = []
  const own = taken.map((pair) => pair.one - pair.waited)
  return {
    hold: Math.max(0, ...own),
    seen: Math.max(0, ...taken.map((pair) => pair.one)),
    machine: Math.max(0, ...taken.map((pair) => pair.other)),
    p99: own.toSorted((a, b) => a - b)[Math.floor(own.length * P99)] ?? 0,
    asked: taken.length,
  }
}

void probe()
for await (const _ of console) isWanted = true
