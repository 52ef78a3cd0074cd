import { RedisClient } from 'bun'
import type { Deadlines } from '../../timing/deadlines.ts'

const CONNECT_MS = 2_000
const COMMAND_MS = 2_000

/**
 * One connection to Redis, made at the first command, and made anew by the first command after it was lost.
 *
 * No command waits for a server that is away: it fails at once where the connection fails, and ends the connection when
 * it gets no answer in time.
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
    // All its commands under way fail with it: where one gets no answer, the others wait in vain too.
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
