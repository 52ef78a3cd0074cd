import type { Place } from './places.ts'
import type { Sink } from './sink.ts'

/** What an upstream answers with, as the request asks it to: these two headers say so. */
export const REDIRECT_STATUS = 'x-redirect-status'
export const REDIRECT_TO = 'x-redirect-to'

const STATUSES = [300, 301, 302, 303, 305, 307, 308] as const

/** Where a redirect may lead, from `/v1/files/f` and the like. */
const LOCATIONS: Readonly<Record<string, (sink: Sink, path: string) => string>> = {
  'same-origin': () => '/elsewhere',
  'other-port': ({ authority }, path) => `http://${authority}${path}`,
  'other-port-slash': ({ authority }, path) => `http://${authority}${path}/`,
  'other-host': ({ port }, path) => `http://localhost:${port}${path}`,
  'user-info': ({ authority }, path) => `http://me:pw@${authority}${path}/`,
  'scheme-relative': ({ authority }, path) => `//${authority}${path}/`,
  'other-scheme': ({ authority }, path) => `https://${authority}${path}/`,
  backslashes: ({ authority }, path) => `\\\\${authority}${path}/`,
  'query-only': ({ authority }) => `?next=http://${authority}/`,
}

const CALLS = [
  { name: 'get', method: 'GET', target: '/v1/files/f' },
  {
    name: 'chat',
    method: 'POST',
    target: '/v1/chat/completions',
    body: '{"model":"m","messages":[{"role":"user","content":"hi"}]}',
  },
  {
    name: 'upload',
    method: 'POST',
    target: '/v1/uploads/u/parts',
    body: 'some bytes',
    type: 'application/octet-stream',
  },
  { name: 'delete', method: 'DELETE', target: '/v1/files/f' },
  { name: 'websocket', method: 'GET', target: '/v1/realtime?model=m' },
] as const
const WEBSOCKET = [
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
]

/** Every redirect of every call: statuses × where they lead × methods. */
export const REDIRECTS: readonly Place[] = STATUSES.flatMap((status) =>
  Object.entries(LOCATIONS).flatMap(([where, locate]) =>
    CALLS.map(({ name, ...call }) => ({
      id: `redirect/${status}/${where}/${name}`,
      write: (sink: Sink) => ({
        ...call,
        lines: [
          `${REDIRECT_STATUS}: ${status}`,
          `${REDIRECT_TO}: ${locate(sink, call.target.split('?', 1)[0] ?? '')}`,
          ...(name === 'websocket' ? WEBSOCKET : []),
        ],
      }),
    })),
  ),
)
