import { describeSystemError } from '../config/system-errors.ts'
import type { Sha256 } from '../formats/bytes/digest.ts'
import { parseExact } from '../formats/json/exact.ts'
import { isJsonObject } from '../formats/json/json.ts'
import {
  type Cassette,
  type CassetteProblem,
  type CassetteRequest,
  checkCassette,
  type NamedCassette,
} from './cassette.ts'
import { readIgnored, requestKey } from './request-key.ts'

/** A folder of cassettes. It is an interface because the file system belongs to the platform. */
export interface CassetteFolder {
  /** The names of its files; none where the folder does not exist. */
  readonly list: () => Promise<readonly string[]>
  readonly read: (name: string) => Promise<string>
  /** Writes a new file, as a whole or not at all; false: a file has that name, and stays as it is. */
  readonly create: (name: string, text: string) => Promise<boolean>
  /** Rejects with the system's error where no file can be written. Leaves nothing behind. */
  readonly probe: () => Promise<void>
}

/** A problem of one file in a folder. */
interface CassetteFileProblem extends CassetteProblem {
  /** The file's name. */
  readonly name: string
}

/** The cassettes of a folder in their order, and the problems of its files. */
interface ReadCassettes {
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

/** Whether a text begins like a file that was written here, and ends too early. */
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
  if (!Array.isArray(checked)) return { name, cassette: checked as Cassette }
  return checked.map((problem) => ({ name, ...problem }))
}

/**
 * Writes the problems of a folder's files for a person, a line each.
 *
 * @example
 * process.stderr.write(renderCassetteProblems('cassettes', problems))
 */
export function renderCassetteProblems(folder: string, problems: readonly CassetteFileProblem[]): string {
  const lines = problems.map(
    ({ name, path, wrong }) => `  ${folder}/${name}: ${path === '' ? wrong : `${path}: ${wrong}`}\n`,
  )
  return lines.join('')
}

/** Writes cassettes into a folder, never over a file that exists. */
export interface CassetteWriter {
  /** Takes the next number. A number is taken when its request comes, so that files are in the order of the requests. */
  readonly reserve: () => number
  /** Writes a cassette, under the next free number where another file has taken its own. Gives the file's name. */
  readonly write: (number: number, cassette: Cassette) => Promise<string>
}

/**
 * Opens a folder to write cassettes. Numbers go on behind those that exist. Rejects with the system's error where nothing can be written
 * there, before anybody relies on it.
 *
 * @example
 * const writer = await openWriter(folder, sha256)
 * const name = await writer.write(writer.reserve(), cassette)
 */
export async function openWriter(folder: CassetteFolder, sha256: Sha256): Promise<CassetteWriter> {
  const numbers = (await folder.list()).map((name) => cassetteNumber(name) ?? 0)
  await folder.probe()
  let last = numbers.reduce((highest, number) => Math.max(highest, number), 0)
  const reserve = (): number => {
    last += 1
    return last
  }
  return {
    reserve,
    async write(number, cassette) {
      const text = renderCassette(cassette)
      for (let free = number; ; free = reserve()) {
        const name = cassetteName(free, cassette.request, sha256)
        if (await folder.create(name, text)) return name
      }
    },
  }
}

/** The text of a cassette's file. */
export function renderCassette(cassette: Cassette): string {
  return `${JSON.stringify(cassette, undefined, 2)}\n`
}

const NUMBER_DIGITS = 4
const WORDS_CHARS_MAX = 60
const HASH_DIGITS = 8

/**
 * Names the file of a cassette: its number, the endpoint, the model, and a hash that is the same for requests that are alike.
 *
 * @example
 * cassetteName(1, request, sha256) // '0001-chat.completions-gpt-4o-1a2b3c4d.json'
 */
export function cassetteName(number: number, request: CassetteRequest, sha256: Sha256): string {
  const { id } = requestKey(request, readIgnored())
  const hash = sha256(new TextEncoder().encode(id)).toHex().slice(0, HASH_DIGITS)
  const endpoint = request.path.replace(/^\/(?:v1\/)?/, '').replaceAll('/', '.')
  const model = modelOf(request)
  const words = [endpoint, ...(model === undefined ? [] : [model])].map(plain).filter((word) => word !== '')
  return `${[String(number).padStart(NUMBER_DIGITS, '0'), ...words, hash].join('-')}.json`
}

/**
 * The number at the beginning of a file's name; undefined: there is none.
 *
 * @example
 * cassetteNumber('0012-embeddings-1a2b3c4d.json') // 12
 */
export function cassetteNumber(name: string): number | undefined {
  const digits = /^(\d{1,9})-/.exec(name)?.[1]
  return digits === undefined ? undefined : Number(digits)
}

function modelOf({ body }: CassetteRequest): string | undefined {
  const inForm = body?.parts?.find(({ name }) => name === 'model')?.text
  if (inForm !== undefined || !isJsonObject(body?.json)) return inForm
  const { model } = body.json
  return typeof model === 'string' ? model : undefined
}

/** Makes a word that every file system takes, and that looks neither like a hidden file nor like an option. */
function plain(word: string): string {
  return word
    .replace(/[^A-Za-z0-9._-]+/g, '_')
    .replace(/^[._-]+|[._-]+$/g, '')
    .slice(0, WORDS_CHARS_MAX)
}
