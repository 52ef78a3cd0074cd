import { RedisClient } from 'bun'
import type { Deadlines } from '../../timing/deadlines.ts'

const CONNECT_MS = 2_000
const COMMAND_MS = 2_000

/**
 * One connection to Redis, made when it is first needed, and made anew by whoever comes after it was lost.
 *
 * Nothing waits for a server that is away: a command fails at once where the connection does, and takes the connection
 * with it when it gets no answer in time.
 */
export class RedisConnection {
  readonly #url: string
  readonly #deadlines: Deadlines
  #client: RedisClient | undefined
  #connecting: Promise<RedisClient> | undefined
  #isClosed = false

  constructor(url: string, deadlines: Deadlines) {
    this.#url = url
    this.#deadlines = deadlines
  }

  /** Runs commands and gives their result. Rejects where the server is away, refuses, or gives no answer in two seconds. */
  async run<T>(commands: (client: RedisClient) => Promise<T>): Promise<T> {
    const client = this.#client ?? (await this.#connect())
    // Its commands under way all fail with it: on a connection that is dead to one, the others wait in vain too.
    const deadline = this.#deadlines.start(COMMAND_MS, () => client.close())
    try {
      return await commands(client)
    } finally {
      deadline.clear()
    }
  }

  /** Ends it for good. */
  close(): void {
    this.#isClosed = true
    this.#client?.close()
  }

  #connect(): Promise<RedisClient> {
    if (this.#isClosed) return Promise.reject(new Error('The store is closed.'))
    this.#connecting ??= this.#open().finally(() => {
      this.#connecting = undefined
    })
    return this.#connecting
  }

  async #open(): Promise<RedisClient> {
    const client = new RedisClient(this.#url, {
      autoReconnect: false,
      enableOfflineQueue: false,
      connectionTimeout: CONNECT_MS,
    })
    client.onclose = () => {
      if (this.#client === client) this.#client = undefined
    }
    await client.connect()
    if (this.#isClosed) client.close()
    else this.#client = client
    return client
  }
}
