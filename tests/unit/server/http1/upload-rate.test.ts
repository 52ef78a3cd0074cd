import { expect, test } from 'bun:test'
import { networkOf } from '../../../../src/server/http1/network-of.ts'
import { UploadRate } from '../../../../src/server/http1/upload-rate.ts'

const PACE = { bytesPerSecondMin: 100, windowMs: 1000 }

/** A body of which so much comes every 100 ms; gives after how long it was too slow. */
function tooSlowAfter(bytesEach: readonly number[], rate = new UploadRate(PACE)): number | undefined {
  rate.wait(0)
  for (const [n, bytes] of bytesEach.entries()) {
    rate.come(bytes)
    if (rate.isTooSlow((n + 1) * 100)) return (n + 1) * 100
  }
  return undefined
}

test('a body that comes at its least rate is never too slow, one byte less is, when its time is over', () => {
  expect(tooSlowAfter(Array.from({ length: 100 }, () => 10))).toBeUndefined()
  expect(tooSlowAfter([...Array.from({ length: 9 }, () => 10), 9])).toBe(1000)
})

test('what has been sent ahead is no credit for later', () => {
  expect(tooSlowAfter([1_000_000, ...Array.from({ length: 40 }, () => 1)])).toBe(2000)
})

test('the time in which nobody waits for the client does not count', () => {
  const rate = new UploadRate(PACE)
  for (let at = 0; at < 100_000; at += 1000) {
    rate.wait(at)
    rate.come(10)
    expect(rate.isTooSlow(at + 100)).toBe(false)
    rate.rest()
  }
})

test('a network is an IPv4 address, or the first half of an IPv6 one, however it is written', () => {
  expect(networkOf('192.0.2.7')).toBe(networkOf('::ffff:192.0.2.7'))
  expect(networkOf('192.0.2.7')).not.toBe(networkOf('192.0.2.8'))
  expect(networkOf('2001:db8:1:2::1')).toBe(networkOf('2001:db8:1:2:3:4:5:6'))
  expect(networkOf('2001:db8::1')).toBe(networkOf('2001:db8:0:0:9::'))
  expect(networkOf('2001:db8:1::1')).not.toBe(networkOf('2001:db8:1:2::1'))
  expect(networkOf(undefined)).toBe(' ')
  expect(networkOf('::1')).not.toBe(networkOf('2001:db8::1'))
})
