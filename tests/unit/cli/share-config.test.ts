import { expect, test } from 'bun:test'
import { shareConfig } from '../../../src/cli/workers/share-config.ts'
import { loadGood } from '../config/load-with-files.ts'

test.each([
  [1, '4096', 4096],
  [2, '4096', 2048],
  [3, '4096', 1366],
  [8, '3', 1],
])('each of %i workers takes its part of MAX_IN_FLIGHT=%s, rounded up: %i', (workers, inFlight, part) => {
  const config = loadGood({ WORKERS: String(workers), MAX_IN_FLIGHT: inFlight, PORT: '0' })
  expect(shareConfig(config, 4321)).toEqual({
    ...config,
    server: { ...config.server, port: 4321 },
    limits: { ...config.limits, inFlightMax: part },
  })
})
