import type { ReceivedRequest, UpstreamConnection } from '../../helpers/scripted-upstream.ts'

/** What a client got: a status, and how the body ended. */
export interface Seen {
  readonly status: number
  readonly text: string
  readonly end: 'whole' | 'broken' | 'left'
}

/** One kind of exchange: what is sent, what the upstream does, and what the client must see then. */
export interface Kind {
  readonly name: string
  /** How often, in so many of a hundred. */
  readonly share: number
  /** `n` makes it another request. */
  readonly request: (n: number) => {
    readonly path: string
    readonly init: RequestInit
    readonly leavesAfterBytes?: number
  }
  /** None where nothing may arrive. */
  readonly answer: (connection: UpstreamConnection, request: ReceivedRequest) => void | Promise<void>
  readonly isRight: (seen: Seen) => boolean
}

/** The header by which the upstream knows what it is to play. */
export const KIND_HEADER = 'x-soak-kind'

const JSON_TYPE = { 'content-type': 'application/json' }
const EVENTS_TYPE = { 'content-type': 'text/event-stream' }
const COMPLETION = { id: 'chatcmpl-1', object: 'chat.completion', created: 1, model: 'm', usage: { total_tokens: 3 } }
const WHOLE = {
  ...COMPLETION,
  choices: [{ index: 0, message: { role: 'assistant', content: 'x'.repeat(500) }, finish_reason: 'stop' }],
}
const WHOLE_TEXT = JSON.stringify(WHOLE)

function eventOf(content: string, reason: string | null): string {
  const chunk = {
    ...COMPLETION,
    object: 'chat.completion.chunk',
    choices: [{ index: 0, delta: { content }, finish_reason: reason }],
  }
  return `data: ${JSON.stringify(chunk)}\n\n`
}

const EVENTS: readonly string[] = [
  ...Array.from({ length: 20 }, (_, at) => eventOf(`word ${at} `, null)),
  eventOf('', 'stop'),
]
const STREAM_TEXT = `${EVENTS.join('')}data: [DONE]\n\n`

function chat(model: string, more: object): { readonly path: string; readonly init: RequestInit } {
  const body = JSON.stringify({ model, messages: [{ role: 'user', content: 'Say something.' }], ...more })
  return { path: '/v1/chat/completions', init: { method: 'POST', headers: JSON_TYPE, body } }
}

function withHeaders(
  made: ReturnType<typeof chat>,
  headers: Readonly<Record<string, string>>,
): ReturnType<typeof chat> {
  return { ...made, init: { ...made.init, headers: { ...JSON_TYPE, ...headers } } }
}

function streamWhole(connection: UpstreamConnection): void {
  connection.startChunked(200, EVENTS_TYPE)
  for (const event of EVENTS) connection.chunk(event)
  connection.chunk('data: [DONE]\n\n')
  connection.endChunks()
}

/** Writes until the reader has gone. */
async function streamForEver(connection: UpstreamConnection): Promise<void> {
  connection.startChunked(200, EVENTS_TYPE)
  const timer = setInterval(() => connection.chunk(EVENTS[0] as string), 2)
  await connection.closed
  clearInterval(timer)
}

function uploadOf(n: number): FormData {
  const form = new FormData()
  form.set('model', 'whisper-1')
  form.set('file', new Blob([new Uint8Array(32_000).fill(n % 256)]), 'a.wav')
  return form
}

const isWhole = (text: string) => (seen: Seen) => seen.status === 200 && seen.end === 'whole' && seen.text === text

/** What goes on in a gateway on an ordinary day, and on a bad one. */
export const KINDS: readonly Kind[] = [
  {
    name: 'json',
    share: 25,
    request: () => chat('good', {}),
    answer: (to) => to.json(WHOLE),
    isRight: isWhole(WHOLE_TEXT),
  },
  {
    name: 'stream',
    share: 25,
    request: () => chat('good', { stream: true }),
    answer: streamWhole,
    isRight: isWhole(STREAM_TEXT),
  },
  {
    name: 'cached',
    share: 10,
    request: (n) => chat('good', { temperature: 0, seed: n % 50 }),
    answer: (to) => to.json(WHOLE),
    isRight: isWhole(WHOLE_TEXT),
  },
  {
    name: 'idempotent',
    share: 5,
    request: (n) => withHeaders(chat('good', { seed: 1 }), { 'idempotency-key': `key-${n % 50}` }),
    answer: (to) => to.json(WHOLE),
    isRight: isWhole(WHOLE_TEXT),
  },
  {
    name: 'upload',
    share: 5,
    request: (n) => ({ path: '/v1/audio/transcriptions', init: { method: 'POST', body: uploadOf(n) } }),
    answer: async (to, request) => {
      await request.body
      to.json({ text: 'hello' })
    },
    isRight: isWhole('{"text":"hello"}'),
  },
  {
    name: 'leaving',
    share: 10,
    request: () => ({ ...chat('good', { stream: true }), leavesAfterBytes: 300 }),
    answer: streamForEver,
    isRight: ({ status, end }) => status === 200 && end === 'left',
  },
  {
    name: 'cut-stream',
    share: 5,
    request: () => chat('faulty', { stream: true }),
    answer: async (to) => {
      to.startChunked(200, EVENTS_TYPE)
      for (const event of EVENTS.slice(0, 5)) to.chunk(event)
      // Half of a chunk, so that what follows can't be taken for an end.
      to.write('40\r\ndata: {"half')
      await new Promise<void>((resolve) => void to.socket.end(resolve))
    },
    isRight: ({ status, end }) => status === 200 && end === 'broken',
  },
  {
    name: 'failing',
    share: 5,
    request: () => chat('faulty', {}),
    answer: (to) => to.json({ error: { message: 'No.', type: 'server_error', param: null, code: null } }, 500),
    isRight: ({ status }) => status === 500,
  },
  {
    name: 'reset',
    share: 5,
    request: () => chat('faulty', {}),
    answer: (to) => to.reset(),
    isRight: ({ status, text }) => status === 502 && text.includes('"error"'),
  },
  {
    name: 'bad-json',
    share: 5,
    request: () => ({ path: '/v1/chat/completions', init: { method: 'POST', headers: JSON_TYPE, body: '{"model": ' } }),
    answer: () => undefined,
    isRight: ({ status, text }) => status === 400 && text.includes('"error"'),
  },
]

/** Sends one of a kind, and reads the answer as far as the kind does. */
export async function exchange(kind: Kind, url: string, n: number): Promise<Seen> {
  const { path, init, leavesAfterBytes } = kind.request(n)
  const headers = new Headers(init.headers)
  headers.set(KIND_HEADER, kind.name)
  headers.set('authorization', 'Bearer sk-of-a-caller')
  const leave = new AbortController()
  const response = await fetch(url + path, { ...init, headers, signal: leave.signal })
  const decoder = new TextDecoder()
  let text = ''
  try {
    for await (const chunk of response.body ?? []) {
      text += decoder.decode(chunk, { stream: true })
      if (leavesAfterBytes === undefined || text.length < leavesAfterBytes) continue
      leave.abort()
      break
    }
  } catch {
    if (!leave.signal.aborted) return { status: response.status, text, end: 'broken' }
  }
  if (leave.signal.aborted) return { status: response.status, text, end: 'left' }
  return { status: response.status, text, end: 'whole' }
}
