import type { Settings } from '../../config/settings.ts'
import type { LoadedExtension } from './load-extensions.ts'

/** Extensions could not be loaded. Each problem is a text for a person. */
export class ExtensionsError extends Error {
  readonly problems: readonly string[]

  constructor(problems: readonly string[]) {
    super(problems.join(''))
    this.name = 'ExtensionsError'
    this.problems = problems
  }
}

/**
 * Loads all extensions of some settings. The loader itself is imported only where there are extensions.
 *
 * Throws an `ExtensionsError` with all problems.
 *
 * @example
 * const extensions = await loadAll(config.settings)
 */
export async function loadAll({ extensions }: Settings): Promise<readonly LoadedExtension[]> {
  if (extensions.length === 0) return []
  const { loadExtensions, renderExtensionProblems } = await import('./load-extensions.ts')
  const loaded = await loadExtensions(extensions)
  if (loaded.ok) return loaded.extensions
  throw new ExtensionsError(loaded.problems.map((problem) => renderExtensionProblems([problem])))
}
