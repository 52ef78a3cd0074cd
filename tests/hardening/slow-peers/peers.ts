/** Clients that are there for as long as they are wanted. */
export interface Peers {
  /** Gives how many were connected still; undefined: nobody knows. */
  readonly stop: () => Promise<number | undefined>
}

/** One kind of slow client: how they are started, and how much each is let in with. */
export interface PeerKind {
  readonly name: string
  /** Bytes that one of them sends, or is given up to what a connection takes at once. */
  readonly bytesEach: number
  /** Whether one of them has more wait for it than the system takes, so that a budget has to bound how many there are. */
  readonly isHeavy?: boolean
  /** What has to be there; undefined: nothing that is not. */
  readonly tool?: string
  readonly start: (port: number, count: number) => Promise<Peers>
}

const PROGRAM = new URL('./peers-program.ts', import.meta.url).pathname
/** What a head may have, what a connection costs at least, and what is read ahead of an answer. */
const HEAD_BYTES = 16 * 1024
const CONNECTION_BYTES = 4 * 1024
const ANSWER_BYTES = 256 * 1024
/** Of an answer that is longer than all buffers, each connection takes more at once: 2.5 to 4 MiB on Linux. */
const LONG_ANSWER_BYTES = 1024 * 1024
const BODY_BYTES = 10_000
const TOOL = 'slowhttptest'
const TOOL_SECONDS = 8
const TOOL_READY_MS = 2500

function ownPeers(name: string): PeerKind['start'] {
  return async (port, count) => {
    const child = Bun.spawn([process.execPath, PROGRAM, name, String(port), String(count)], {
      stdin: 'pipe',
      stdout: 'pipe',
      stderr: 'inherit',
    })
    const reader = child.stdout.getReader()
    let said = ''
    const hear = async (word: RegExp): Promise<string | undefined> => {
      for (;;) {
        const found = word.exec(said)
        if (found !== null) return found[1]
        const { value } = await reader.read()
        if (value === undefined) return undefined
        said += new TextDecoder().decode(value)
      }
    }
    await hear(/ready/)
    return {
      async stop() {
        child.stdin.end()
        const open = await hear(/open (\d+)\n/)
        await child.exited
        return open === undefined ? undefined : Number(open)
      },
    }
  }
}

function toolPeers(mode: readonly string[], path: string): PeerKind['start'] {
  return async (port, count) => {
    const options = ['-c', String(count), '-r', '500', '-i', '1', '-l', String(TOOL_SECONDS), '-v', '0']
    const url = `http://127.0.0.1:${port}${path}`
    const child = Bun.spawn([TOOL, ...mode, ...options, '-u', url], { stdout: 'ignore', stderr: 'ignore' })
    // It opens so many a second, and says nothing of it that could be waited for.
    await Bun.sleep(TOOL_READY_MS)
    return {
      async stop() {
        child.kill('SIGINT')
        await child.exited
        return undefined
      },
    }
  }
}

/** All of them; the last three are slowhttptest's, where that is installed. */
export const PEER_KINDS: readonly PeerKind[] = [
  { name: 'idle', bytesEach: CONNECTION_BYTES },
  { name: 'slow-headers', bytesEach: CONNECTION_BYTES },
  { name: 'slow-body', bytesEach: CONNECTION_BYTES + BODY_BYTES },
  { name: 'slow-read', bytesEach: CONNECTION_BYTES + ANSWER_BYTES },
  { name: 'never-read', bytesEach: CONNECTION_BYTES + ANSWER_BYTES },
  { name: 'endless-headers', bytesEach: HEAD_BYTES },
  { name: 'never-read-long', bytesEach: CONNECTION_BYTES + LONG_ANSWER_BYTES, isHeavy: true },
  { name: 'never-read-websocket', bytesEach: CONNECTION_BYTES + LONG_ANSWER_BYTES, isHeavy: true },
  { name: 'deaf-websocket', bytesEach: CONNECTION_BYTES + LONG_ANSWER_BYTES, isHeavy: true },
]
  .map((kind): PeerKind => ({ ...kind, start: ownPeers(kind.name) }))
  .concat([
    {
      name: 'slowhttptest-headers',
      bytesEach: CONNECTION_BYTES,
      tool: TOOL,
      start: toolPeers(['-H'], '/v1/models'),
    },
    {
      name: 'slowhttptest-body',
      bytesEach: CONNECTION_BYTES + BODY_BYTES,
      tool: TOOL,
      start: toolPeers(['-B', '-s', String(BODY_BYTES)], '/v1/files'),
    },
    {
      name: 'slowhttptest-read',
      bytesEach: CONNECTION_BYTES + ANSWER_BYTES,
      tool: TOOL,
      start: toolPeers(['-X', '-w', '512', '-y', '1024', '-n', '1', '-z', '32'], '/v1/models?large'),
    },
  ])
