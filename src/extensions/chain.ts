import type { Forward } from './chain-request.ts'
import { ChainRun, type RunDeps, type RunFacts } from './chain-run.ts'
import type { ExtensionLog } from './extension.ts'
import type { LoadedExtension } from './load/load-extensions.ts'

/** The dependencies of a chain; all of them come from the composition root. */
export interface ChainDeps extends RunDeps {
  /** Work that goes on behind answers (`context.waitUntil`). The chains before and after a reload share it. */
  readonly pending: Set<Promise<void>>
}

/** The extensions of a configuration, in their order. */
export interface Chain {
  /** Whether there is no extension, and so nothing to run. */
  readonly isEmpty: boolean
  /**
   * Has the extensions answer a request. `forward` stands behind the last one, and may be called never, once or several times.
   *
   * Rejects with an `ApiError`, an extension's own or `extension_failed`, or with the error of `forward`.
   */
  readonly run: (facts: RunFacts, forward: Forward) => Promise<Response>
  /** Resolves when all work behind answers has ended. */
  readonly settle: () => Promise<void>
}

/** The chain without an extension. It can't be run. */
export const NO_EXTENSIONS: Chain = {
  isEmpty: true,
  run: () => Promise.reject(new Error('there is no extension')),
  settle: () => Promise.resolve(),
}

/**
 * Makes the chain of extensions, one inside the other.
 *
 * An extension that throws, or works longer than it may, is logged. Its `onError` decides whether the request fails with
 * `extension_failed` or goes on without it: with the request that the extension was given, or with the answer that `next` has given it.
 *
 * The time of an extension counts in stretches of its own work. It stands still while `next`, `context.call`, the caller's upload or the
 * upstream's answer is awaited, starts from zero behind that, and ends with the `Response`. Nothing can end work that never gives up the
 * thread.
 *
 * @example
 * const chain = createChain(loaded, deps)
 * const response = chain.isEmpty ? await forward(request) : await chain.run(facts, forward)
 */
export function createChain(extensions: readonly LoadedExtension[], deps: ChainDeps): Chain {
  const { pending } = deps

  const waitUntil = (work: Promise<unknown>, log: ExtensionLog): void => {
    const ended = work.then(
      () => undefined,
      (cause: unknown) => log.error({ err: cause }, 'extension failed behind its answer (waitUntil)'),
    )
    pending.add(ended)
    void ended.finally(() => pending.delete(ended))
  }
  return {
    isEmpty: extensions.length === 0,
    run: (facts, forward) => new ChainRun(extensions, facts, deps, forward, waitUntil).answer(),
    async settle() {
      while (pending.size > 0) await Promise.all(pending)
    },
  }
}
