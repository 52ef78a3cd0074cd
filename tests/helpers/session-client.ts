import { createQueue } from './queue.ts'
import type { SessionEvent } from './websocket-upstream.ts'

/** A client of a session of JSON events. */
export interface SessionClient {
  readonly socket: WebSocket
  readonly send: (event: object | string) => void
  /** Resolves with the next event, or with the close of the session; each is given once. */
  readonly next: () => Promise<
    SessionEvent | { readonly type: 'closed'; readonly code: number; readonly reason: string }
  >
  /** Resolves with the next event of that type. */
  readonly until: (type: string) => Promise<SessionEvent>
  readonly close: () => void
}

/** Opens a session with a key. Rejects where it is refused. */
export async function openSession(url: string, path: string, key: string): Promise<SessionClient> {
  const queue = createQueue<Awaited<ReturnType<SessionClient['next']>>>()
  const socket = new WebSocket(`${url.replace('http', 'ws')}${path}`, { headers: { authorization: `Bearer ${key}` } })
  const opened = Promise.withResolvers<void>()
  socket.onopen = () => opened.resolve()
  socket.onmessage = ({ data }) => queue.add(JSON.parse(String(data)) as SessionEvent)
  socket.onclose = ({ code, reason }) => {
    queue.add({ type: 'closed', code, reason })
    opened.reject(new Error(`The session was closed: ${code} ${reason}`))
  }
  await opened.promise
  return {
    socket,
    send: (event) => socket.send(typeof event === 'string' ? event : JSON.stringify(event)),
    next: queue.next,
    async until(type) {
      for (;;) {
        const event = await queue.next()
        if (event.type === type) return event as SessionEvent
        if (event.type === 'closed') throw new Error(`The session ended: ${JSON.stringify(event)}`)
      }
    },
    close: () => socket.close(),
  }
}
