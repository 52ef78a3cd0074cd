import { expect, test } from 'bun:test'
import { shareConfig } from '../../../../src/process/workers/share-config.ts'
import { loadGood } from '../../config/load-with-files.ts'

test.each([
  [1, '4096', 4096, 1000],
  [2, '4096', 2048, 500],
  [3, '4096', 1366, 334],
  [8, '3', 1, 125],
])(
  'each of %i workers takes its part of MAX_IN_FLIGHT=%s and of the memory, rounded up',
  (workers, inFlight, part, memory) => {
    const config = loadGood({ WORKERS: String(workers), MAX_IN_FLIGHT: inFlight, MAX_MEMORY_BYTES: '1000', PORT: '0' })
    expect(shareConfig(config, 4321)).toEqual({
      ...config,
      server: { ...config.server, port: 4321 },
      limits: { ...config.limits, inFlightMax: part, memoryBytesMax: memory },
    })
  },
)
