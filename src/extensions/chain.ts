import type { ChainDeps, Forward, RunFacts } from './chain-deps.ts'
import { ChainRun } from './chain-run.ts'
import type { ExtensionLog } from './extension.ts'
import type { LoadedExtension } from './loaded-extension.ts'

/** The extensions of a configuration, in their order. */
export interface Chain {
  /** There are none: nothing need be run. */
  readonly isEmpty: boolean
  /**
   * Has the extensions answer a request; `last` stands behind them, and may be called never, once or several times.
   *
   * Rejects with an `ApiError`, an extension's own or `extension_failed`, or with whatever `last` rejects with.
   */
  readonly run: (facts: RunFacts, last: Forward) => Promise<Response>
  /** Resolves when what goes on behind answers (`context.waitUntil`) has ended. */
  readonly settle: () => Promise<void>
}

/** The chain without a link: whoever asks it goes on by themselves. */
export const NO_EXTENSIONS: Chain = {
  isEmpty: true,
  run: () => Promise.reject(new Error('there is no extension')),
  settle: () => Promise.resolve(),
}

/**
 * Makes the onion of extensions.
 *
 * One that throws, or takes longer than it may, is a line of the log; its `onError` says whether the request fails with
 * `extension_failed`, or goes on without it: with the request that it was given, or with what `next` has given it. Its time is
 * that of its own work in one stretch: it stands still while `next`, `context.call`, the caller's upload or the upstream's
 * answer is waited for, and begins anew behind that. It ends with the `Response`. Work that never gives up the thread can't be
 * ended by anything.
 *
 * @example
 * const chain = createChain(loaded, deps)
 * const response = chain.isEmpty ? await last(outgoing) : await chain.run(facts, last)
 */
export function createChain(extensions: readonly LoadedExtension[], deps: ChainDeps): Chain {
  const { pending } = deps

  const keep = (work: Promise<unknown>, log: ExtensionLog): void => {
    const ended = work.then(
      () => undefined,
      (cause: unknown) => log.error({ err: cause }, 'extension failed behind its answer (waitUntil)'),
    )
    pending.add(ended)
    void ended.finally(() => pending.delete(ended))
  }
  return {
    isEmpty: extensions.length === 0,
    run: (facts, last) => new ChainRun(extensions, facts, deps, last, keep).answer(),
    async settle() {
      while (pending.size > 0) await Promise.all(pending)
    },
  }
}
