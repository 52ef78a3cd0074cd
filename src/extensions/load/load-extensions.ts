import { resolve } from 'node:path'
import type { ExtensionSettings } from '../../config/sections/extensions.ts'
import type { Extension } from '../extension.ts'
import { checkExtension, checkExtensionOptions } from './check-extension.ts'
import { type ExtensionProblem, scanExtension } from './extension-source.ts'
import { forgetModules, importFile, runLeftovers } from './import-afresh.ts'

/** An extension that is ready to run. */
export interface LoadedExtension extends Pick<ExtensionSettings, 'onError' | 'timeoutMs'> {
  readonly name: string
  /** The path of its file. */
  readonly file: string
  readonly extension: Extension
  /** The options of the configuration, checked by the extension's schema, with its defaults. */
  readonly options: unknown
}

/** The part of an extension's settings that loading needs; without `options` there are none. */
export type ExtensionSetting = Omit<ExtensionSettings, 'options'> & Partial<Pick<ExtensionSettings, 'options'>>

/** The result of loading: all extensions, or all problems. */
export type LoadExtensions = (
  | { readonly ok: true; readonly extensions: readonly LoadedExtension[] }
  | { readonly ok: false; readonly problems: readonly ExtensionProblem[] }
) & {
  /** Absolute paths of all files that the extensions are made of, also of missing ones: when one changes, they have to be loaded again. */
  readonly files: readonly string[]
}

/** All files that this process has ever loaded: their old modules must not come back. */
const known = new Set<string>()

/**
 * Loads the extensions of a configuration from disk, in their order: all of them, or none.
 *
 * A file may be TypeScript or JavaScript, and import others. Each load reads the files again, which is how extensions are reloaded:
 * requests under way go on with the old ones.
 *
 * @example
 * const loaded = await loadExtensions([{ path: './hello.ts', onError: 'fail', timeoutMs: 10_000 }])
 */
export async function loadExtensions(settings: readonly ExtensionSetting[]): Promise<LoadExtensions> {
  const paths = settings.map(({ path }) => resolve(path))
  const sources = new Map(paths.map((path) => [path, scanExtension(path)]))
  const files = [...new Set([...sources.values()].flatMap((source) => source.files))]
  for (const file of files) known.add(file)
  forgetModules(known)
  const problems = new Map<string, ExtensionProblem>()
  const add = (problem: ExtensionProblem): void => void problems.set(`${problem.at} ${problem.wrong}`, problem)
  const extensions: LoadedExtension[] = []
  for (const [index, setting] of settings.entries()) {
    const file = paths[index] ?? setting.path
    const source = sources.get(file) ?? scanExtension(file)
    for (const problem of source.problems) add(problem)
    if (source.problems.length > 0) continue
    const loaded = await loadOne(file, setting, source.files)
    if ('extension' in loaded) extensions.push(loaded)
    else for (const problem of loaded) add(problem)
  }
  for (const problem of duplicates(extensions)) add(problem)
  if (problems.size > 0) return { ok: false, problems: [...problems.values()], files }
  return { ok: true, extensions, files }
}

/**
 * Writes problems for a person: the place, the fault, and the cure.
 *
 * @example
 * process.stderr.write(renderExtensionProblems(loaded.problems))
 */
export function renderExtensionProblems(problems: readonly ExtensionProblem[]): string {
  return problems.map(({ at, wrong, cure }) => `${at} ${wrong}.\n  ${cure}\n`).join('')
}

async function loadOne(
  file: string,
  setting: ExtensionSetting,
  files: readonly string[],
): Promise<LoadedExtension | ExtensionProblem[]> {
  const { onError, timeoutMs } = setting
  let exported: unknown
  try {
    exported = (await importFile(file)).default
  } catch (cause) {
    await runLeftovers(files)
    return [importProblem(file, cause)]
  }
  const shape = checkExtension(exported)
  if ('flaws' in shape) return shape.flaws.map((flaw) => ({ at: file, ...flaw }))
  const { extension } = shape
  const checked = checkExtensionOptions(extension, setting.options)
  if ('flaws' in checked) return checked.flaws.map((flaw) => ({ at: file, ...flaw }))
  return { name: extension.name, file, extension, options: checked.options, onError, timeoutMs }
}

/** Describes a module that has failed while it was loaded, with the line that its stack names. */
function importProblem(file: string, cause: unknown): ExtensionProblem {
  const stack = cause instanceof Error ? (cause.stack ?? '') : ''
  const at = [...known].flatMap((path) => {
    const found = stack.indexOf(`${path}:`)
    return found === -1
      ? []
      : [{ found, place: `${path}${/^[:\d]*\d/.exec(stack.slice(found + path.length))?.[0] ?? ''}` }]
  })
  const place = at.toSorted((one, other) => one.found - other.found)[0]?.place ?? file
  const message = (cause instanceof Error || isMessage(cause) ? cause.message : String(cause)).replace(/\.$/, '')
  return {
    at: place,
    wrong: `fails when it is loaded: ${message}`,
    cure: 'Correct it; a package has to be installed beside it.',
  }
}

function isMessage(cause: unknown): cause is { readonly message: string } {
  return typeof cause === 'object' && cause !== null && 'message' in cause
}

function duplicates(extensions: readonly LoadedExtension[]): ExtensionProblem[] {
  const first = new Map<string, string>()
  return extensions.flatMap(({ name, file }) => {
    const before = first.get(name)
    first.set(name, before ?? file)
    if (before === undefined) return []
    if (before === file) return [{ at: file, wrong: 'is listed twice', cure: 'List it once.' }]
    const wrong = `has the name "${name}", as ${before} has`
    return [{ at: file, wrong, cure: 'Give each extension a name of its own.' }]
  })
}
