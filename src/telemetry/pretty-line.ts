import { wordsForCode } from '../config/system-errors.ts'
import { isJsonObject, type JsonObject } from '../formats/json/json.ts'
import type { LogSink } from './open-log.ts'
import { createPaint, type Paint } from './paint.ts'

/** How a line is made for a person. */
export interface PrettyOptions {
  readonly hasColor: boolean
  /** Whether each exchange is followed by all of its details. */
  readonly isDetailed: boolean
}

const LEVELS: ReadonlyMap<unknown, string> = new Map([
  [10, 'TRACE'],
  [20, 'DEBUG'],
  [30, 'INFO'],
  [40, 'WARN'],
  [50, 'ERROR'],
  [60, 'FATAL'],
])
const WARN = 40

/** The fields that the line of an exchange shows in its columns. */
const SHOWN: ReadonlySet<string> = new Set([
  ...['level', 'time', 'msg', 'worker', 'method', 'route', 'model', 'upstream', 'stream', 'status', 'outcome'],
  ...['duration_ms', 'principal', 'error', 'cause', 'path', 'rule'],
])

const INDENT = ' '.repeat(16)

/**
 * Makes the function that turns JSON lines of the log into lines for a person: one line for each exchange, with details below it where
 * something went wrong or all details are wanted.
 *
 * @example
 * const render = createPrettyLine({ hasColor: false, isDetailed: false })
 * render('{"level":30,"time":"2026-01-01T12:00:00.000Z","msg":"listening"}\n') // '12:00:00 INFO  listening\n'
 */
export function createPrettyLine({ hasColor, isDetailed }: PrettyOptions): (line: string) => string {
  const paint = createPaint(hasColor)
  return (line) => {
    const fields = parse(line)
    if (fields === undefined) return line
    if (fields['msg'] !== 'exchange') return renderEvent(fields, paint)
    const head = `${beginningOf(fields, paint)}${renderExchange(fields, paint)}\n`
    const isWarning = Number(fields['level']) >= WARN
    return isDetailed || isWarning ? head + renderDetails(fields, paint) : head
  }
}

function parse(line: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(line)
    return isJsonObject(value) ? value : undefined
  } catch {
    return undefined
  }
}

/** Time, level, and the process where there are several. */
function beginningOf(fields: JsonObject, paint: Paint): string {
  const level = LEVELS.get(fields['level']) ?? 'INFO'
  const worker = fields['worker'] === undefined ? '' : paint.dim(`[${textOf(fields['worker'])}] `)
  return `${paint.dim(clockTime(fields['time']))} ${paint.level(level, level.padEnd(5))} ${worker}`
}

/** The local time of day, to the second. */
function clockTime(time: unknown): string {
  const date = new Date(typeof time === 'string' ? time : Number.NaN)
  if (Number.isNaN(date.getTime())) return '--:--:--'
  const two = (n: number): string => String(n).padStart(2, '0')
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`
}

/** Status, method, route, model and who answers, time, caller, how it went. */
function renderExchange(fields: JsonObject, paint: Paint): string {
  const { status, method, route, principal, duration_ms: ms } = fields
  const parts = [
    paint.status(Number(status), textOf(status)),
    textOf(method).padEnd(4),
    textOf(route),
    answeredBy(fields),
    paint.dim(`${Math.round(Number(ms))} ms`),
    principal === 'none' ? '' : paint.who(textOf(principal)),
    outcomeOf(fields, paint),
  ]
  return parts.filter((part) => part !== '').join('  ')
}

/** `gpt-4o → openai`; of several tries, the target of the last one, which may have its own name for the model. */
function answeredBy({ model, upstream, tries }: JsonObject): string {
  const last: unknown = Array.isArray(tries) ? tries.at(-1) : undefined
  const target = isJsonObject(last) ? last['target'] : upstream
  const names = [model, target].filter((name) => name !== undefined).map(textOf)
  if (names.length === 0) return ''
  return model === undefined ? `→ ${names[0]}` : names.join(' → ')
}

function outcomeOf(fields: JsonObject, paint: Paint): string {
  const { outcome, stream, error, cause, path, rule, cache, idempotent, tries, level } = fields
  const notes = [
    stream === true ? 'stream' : '',
    Array.isArray(tries) && tries.length > 1 ? `${tries.length} tries` : '',
    cache === undefined ? '' : `cache ${textOf(cache)}`,
    idempotent === undefined ? '' : textOf(idempotent),
  ].filter((note) => note !== '')
  const how = outcome === 'cancelled' ? 'left by the client' : textOf(outcome)
  const said = notes.length === 0 ? how : `${how} (${notes.join(', ')})`
  if (error === undefined) return outcome === 'complete' ? said : paint.warn(said)
  const why = [
    cause === undefined ? textOf(error) : `${textOf(error)}: ${inWords(textOf(cause))}`,
    rule === undefined ? '' : `by rule ${textOf(rule)}`,
    path === undefined ? '' : textOf(path),
  ].filter((part) => part !== '')
  const isRefusal = outcome === 'complete'
  const text = `${isRefusal ? 'refused' : said}  ${why.join('  ')}`
  return Number(level) >= WARN ? paint.warn(text) : text
}

function inWords(cause: string): string {
  const words = wordsForCode(cause)
  return words === undefined ? cause : `${words} (${cause})`
}

/** The fields that the line above does not show. */
function renderDetails(fields: JsonObject, paint: Paint): string {
  const tries = Array.isArray(fields['tries']) ? fields['tries'].filter(isJsonObject) : []
  const rest = Object.entries(fields).filter(
    ([name, value]) => !SHOWN.has(name) && name !== 'tries' && value !== undefined,
  )
  const lines = tries.map(({ target, status, ms, why }, index) => {
    const how = [status === undefined ? 'no answer' : textOf(status), ...(why === undefined ? [] : [textOf(why)])]
    return `try ${index + 1}  ${textOf(target)}  ${how.join('  ')}  ${textOf(ms)} ms`
  })
  return [...lines, pairsOf(rest)].map((text) => `${INDENT}${paint.dim(text)}\n`).join('')
}

/** Any other line: its message, then its fields. */
function renderEvent(fields: JsonObject, paint: Paint): string {
  const { msg, err } = fields
  const own = new Set(['level', 'time', 'msg', 'worker', 'err'])
  const rest = pairsOf(Object.entries(fields).filter(([name]) => !own.has(name)))
  const first = `${beginningOf(fields, paint)}${textOf(msg)}${rest === '' ? '' : `  ${paint.dim(rest)}`}\n`
  if (!isJsonObject(err)) return first
  const { type, code, message, stack } = err
  const what = [type, code, message]
    .filter((part) => part !== undefined)
    .map(textOf)
    .join(': ')
  const frames =
    typeof stack === 'string' ? stack.split('\n').map((frame) => `${INDENT}${printable(frame.trim())}\n`) : []
  return `${first}${INDENT}${what}\n${frames.join('')}`
}

function pairsOf(entries: readonly (readonly [string, unknown])[]): string {
  return entries.map(([name, value]) => `${name}=${textOf(value)}`).join(' ')
}

function textOf(value: unknown): string {
  if (typeof value === 'string') return printable(value)
  return value === undefined ? '' : printable(JSON.stringify(value))
}

/** A name may be a caller's word: characters that move a terminal's cursor or begin a line are taken out. */
function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, '?')
}

/**
 * Wraps a sink: takes JSON lines, and writes each as a person reads it.
 *
 * @example
 * const { log } = openLog({ level: 'info', sink: prettySink(lines, { hasColor: true, isDetailed: false }) })
 */
export function prettySink({ write, flush, settle }: LogSink, options: PrettyOptions): LogSink {
  const render = createPrettyLine(options)
  return { write: (line) => write(render(line)), flush, settle }
}
