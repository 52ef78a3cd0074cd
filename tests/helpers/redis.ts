import { RedisClient } from 'bun'
import { LOOK_FOR_ERA, REGISTER_KEYS } from '../../src/storage/redis/redis-claim-scripts.ts'
import { freePort } from './free-port.ts'

const SERVER = Bun.which('redis-server') ?? Bun.which('valkey-server')

/** Why tests with Redis are skipped, as the end of their name; undefined: they are not. */
export const REDIS_MISSING =
  SERVER === null
    ? 'redis-server is missing: install it (Debian and Ubuntu: apt-get install redis-server), and run again'
    : undefined

/** A Redis of a test's own, which keeps nothing when it ends. */
export interface RedisServer {
  readonly url: string
  readonly port: number
  /** Lets it stand still: connections stay, and nothing is answered. */
  readonly pause: () => void
  readonly resume: () => void
  /** Ends it at once, as a crash would. */
  readonly kill: () => Promise<void>
  /** Starts it again, empty, at the same port. */
  readonly restart: () => Promise<void>
}

/** Starts a Redis on a free port of 127.0.0.1, with further arguments; `password`: with one that it asks for. It is settled. */
export async function startRedis(args: readonly string[] = [], password?: string): Promise<RedisServer> {
  const port = await freePort()
  const secured = password === undefined ? args : [...args, '--requirepass', password]
  let child = await launch(port, secured)
  const login = password === undefined ? '' : `:${encodeURIComponent(password)}@`
  const url = `redis://${login}127.0.0.1:${port}`
  await settle(url)
  return {
    url,
    port,
    pause: () => child.kill('SIGSTOP'),
    resume: () => child.kill('SIGCONT'),
    async kill() {
      child.kill('SIGKILL')
      await child.exited
    },
    async restart() {
      child = await launch(port, secured)
    },
  }
}

/** Has it be known for one that nobody has lost claims in: those who meet it need not wait until that is certain. */
async function settle(url: string): Promise<void> {
  const client = new RedisClient(url)
  try {
    await client.send('EVAL', [LOOK_FOR_ERA, '2', ...REGISTER_KEYS, crypto.randomUUID()])
    await client.del(REGISTER_KEYS[1])
  } finally {
    client.close()
  }
}

/** Resolves when it says that it takes connections. */
async function launch(port: number, args: readonly string[]): Promise<Bun.Subprocess<'ignore', 'pipe', 'ignore'>> {
  if (SERVER === null) throw new Error(REDIS_MISSING)
  const options = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', ...args]
  const child = Bun.spawn([SERVER, ...options], { stdin: 'ignore', stdout: 'pipe', stderr: 'ignore' })
  let said = ''
  const decoder = new TextDecoder()
  const output = child.stdout.getReader()
  while (!said.includes('Ready to accept connections')) {
    const { value, done } = await output.read()
    if (done) throw new Error(`redis-server ended: ${said}`)
    said += decoder.decode(value, { stream: true })
  }
  void drain(output)
  return child
}

/** Its further words have to go somewhere, or it would stand still when the pipe is full. */
async function drain(output: { read: () => Promise<{ done: boolean }> }): Promise<void> {
  while (!(await output.read()).done);
}
