import { expect, test } from 'bun:test'
import { ApiError } from '../../../../src/openai/api-error.ts'
import { ownAbort } from '../../../../src/routing/attempts/make-attempt.ts'
import { scriptAttempts } from './scripted-attempts.ts'

const GONE = new ApiError('client_closed')

test('an attempt’s own controller is aborted when the exchange is, with its reason', () => {
  const { exchange } = scriptAttempts()
  const own = ownAbort(exchange)
  exchange.abort.abort(GONE)
  expect(own.signal.reason).toBe(GONE)
  expect(ownAbort(exchange).signal.reason).toBe(GONE)
})

test('aborting it leaves the exchange and the other attempts alone', () => {
  const { exchange } = scriptAttempts()
  const [one, other] = [ownAbort(exchange), ownAbort(exchange)]
  one.abort(GONE)
  expect([exchange.abort.signal.aborted, other.signal.aborted]).toEqual([false, false])
})

test('when the exchange is over, nothing of it hangs on a signal that outlives it', () => {
  const { exchange } = scriptAttempts()
  const own = ownAbort(exchange)
  exchange.end({ kind: 'complete' }, 0)
  exchange.abort.abort(GONE)
  expect(own.signal.aborted).toBe(false)
})
