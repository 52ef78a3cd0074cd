import { describeSystemError } from '../config/system-errors.ts'
import { parseExact } from '../formats/json/exact.ts'
import { type CassetteProblem, checkCassette, type NamedCassette } from './cassette.ts'
import { cassetteNumber } from './cassette-name.ts'
import type { CassetteFolder } from './folder.ts'

/** What is wrong with one file of a folder. */
export interface CassetteFileProblem extends CassetteProblem {
  /** The file's name. */
  readonly name: string
}

/** All cassettes of a folder in their order, and all that is wrong with its files. */
export interface ReadCassettes {
  readonly cassettes: readonly NamedCassette[]
  readonly problems: readonly CassetteFileProblem[]
}

/**
 * Reads the cassettes of a folder: its files that end with `.json`, in the order of their numbers, then by name.
 *
 * @example
 * const { cassettes, problems } = await readCassettes(folder)
 */
export async function readCassettes(folder: CassetteFolder): Promise<ReadCassettes> {
  const names = (await folder.list()).filter((name) => name.endsWith('.json') && !name.startsWith('.'))
  const cassettes: NamedCassette[] = []
  const problems: CassetteFileProblem[] = []
  for (const name of names.toSorted(inOrder)) {
    const read = await readOne(name, folder)
    if (Array.isArray(read)) problems.push(...read)
    else cassettes.push(read as NamedCassette)
  }
  return { cassettes, problems }
}

function inOrder(one: string, other: string): number {
  const [left, right] = [one, other].map((name) => cassetteNumber(name) ?? Number.MAX_SAFE_INTEGER)
  if (left !== right) return (left ?? 0) - (right ?? 0)
  return one < other ? -1 : 1
}

const NO_JSON = 'is not JSON, or has a name twice in one object'
const CUT_OFF = 'is not JSON: it is cut off, as by a full disk. Delete it, and record it anew'

/** Whether a text begins as those that are written here do, and ends before its end. */
function isCutOff(text: string): boolean {
  const inner = text.trim()
  return inner === '' || (/^\{\s*"cassette"/.test(inner) && !inner.endsWith('}'))
}

async function readOne(name: string, folder: CassetteFolder): Promise<NamedCassette | readonly CassetteFileProblem[]> {
  let text: string
  try {
    text = await folder.read(name)
  } catch (cause) {
    return [{ name, path: '', wrong: `cannot be read: ${describeSystemError(cause)}` }]
  }
  const value = parseExact(text)
  if (value === undefined) return [{ name, path: '', wrong: isCutOff(text) ? CUT_OFF : NO_JSON }]
  const checked = checkCassette(value)
  if (!Array.isArray(checked)) return { name, cassette: checked as NamedCassette['cassette'] }
  return checked.map((problem) => ({ name, ...problem }))
}

/**
 * Says what is wrong with the files of a folder, a line each.
 *
 * @example
 * process.stderr.write(renderFileProblems('cassettes', problems))
 */
export function renderCassetteProblems(folder: string, problems: readonly CassetteFileProblem[]): string {
  const lines = problems.map(
    ({ name, path, wrong }) => `  ${folder}/${name}: ${path === '' ? wrong : `${path}: ${wrong}`}\n`,
  )
  return lines.join('')
}
