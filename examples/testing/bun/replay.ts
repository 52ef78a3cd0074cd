import { existsSync } from 'node:fs'

const HERE = new URL('.', import.meta.url).pathname
const CASSETTES = `${HERE}../cassettes`

/** NexCode, answering from the cassettes. */
export interface Replay {
  /** For the client, with `/v1`. */
  readonly baseURL: string
  readonly stop: () => Promise<void>
}

/** Starts `nexcode replay` on a free port; with RECORD=1 `nexcode record`, which asks the real API, and keeps what it says. */
export async function startReplay(): Promise<Replay> {
  const isRecording = Bun.env['RECORD'] === '1'
  const child = Bun.spawn([...nexcode(), ...(isRecording ? ['record', '--to'] : ['replay', '--from']), CASSETTES], {
    env: { ...Bun.env, HOST: '127.0.0.1', PORT: '0', LOG_FORMAT: 'json', LOG_LEVEL: 'info' },
    stdout: 'pipe',
    stderr: 'inherit',
  })
  const baseURL = await listening(child.stdout)
  return {
    baseURL,
    async stop() {
      child.kill()
      await child.exited
    },
  }
}

/** The program: NEXCODE, or `nexcode` on the PATH, or the sources that this example is part of. */
function nexcode(): string[] {
  const named = Bun.env['NEXCODE']
  const command = Bun.which(named ?? 'nexcode')
  if (command !== null) return [command]
  const sources = `${HERE}../../../src/main.ts`
  if (named === undefined && existsSync(sources)) return [process.execPath, sources]
  throw new Error('NexCode is not there: put nexcode on the PATH, or set NEXCODE to where it is')
}

/** Reads the log until the server listens; what follows is read too, so that the log never waits for a reader. */
function listening(log: ReadableStream<Uint8Array>): Promise<string> {
  return new Promise((resolve, reject) => {
    const read = async (): Promise<void> => {
      const decoder = new TextDecoder()
      let text = ''
      for await (const chunk of log) {
        text += decoder.decode(chunk, { stream: true })
        const found = /"base_url":"([^"]+)"/.exec(text)?.[1]
        if (found !== undefined) resolve(found)
      }
      reject(new Error(`nexcode has ended: ${text}`))
    }
    read().catch(reject)
  })
}
