import { describe, expect, test } from 'bun:test'
import { openProcessLog } from '../../../src/process/open-process-log.ts'

const SOURCE = new URL('../../../src/process/open-process-log.ts', import.meta.url).pathname

/** What a process writes that opens the log, logs an error whose every part has the word canary, and ends. */
async function write(format: 'json' | 'pretty', end: string): Promise<string> {
  const script = `
    const { openProcessLog } = await import(${JSON.stringify(SOURCE)})
    const { log, flush, settle } = await openProcessLog({ level: 'info', format: '${format}' })
    const err = new Error('refused "canary"', { cause: new Error('canary') })
    log.debug('canary')
    log.error({ err: Object.assign(err, { code: 'EX', path: '/canary', headers: ['canary'] }) }, 'a defect')
    for (let n = 0; n < 1000; n += 1) log.info({ n }, 'line')
    ${end}
    process.exit(0)`
  const child = Bun.spawn([process.execPath, '-e', script], { stdout: 'pipe', stderr: 'inherit' })
  return new Response(child.stdout).text()
}

describe('the log', () => {
  test.each(['flush()', 'await settle()'])('has every line in order when the process ends after %s', async (end) => {
    const lines = (await write('json', end)).trimEnd().split('\n')
    expect(lines).toHaveLength(1001)
    expect(lines.slice(1).map((line) => JSON.parse(line).n)).toEqual(Array.from({ length: 1000 }, (_one, n) => n))
  })

  test('describes an error by an allow-list', async () => {
    const text = await write('json', 'flush()')
    expect(text).not.toContain('canary')
    expect(JSON.parse(text.split('\n')[0] ?? '')).toEqual({
      level: 50,
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
      err: { type: 'Error', code: 'EX', message: 'refused …', stack: expect.stringContaining('    at ') },
      msg: 'a defect',
    })
  })

  test('for a person has no data in it either, and all of its lines', async () => {
    const text = await write('pretty', 'flush()')
    expect(text).not.toContain('canary')
    expect(text).toContain('a defect')
    expect(text.match(/INFO/g)).toHaveLength(1000)
  })

  test('of one process among several has its number in each line', async () => {
    const script = `
      const { openProcessLog } = await import(${JSON.stringify(SOURCE)})
      const { log, flush } = await openProcessLog({ level: 'info', format: 'json', worker: 2 })
      log.info('one')
      log.line('info', { n: 1 }, 'two')
      flush()
      process.exit(0)`
    const child = Bun.spawn([process.execPath, '-e', script], { stdout: 'pipe' })
    const lines = (await new Response(child.stdout).text()).trimEnd().split('\n')
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([
      { level: 30, worker: 2, msg: 'one' },
      { level: 30, worker: 2, n: 1, msg: 'two' },
    ])
  })

  test.each(['json', 'pretty'] as const)('that says nothing can be flushed and settled: %s', async (format) => {
    const { log, flush, settle } = await openProcessLog({ level: 'silent', format })
    log.fatal('never')
    flush()
    await settle()
  })
})
