import { windowAt } from '../ledger/counters/budget-window.ts'
import { ORGANIZATION_ID } from '../ledger/first-records.ts'
import { type Ledger, RecordsChangedError } from '../ledger/ledger.ts'
import type { SpendAlertRecord } from '../ledger/records.ts'
import { describeCause } from '../telemetry/describe-error.ts'
import type { Log } from '../telemetry/log.ts'
import type { Deadline, Deadlines } from '../timing/deadlines.ts'
import { type AlertMessage, type SendAlertDeps, sendAlert } from './send-alert.ts'
import { END_OF_TIME } from './spend-so-far.ts'

/** The dependencies of the watch over spend alerts. */
export interface AlertWatchDeps extends Pick<SendAlertDeps, 'send'> {
  readonly ledger: Pick<Ledger, 'list' | 'find' | 'edit' | 'spent'>
  readonly deadlines: Deadlines
  /** In milliseconds since 1970. */
  readonly now: () => number
  readonly log: Log
}

/** Watches what is spent, and sends the message of each alert whose threshold is crossed. */
export interface AlertWatch {
  readonly start: () => void
  readonly stop: () => void
  /** Looks once, and sends what is due. Never rejects. */
  readonly look: () => Promise<void>
}

/** The first look is soon: what was crossed while no process ran is told. */
const FIRST_LOOK_MS = 1_000
const LOOK_MS = 5_000
const ALERTS_PER_PAGE = 100
/** A message that has been begun, and has not arrived after so long, is another process's to send. */
const LEASE_SECONDS = 600

/**
 * Makes the watch over spend alerts. Each message is sent once for a month, by one of all processes: who writes into the alert that it has
 * begun. One that does not arrive is sent again, under the same id, until it does or the month is over.
 *
 * @example
 * const alerts = createAlertWatch({ ledger, send, deadlines, now: Date.now, log })
 * alerts.start()
 */
export function createAlertWatch(deps: AlertWatchDeps): AlertWatch {
  const { deadlines, ledger, log } = deps
  let next: Deadline | undefined
  let isStopped = false
  let isDown = false

  const look = async (): Promise<void> => {
    try {
      for (let after: string | undefined; ; ) {
        const { data, hasMore } = await ledger.list({
          kind: 'spend_alert',
          limit: ALERTS_PER_PAGE,
          order: 'asc',
          after,
        })
        for (const alert of data) await lookAt(alert, deps)
        if (!hasMore) break
        after = data.at(-1)?.id
      }
      isDown = false
    } catch (cause) {
      if (!isDown) log.warn({ cause: describeCause(cause) }, 'spend alerts can not be looked at now')
      isDown = true
    }
  }
  const schedule = (ms: number): void => {
    if (isStopped) return
    next = deadlines.start(ms, () => void look().then(() => schedule(LOOK_MS)))
  }
  return {
    look,
    start: () => schedule(FIRST_LOOK_MS),
    stop() {
      isStopped = true
      next?.clear()
    },
  }
}

async function lookAt(alert: SpendAlertRecord, deps: AlertWatchDeps): Promise<void> {
  const { ledger, log } = deps
  const due = await dueMessage(alert, deps)
  if (due === undefined) return
  const at = Math.floor(deps.now() / 1000)
  const begun: SpendAlertRecord = { ...alert, notice: { month: due.month, at, isSent: false } }
  if (!(await write(alert, begun, ledger))) return
  const sleep = (ms: number): Promise<void> => new Promise((resolve) => void deps.deadlines.start(ms, resolve))
  const failure = await sendAlert(due, { ...deps, sleep })
  if (failure === undefined) {
    await write(begun, { ...begun, notice: { month: due.month, at, isSent: true } }, ledger)
    log.info({ alert: alert.id }, 'a spend alert was sent')
  } else log.warn({ alert: alert.id, cause: failure }, 'a spend alert did not arrive: it is sent again later')
}

/** Changes an alert where it is as it was; false: somebody else was faster. */
async function write(was: SpendAlertRecord, now: SpendAlertRecord, ledger: Pick<Ledger, 'edit'>): Promise<boolean> {
  try {
    await ledger.edit({ was: [was], put: [now], remove: [], audit: [] })
    return true
  } catch (thrown) {
    if (thrown instanceof RecordsChangedError) return false
    throw thrown
  }
}

/** The message that an alert has to send now; undefined: none. */
async function dueMessage(
  alert: SpendAlertRecord,
  { ledger, now }: Pick<AlertWatchDeps, 'ledger' | 'now'>,
): Promise<AlertMessage | undefined> {
  const { projectId, notice } = alert
  const project = projectId === undefined ? undefined : await ledger.find('project', projectId)
  const zone = project?.timeZone ?? (await ledger.find('organization', ORGANIZATION_ID))?.timeZone ?? 'UTC'
  const { id: month, startsAt, endsAt } = windowAt('month', zone, now())
  const isUnderWay = notice?.month === month && (notice.isSent || notice.at + LEASE_SECONDS > now() / 1000)
  if (isUnderWay) return undefined
  const from = startsAt / 1000
  const spent = await ledger.spent(projectId === undefined ? {} : { projectId }, from, END_OF_TIME)
  return spent < alert.threshold ? undefined : { alert, month, spent, startsAt: from, resetsAt: endsAt / 1000 }
}
