import { readFile } from 'node:fs/promises'
import { text } from 'node:stream/consumers'
import { describeSystemError } from '../config/system-errors.ts'
import { importLitellm } from './import/litellm.ts'
import { writeOut } from './write-out.ts'

const DONE = 0
const USAGE = 2

const SOURCES = 'litellm'

/**
 * Translates another gateway's configuration: the nexcode.yaml goes to standard output, and the parts that could not be translated
 * to standard error. `args` are the kind of source and its file, `-` for standard input.
 *
 * Gives the exit code: 0, also when something is left to do by hand; 2 when the file can't be read or is no such configuration.
 *
 * @example
 * process.exit(await importConfiguration(['litellm', 'config.yaml']))
 */
export async function importConfiguration(args: readonly string[]): Promise<number> {
  const [source, path, ...others] = args
  if (source !== SOURCES || path === undefined || others.length > 0) {
    return refuse(
      `nexcode import takes what to translate and its file (- for standard input): import ${SOURCES} config.yaml`,
    )
  }
  const read = await readText(path)
  if ('problem' in read) return refuse(`nexcode import: ${path} can't be read: ${read.problem}.`)
  const imported = importLitellm(read.text)
  if ('problem' in imported) return refuse(`nexcode import: ${path}: ${imported.problem}.`)
  await writeOut(process.stdout, imported.yaml)
  const { untranslated, unneeded } = imported
  if (untranslated.length > 0) {
    const lines = untranslated.map(({ path: at, why }) => `  ${at}: ${why}\n`)
    await writeOut(
      process.stderr,
      `What is left to do by hand, or not there (${untranslated.length}):\n${lines.join('')}`,
    )
  }
  if (unneeded.length > 0) {
    await writeOut(process.stderr, `Off there, or so in any case, and not needed here: ${unneeded.join(', ')}\n`)
  }
  return DONE
}

function refuse(message: string): number {
  process.stderr.write(`${message}\n`)
  return USAGE
}

async function readText(path: string): Promise<{ readonly text: string } | { readonly problem: string }> {
  try {
    return { text: path === '-' ? await text(process.stdin) : await readFile(path, 'utf8') }
  } catch (cause) {
    return { problem: describeSystemError(cause) }
  }
}
