import type { Extension } from './extension.ts'

/** What becomes of a request when an extension fails: it fails too, or goes on without it. */
export type OnError = 'fail' | 'skip'

/** An extension that is ready to run. */
export interface LoadedExtension {
  readonly name: string
  /** The path of its file. */
  readonly file: string
  readonly extension: Extension
  /** As its schema wants them. */
  readonly options: unknown
  readonly onError: OnError
  /** For each stretch of its own work; 0: none. */
  readonly timeoutMs: number
}
