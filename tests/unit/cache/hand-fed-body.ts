/** A body that is given chunk by chunk, by hand. */
export interface HandFed {
  readonly body: ReadableStream<Uint8Array>
  /** How often a chunk was asked for. */
  readonly pulls: () => number
  /** Why it was cancelled; undefined: it was not. */
  readonly cancelled: () => { readonly reason: unknown } | undefined
  readonly give: (chunk: Uint8Array) => void
  readonly end: () => void
  readonly fail: (cause: unknown) => void
}

/** Makes a body that gives what it is told to, and counts what is asked of it. */
export function handFed(): HandFed {
  let controller: ReadableStreamDefaultController<Uint8Array> | undefined
  let pulls = 0
  let cancelled: { readonly reason: unknown } | undefined
  let acts = 0
  let wake: (() => void) | undefined
  const act = (what: (one: ReadableStreamDefaultController<Uint8Array>) => void): void => {
    acts += 1
    if (controller !== undefined) what(controller)
    wake?.()
  }
  const body = new ReadableStream<Uint8Array>(
    {
      start(one) {
        controller = one
      },
      pull() {
        pulls += 1
        // What is given before it is asked for is there at once.
        if (acts >= pulls) return undefined
        return new Promise<void>((resolve) => {
          wake = resolve
        })
      },
      cancel(reason) {
        cancelled = { reason }
      },
    },
    { highWaterMark: 0 },
  )
  return {
    body,
    pulls: () => pulls,
    cancelled: () => cancelled,
    give: (chunk) => act((one) => one.enqueue(chunk)),
    end: () => act((one) => one.close()),
    fail: (cause) => act((one) => one.error(cause)),
  }
}

/** Lets all promises that can go on do so. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve()
}
