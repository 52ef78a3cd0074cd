import type { Exchange, Observer } from '../exchange/exchange.ts'
import type { Outcome } from '../exchange/outcome.ts'
import { ApiError } from '../openai/api-error.ts'
import { showPath } from '../openai/shown-path.ts'
import { describeCause } from './describe-error.ts'
import type { Log } from './log.ts'

/** A model's name may be any text of the caller's: a longer one is cut in the log. */
const MODEL_CHARS_MAX = 100
const ID_CHARS_MAX = 128

/** The cure where this process can open nothing more, by the system's error code. */
const CURES: ReadonlyMap<string, string> = new Map([
  ['EMFILE', 'raise ulimit -n'],
  ['ENFILE', 'raise fs.file-max'],
  ['EADDRNOTAVAIL', 'see whether the network is up, and widen net.ipv4.ip_local_port_range'],
])
const WARNED_MS = 60_000

/** Errors for something that this server lacks: its log tells each of them once. */
const TOLD_ONCE: ReadonlySet<string> = new Set(['out_of_connections', 'idempotency_unavailable'])

/** The routes by which others ask whether this server lives. */
const PROBES: ReadonlySet<string> = new Set(['health', 'ready'])

/** How exchanges are logged. */
export interface LogObserverOptions {
  /** Monotonic, in ms. */
  readonly now?: () => number
  /** Whether lines carry the details that few readers want. */
  readonly isDetailed?: boolean
}

/**
 * Makes the observer that writes the log: one line for each exchange, when the body has ended. Its fields are an allow-list: no header,
 * query or body gets in, and of a path only our own words. A new field has its row here, and is declared in `exchange/findings.ts`.
 *
 * @example
 * const observer = createLogObserver(log)
 */
export function createLogObserver(
  log: Log,
  { now = () => performance.now(), isDetailed = false }: LogObserverOptions = {},
): Observer {
  const write = log.line ?? ((level, fields, message): void => log[level](fields, message))
  let warnedAt = Number.NEGATIVE_INFINITY
  const warnOfStarvation = (cause: string | undefined): void => {
    if (now() - warnedAt < WARNED_MS) return
    warnedAt = now()
    const cure = CURES.get(cause ?? '') ?? 'give this machine more memory'
    log.warn({ cause }, `no more files or connections can be opened: calls are refused; ${cure}`)
  }
  const onEnd = (exchange: Exchange, outcome: Outcome, bytes: number): void => {
    // A client that left has seen no status; 499 is the usual status for that in logs.
    const status = outcome.kind === 'cancelled' ? 499 : exchange.status
    const failure = outcome.kind === 'failed' ? describeFailure(outcome.cause) : undefined
    const error = failure?.error ?? ''
    if (error === 'out_of_connections') warnOfStarvation(failure?.cause)
    // One warning speaks for all of them.
    const isBad = !TOLD_ONCE.has(error) && (outcome.kind === 'failed' || status >= 500)
    // Orchestrators and load balancers ask every few seconds: only a failure is worth a line.
    const level = isBad ? 'warn' : PROBES.has(exchange.endpointName) ? 'debug' : 'info'
    write(
      level,
      {
        request_id: exchange.id,
        client_request_id: exchange.clientRequestId,
        upstream_request_id: exchange.upstreamRequestId?.slice(0, ID_CHARS_MAX),
        method: exchange.request.method,
        route: exchange.endpointName,
        model: exchange.model?.slice(0, MODEL_CHARS_MAX),
        upstream: exchange.upstream,
        stream: exchange.stream,
        status,
        outcome: outcome.kind,
        bytes,
        ttfb_ms: rounded(exchange.timeToFirstByteMs),
        upstream_ms: rounded(exchange.upstreamMs),
        duration_ms: rounded(now() - exchange.startedAt),
        attempts: exchange.attempts,
        // The connection is told only in the detailed log.
        connection: isDetailed ? exchange.connection : undefined,
        tries: exchange.tries?.length === 0 ? undefined : exchange.tries,
        params: exchange.params === '' ? undefined : exchange.params,
        cache: exchange.cache,
        idempotent: exchange.idempotent,
        principal: exchange.principalName,
        key: exchange.key,
        project: exchange.project,
        // In dollars.
        cost: exchange.spending === undefined ? undefined : exchange.spending.cost / 1e9,
        input_tokens: exchange.spending?.inputTokens,
        output_tokens: exchange.spending?.outputTokens,
        error: failure?.error ?? exchange.error?.kind,
        // Where this server refused: the path, and the rule that refused it.
        path: exchange.error === undefined ? undefined : showPath(exchange.requestTarget),
        rule: exchange.error?.rule,
        rules: exchange.rules,
        cause: failure?.cause,
      },
      'exchange',
    )
  }
  return { onEnd }
}

function rounded(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : Math.round(ms * 100) / 100
}

/** The kind of our error, and the runtime's description of its cause. */
function describeFailure(cause: unknown): { error: string; cause?: string } {
  if (!(cause instanceof ApiError)) return { error: 'upstream_unreachable', cause: describeCause(cause) }
  return cause.cause === undefined ? { error: cause.kind } : { error: cause.kind, cause: describeCause(cause.cause) }
}
