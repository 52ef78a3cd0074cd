import { expect, test } from 'bun:test'
import { availableParallelism } from 'node:os'
import { availableCores } from '../../../src/process/granted-resources.ts'

const MAX = '/sys/fs/cgroup/cpu.max'
const QUOTA = '/sys/fs/cgroup/cpu/cpu.cfs_quota_us'
const PERIOD = '/sys/fs/cgroup/cpu/cpu.cfs_period_us'

test.each([
  ['no container', {}, 8],
  ['a container without a limit', { [MAX]: 'max 100000\n' }, 8],
  ['two cores of time', { [MAX]: '200000 100000\n' }, 2],
  ['one and a half', { [MAX]: '150000 100000\n' }, 1],
  ['less than one', { [MAX]: '20000 100000\n' }, 1],
  ['more than there are', { [MAX]: '1600000 100000\n' }, 8],
  ['three by the older files', { [QUOTA]: '300000\n', [PERIOD]: '100000\n' }, 3],
  ['none by the older files', { [QUOTA]: '-1\n', [PERIOD]: '100000\n' }, 8],
  ['files that say something else', { [MAX]: 'plenty\n', [QUOTA]: '', [PERIOD]: '' }, 8],
] as const)('of eight cores, %s', (_case, files: Readonly<Record<string, string>>, cores) => {
  const read = (path: string): string => {
    const text = files[path]
    if (text === undefined) throw new Error('ENOENT')
    return text
  }
  expect(availableCores(read, 8)).toBe(cores)
})

test('on this machine there is at least one, and no more than it may run on', () => {
  expect(availableCores()).toBeWithin(1, availableParallelism() + 1)
})
