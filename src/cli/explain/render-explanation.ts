import type { ExplainedRoute, Explanation } from './explain-request.ts'

const BODY_CHARS_MAX = 2000

/**
 * An explanation for a person.
 *
 * @example
 * process.stdout.write(renderExplanation(explanation))
 */
export function renderExplanation({ config, request, rules, refusal, route }: Explanation): string {
  const lines = [
    `config     ${config}`,
    `request    ${request.method} ${request.path}, ${request.model === undefined ? 'no model' : `model "${request.model}"`}, as ${request.principal}`,
    rules.length === 0 ? 'rules      none' : 'rules',
    ...rules.flatMap(renderRule),
  ]
  if (refusal !== undefined) {
    const { status, error } = refusal
    lines.push(`refused    ${status} ${error.code ?? error.type}: ${error.message}`)
  }
  if (route !== undefined) lines.push(...renderRoute(route))
  return `${lines.join('\n')}\n`
}

function renderRule({ rule, mismatch, did }: Explanation['rules'][number]): string[] {
  if (mismatch !== undefined) return [`  ${rule}  does not apply: ${mismatch}`]
  if (did.length === 0) return [`  ${rule}  applies, and changes nothing`]
  return [
    `  ${rule}  applies`,
    ...did.map(({ operation, param, detail }) => `       ${operation.padEnd(9)} ${param}  ${detail}`.trimEnd()),
  ]
}

function renderRoute({ decidedBy, strategy, attempts, retryOn, targets }: ExplainedRoute): string[] {
  const again = attempts === 1 ? 'one attempt' : `up to ${attempts} attempts, on ${shorten(retryOn)}`
  return [
    `route      ${decidedBy}; ${strategy}; ${again}`,
    ...targets.flatMap(({ target, url, key, body, isChanged }, index) => [
      `  ${index + 1}  ${target}`,
      `       url       ${url}`,
      `       key       ${key}`,
      `       body      ${isChanged ? cut(body) : 'as received, byte for byte'}`,
    ]),
  ]
}

function shorten(causes: readonly string[]): string {
  const shownMax = 8
  const more = causes.length - shownMax
  return causes.slice(0, shownMax).join(', ') + (more > 0 ? ` and ${more} more` : '')
}

function cut(body: string): string {
  return body.length <= BODY_CHARS_MAX ? body : `${body.slice(0, BODY_CHARS_MAX)}… (${body.length} characters)`
}
