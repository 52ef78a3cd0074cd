import { changesBetween } from './body-changes.ts'
import type { ExplainedRoute, ExplainedRule, ExplainedTarget, Explanation } from './explanation.ts'

const BODY_CHARS_MAX = 2000

/**
 * Renders an explanation for a person.
 *
 * @example
 * process.stdout.write(renderExplanation(explanation))
 */
export function renderExplanation(explanation: Explanation): string {
  const { config, request, rules, refusal, ownAnswer, route, notes } = explanation
  const model = request.model === undefined ? 'no model' : `model "${request.model}"`
  const lines = [
    `config   ${config}`,
    `request  ${request.method} ${request.path}, ${model}, as ${request.principal}`,
    '',
    rules.length === 0 ? 'rules    none' : 'rules',
    ...rules.flatMap((rule) => renderRule(rule, String(rules.length).length, refusal)),
    '',
  ]
  if (refusal !== undefined) {
    const { status, error } = refusal
    lines.push(`✗ refused with ${status} ${error.code ?? error.type}: ${error.message}`, '  Nothing is sent.')
  }
  if (ownAnswer !== undefined) lines.push(`answer   by this server itself: ${ownAnswer}`)
  if (route !== undefined) lines.push(...renderRoute(route, request.body))
  if (notes.length > 0) lines.push('', ...notes.map((note) => `note     ${note}`))
  return `${lines.join('\n')}\n`
}

function renderRule(
  { rule, outcome, mismatch, did }: ExplainedRule,
  width: number,
  refusal: Explanation['refusal'],
): string[] {
  const at = `  ${String(rule).padStart(width)}`
  if (outcome === 'does not match') return [`${at}  – does not apply: ${mismatch}`]
  if (outcome === 'refuses') return [`${at}  ✗ refuses ${refusal?.error.param ?? 'the request'}`]
  if (outcome === 'unreached')
    return [
      `${at}  – fits, but ${refusal === undefined ? 'there is no body to apply it to' : 'the request is refused before'}`,
    ]
  if (did.length === 0) return [`${at}  ✓ applies, and changes nothing`]
  const indent = ' '.repeat(at.length + 4)
  const columns = table(did.map(({ operation, param, detail }) => [operation, param, detail]))
  return [`${at}  ✓ applies`, ...columns.map((row) => indent + row)]
}

function renderRoute(
  { decidedBy, choice, attempts, retryOn, targets }: ExplainedRoute,
  received: string | undefined,
): string[] {
  const again = attempts === 1 ? 'one attempt' : `up to ${attempts} attempts, another one after ${ranges(retryOn)}`
  return [
    `route    ${decidedBy}${choice === undefined ? '' : `: ${choice}`}; ${again}`,
    ...targets.flatMap((target, index) => {
      const first = targets.slice(0, index).findIndex((one) => one.body === target.body)
      const body = first !== -1 && target.isChanged ? [`as for ${first + 1}`] : renderBody(target, received)
      const [line = '', ...others] = body
      return [
        `  ${index + 1}  ${target.target}`,
        `     ${target.method} ${target.url}`,
        `     key   ${target.key}`,
        `     body  ${line}`,
        ...others.map((other) => `           ${other}`),
      ]
    }),
  ]
}

function renderBody({ body, isChanged }: ExplainedTarget, received: string | undefined): string[] {
  if (body === undefined) return ['none']
  if (!isChanged || received === undefined) return ['as received, byte for byte']
  const changes = changesBetween(received, body)
  if (changes === undefined) return [cut(body)]
  return [...table(changes.map(({ param, what }) => [param, what])), 'all else as received, byte for byte']
}

/** Aligns the columns of rows. */
function table(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_cell, at) => Math.max(...rows.map((row) => (row[at] ?? '').length)))
  return rows.map((row) =>
    row
      .map((cell, at) => cell.padEnd(widths[at] ?? 0))
      .join('  ')
      .trimEnd(),
  )
}

/** Writes causes with runs of statuses as ranges: `connect, 429, 500-599`. */
function ranges(causes: readonly string[]): string {
  const words: string[] = []
  let from = 0
  for (const [at, cause] of causes.entries()) {
    if (Number(causes[at + 1]) === Number(cause) + 1) continue
    words.push(at === from ? cause : `${causes[from]}-${cause}`)
    from = at + 1
  }
  return words.join(', ')
}

function cut(body: string): string {
  return body.length <= BODY_CHARS_MAX ? body : `${body.slice(0, BODY_CHARS_MAX)}… (${body.length} characters)`
}
