import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { provideTool, readVersion } from '../provide-tool.ts'
import { type Gateway, PLAIN, type Place } from './gateway.ts'
import { WORKERS } from './workers.ts'

/**
 * Settings from HAProxy's configuration manual: `http-reuse always`, for a server that can take any client's request on any
 * connection; a pool without a limit of its own; `http-no-delay`, so that a chunk does not wait for the next one; no logs.
 * One thread unless told otherwise, as NexCode has one worker.
 */
function configuration({ port, upstreamPort }: Place): string {
  // Without the line it takes all cores.
  const threads = WORKERS === 'auto' ? '' : `nbthread ${WORKERS ?? 1}`
  return `global
  ${threads}
  maxconn 8192
defaults
  mode http
  option http-keep-alive
  option http-no-delay
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  timeout http-keep-alive 60s
frontend callers
  bind 127.0.0.1:${port} backlog 4096
  default_backend openai
backend openai
  http-reuse always
  server upstream 127.0.0.1:${upstreamPort} pool-max-conn -1
`
}

/** HAProxy: what the leanest proxy written in C costs. */
export const haproxy: Gateway = {
  ...PLAIN,
  name: 'haproxy',
  kind: 'limit',
  settings: `nbthread ${WORKERS ?? 1}, kept-alive upstream connections shared by all callers, no log`,
  prepare: async () => readVersion([provideTool('haproxy'), '-v']),
  launch: (place) => {
    mkdirSync(place.dir, { recursive: true })
    const path = join(place.dir, 'haproxy.cfg')
    writeFileSync(path, configuration(place))
    return { command: [provideTool('haproxy'), '-db', '-q', '-f', path] }
  },
}
