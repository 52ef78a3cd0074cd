import { SimulatedError } from './simulated-error.ts'

/** What is to go wrong with one answer. Absent: nothing. */
export interface Faults {
  /** Before the headers, in milliseconds. */
  readonly delayMs?: number
  /** Answer with this error status (400 to 599) instead. */
  readonly status?: number
  /** What a simulated 429 tells the client to wait, in milliseconds. */
  readonly retryAfterMs?: number
  /** Answer 429 for a used-up quota, which no retry cures. */
  readonly quota?: boolean
  /** Answer with a page of HTML, as some proxy on the way would. */
  readonly html?: boolean
  /** Before the headers: cut the connection, or stay silent. */
  readonly beginning?: 'reset' | 'hang'
  /** Half-way through the body: cut it, go silent, end as if it were complete, or send an error event. */
  readonly middle?: 'reset' | 'stall' | 'truncate' | 'error'
  /** Between one chunk and the next, in milliseconds. */
  readonly slowMs?: number
}

interface Directive {
  /** What stands after `=`, where anything does. */
  readonly value?: { readonly name: string; readonly min: number; readonly max: number }
  readonly meaning: string
  readonly faults: (value: number) => Faults
}

/** Everything that can be asked for, by its name in `x-simulate`. */
export const directives: Readonly<Record<string, Directive>> = {
  delay: {
    value: { name: 'ms', min: 0, max: 600_000 },
    meaning: 'wait before the headers',
    faults: (delayMs) => ({ delayMs }),
  },
  slow: {
    value: { name: 'ms', min: 0, max: 60_000 },
    meaning: 'wait between one chunk of the body and the next',
    faults: (slowMs) => ({ slowMs }),
  },
  status: {
    value: { name: 'code', min: 400, max: 599 },
    meaning: 'answer with this error',
    faults: (status) => ({ status }),
  },
  'retry-after-ms': {
    value: { name: 'ms', min: 0, max: 600_000 },
    meaning: 'what a 429 or 503 says in its retry-after headers (20 where not given)',
    faults: (retryAfterMs) => ({ retryAfterMs }),
  },
  'insufficient-quota': { meaning: 'answer 429 for a used-up quota', faults: () => ({ quota: true }) },
  html: { meaning: 'answer with a page of HTML instead of JSON', faults: () => ({ html: true }) },
  reset: { meaning: 'cut the connection before the headers', faults: () => ({ beginning: 'reset' }) },
  hang: { meaning: 'never answer', faults: () => ({ beginning: 'hang' }) },
  'reset-midstream': { meaning: 'cut the connection half-way through the body', faults: () => ({ middle: 'reset' }) },
  'error-midstream': {
    meaning: 'send an error event half-way through a stream, and end it',
    faults: () => ({ middle: 'error' }),
  },
  truncate: {
    meaning: 'end half-way through the body, as if it were complete',
    faults: () => ({ middle: 'truncate' }),
  },
  stall: { meaning: 'go silent half-way through the body', faults: () => ({ middle: 'stall' }) },
}

/**
 * Reads directives as they stand in the `x-simulate` header: `delay=500; status=429`.
 *
 * @throws SimulatedError 400, listing the directives, for one that is unknown or has a value it cannot have.
 */
export function readDirectives(text: string): Faults {
  let faults: Faults = {}
  // Several x-simulate headers arrive as one, joined by commas.
  for (const part of text.split(/[;,]/)) {
    const [name = '', value] = part.split('=', 2).map((side) => side.trim())
    if (name !== '') faults = { ...faults, ...faultsOf(name.toLowerCase(), value, part.trim()) }
  }
  return faults
}

/** Reads the directive in a model's name: `simulate-429`, `simulate-reset`, `simulate-delay-2000`. Other names ask for nothing. */
export function readModelDirective(model: string): Faults {
  const asked = /^simulate-(?:(?<status>\d+)|(?<name>[a-z-]+?)(?:-(?<value>\d+))?)$/.exec(model)?.groups
  if (asked === undefined) return {}
  if (asked['status'] !== undefined) return faultsOf('status', asked['status'], model)
  return faultsOf(asked['name'] ?? '', asked['value'], model)
}

/** Reads the directives in what the user said: `[simulate: status=429] Hello`. */
export function readSpokenDirectives(text: string): Faults {
  return readDirectives(/\[simulate:(?<directives>[^\]]*)\]/.exec(text)?.groups?.['directives'] ?? '')
}

function faultsOf(name: string, value: string | undefined, asWritten: string): Faults {
  const directive = Object.hasOwn(directives, name) ? directives[name] : undefined
  const wanted = directive?.value
  const number = value !== undefined && /^\d{1,9}$/.test(value) ? Number(value) : Number.NaN
  const fits = wanted === undefined ? value === undefined : number >= wanted.min && number <= wanted.max
  if (directive === undefined || !fits) throw unknownDirective(asWritten)
  return directive.faults(number)
}

function unknownDirective(asWritten: string): SimulatedError {
  const known = Object.entries(directives).map(([name, { value, meaning }]) =>
    value ? `${name}=<${value.name}, ${value.min} to ${value.max}> (${meaning})` : `${name} (${meaning})`,
  )
  return new SimulatedError({
    status: 400,
    message: `The simulated OpenAI cannot simulate '${asWritten}'. It knows: ${known.join('; ')}.`,
    param: 'x-simulate',
    code: 'unknown_directive',
  })
}
