import { resolve } from 'node:path'
import type { Config } from '../config/config.ts'
import type { Env } from '../config/env-reader.ts'
import { renderConfigProblems } from '../config/help-text.ts'
import { areSameConfigs } from '../config/open-secrets.ts'
import { describeSystemError } from '../config/system-errors.ts'
import { readConfigFile } from './config-file.ts'
import { type Configuration, loadEnvironment } from './configuration.ts'
import { createFileReader, type FileReader, type FileStates } from './file-states.ts'
import { assertTlsWorks } from './listen-checks.ts'
import { describeTlsFault } from './start-failure.ts'

/** A configuration that was read again: its bad parts have stayed as they were. */
export interface RereadConfiguration {
  readonly configuration: Configuration
  /** The problems, each in one line; the parts that they are about have kept their old values. */
  readonly problems: readonly string[]
  /** The files that the environment names and that are bad, or don't fit together; absolute paths. */
  readonly badFiles: ReadonlySet<string>
  /** Whether the settings come from the files as they are now. */
  readonly areSettingsNew: boolean
}

/** The variables whose files have to fit together. */
const TLS_FILES: readonly string[] = ['TLS_CERT_FILE', 'TLS_KEY_FILE']

/**
 * Reads a configuration again. Each part is taken as a whole or not at all, and none depends on another: a revoked token is revoked,
 * even while the configuration file is being edited. Problems of the files are in the result; rejects only for a defect.
 *
 * @example
 * const { configuration, problems } = await rereadConfiguration(before)
 */
export async function rereadConfiguration(before: Configuration): Promise<RereadConfiguration> {
  const { source, config: old } = before
  const fromEnv = rereadEnvironment(before)
  const problems = [...fromEnv.problems]
  const tlsFault = faultOf(fromEnv.config.server, old.server)
  if (tlsFault !== undefined) problems.push(tlsFault)
  const { tls } = tlsFault === undefined ? fromEnv.config.server : old.server
  const base = { ...fromEnv.config, server: { ...fromEnv.config.server, tls } }
  const kept = tlsFault === undefined ? [] : [...pathsOf(source.env, TLS_FILES)]
  const badFiles = new Set([...fromEnv.badFiles, ...kept])
  const texts = new Map([...fromEnv.texts, ...kept.map((path) => [path, before.texts.get(path) ?? ''] as const)])
  const common = { source, texts }
  if (source.file === undefined) {
    // The warnings about the environment were given at the start.
    const configuration = { ...before, ...common, config: base, filesRead: fromEnv.states, warnings: [] }
    return { configuration, problems, badFiles, areSettingsNew: true }
  }
  const { isKeyless } = source
  const read = await readConfigFile(source.file, source.env, base, { kept: before.texts, isKeyless })
  const filesRead = new Map([...fromEnv.states, ...read.filesRead])
  const isEmptied = read.isEmpty && !before.isEmpty
  if (isEmptied)
    problems.push(`${source.file} is empty, where it had something in it. Write {} for a file that says nothing.`)
  else if (!read.ok) problems.push(...read.problems)
  const isCut = read.ok && isCutOff(before.texts, read.texts, source.file)
  if (isCut)
    problems.push(
      `${source.file} ends in the midst of a line, which it did not: it seems to be cut off, as by a full disk. Write it anew, with a line break at its end.`,
    )
  const isTaken = read.ok && !isEmptied && !isCut
  const configuration: Configuration = {
    ...common,
    // The next reading is compared with the texts that are in force.
    texts: new Map([...read.texts, ...texts, ...(isTaken ? [] : [textOf(before.texts, source.file)])]),
    config: { ...base, settings: isTaken ? read.settings : old.settings },
    filesRead,
    isEmpty: isTaken ? read.isEmpty : before.isEmpty,
    warnings: isTaken ? read.warnings : before.warnings,
  }
  return { configuration, problems, badFiles, areSettingsNew: isTaken }
}

/** Whether a file has lost its end: half of a YAML file is usually valid and says less, such as fewer rules. */
function isCutOff(before: FileReader['texts'], now: FileReader['texts'], file: string): boolean {
  const [[, had], [, has]] = [textOf(before, file), textOf(now, file)]
  // In a text in braces, the parser finds a missing end.
  return had.endsWith('\n') && has !== '' && !has.endsWith('\n') && !has.trimStart().startsWith('{')
}

function textOf(texts: FileReader['texts'], file: string): readonly [path: string, text: string] {
  const path = resolve(file)
  return [path, texts.get(path) ?? '']
}

interface RereadEnvironment extends Pick<FileReader, 'texts'>, Pick<RereadConfiguration, 'badFiles'> {
  readonly config: Config
  readonly problems: readonly string[]
  readonly states: FileStates
}

/** Reads the environment and its files again; a bad file keeps its last good text. Throws for a defect only. */
function rereadEnvironment({ source: { env }, texts }: Configuration): RereadEnvironment {
  const files = createFileReader(texts)
  const loaded = loadEnvironment(env, files.read)
  if (loaded.ok) {
    return { config: loaded.config, problems: [], badFiles: new Set(), states: files.states, texts: files.texts }
  }
  const names = loaded.problems.map(({ name }) => name)
  const isTls = names.some((name) => TLS_FILES.includes(name))
  const bad = pathsOf(env, [...names, ...(isTls ? TLS_FILES : [])])
  const good = new Map(files.texts)
  for (const path of bad) good.set(path, texts.get(path) ?? '')
  const kept = loadEnvironment(env, (path) => good.get(resolve(path)) ?? '')
  // The environment of a process does not change, so only its files can have become bad.
  if (!kept.ok) throw new Error(renderConfigProblems(kept.problems))
  const problems = loaded.problems.map((one) => renderConfigProblems([one]).trimEnd().replace(/\n\s*/g, ' '))
  return { config: kept.config, problems, badFiles: bad, states: files.states, texts: good }
}

/** Gives the files that variables name. */
function pathsOf(env: Env, names: readonly string[]): Set<string> {
  return new Set(names.map((name) => resolve(env[name]?.trim() ?? '')))
}

/** Says why a server can't use a new certificate and its key; undefined: it can, or they are the old ones. */
function faultOf(server: Config['server'], old: Config['server']): string | undefined {
  if (areSameConfigs(server.tls, old.tls)) return undefined
  try {
    assertTlsWorks(server)
    return undefined
  } catch (cause) {
    return describeTlsFault(cause) ?? describeSystemError(cause)
  }
}
