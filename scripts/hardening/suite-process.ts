/** One suite in a process of its own, so that none can spoil another's run: started by `run-suite.ts`, which it tells all. */
import type { HardeningResult } from '../../tests/hardening/suite.ts'
import { loadSuiteNamed } from '../../tests/hardening/suites.ts'

/** What the process is told, as JSON in its one argument. */
export interface SuiteOrder {
  readonly folder: string
  readonly name: string
  readonly seed: number
  readonly isShort: boolean
  readonly only: string | undefined
}

/** What the process tells. */
export type SuiteMessage =
  | { readonly kind: 'progress'; readonly line: string }
  | { readonly kind: 'proved' }
  | { readonly kind: 'result'; readonly result: HardeningResult }
  | { readonly kind: 'error'; readonly message: string }

function tell(message: SuiteMessage): Promise<void> {
  return new Promise((resolve) => void process.send?.(message, () => resolve()))
}

function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown)
}

async function run({ folder, name, seed, isShort, only }: SuiteOrder): Promise<void> {
  const suite = await loadSuiteNamed(folder, name)
  // Whoever reruns one case knows by now that the suite can fail.
  if (only === undefined) {
    await suite.prove().catch((thrown: unknown) => {
      throw new Error(`The suite did not show that it can fail: ${messageOf(thrown)}`)
    })
    await tell({ kind: 'proved' })
  }
  const report = (line: string): void => void tell({ kind: 'progress', line })
  await tell({ kind: 'result', result: await suite.run({ seed, isShort, only, report }) })
}

if (import.meta.main) {
  try {
    await run(JSON.parse(process.argv[2] ?? '') as SuiteOrder)
    process.exit(0)
  } catch (thrown) {
    await tell({ kind: 'error', message: messageOf(thrown) })
    process.exit(1)
  }
}
