import { existsSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { HardeningSuite } from './suite.ts'

/** Where the suites are. */
export const SUITES_FOLDER = fileURLToPath(new URL('.', import.meta.url))

/**
 * Loads the suites of a folder, by number and name. Each has a folder of its name with a `suite.ts` that exports `suite`: the folders
 * are the list.
 *
 * Throws where a suite is not called as its folder is.
 *
 * @example
 * const suites = await loadSuites()
 */
export async function loadSuites(folder: string = SUITES_FOLDER): Promise<readonly HardeningSuite[]> {
  const paths = [...new Bun.Glob('*/suite.ts').scanSync(folder)].map((path) => join(folder, path))
  const suites = await Promise.all(paths.map(loadSuite))
  return suites.sort((left, right) => left.number - right.number || left.name.localeCompare(right.name))
}

/** Loads one by its name; throws where there is none. */
export function loadSuiteNamed(folder: string, name: string): Promise<HardeningSuite> {
  const path = join(folder, name, 'suite.ts')
  if (!existsSync(path)) throw new Error(`There is no ${path}.`)
  return loadSuite(path)
}

async function loadSuite(path: string): Promise<HardeningSuite> {
  const { suite } = (await import(path)) as { readonly suite?: HardeningSuite }
  const name = basename(dirname(path))
  if (suite?.name !== name) throw new Error(`${path} has to export a suite whose name is "${name}".`)
  return suite
}
