/** Builds `dist/nexcode`, one executable; `--target=bun-linux-arm64` and the like build for another machine. */
import { statSync } from 'node:fs'
import { compile } from './compile.ts'

const targets = process.argv.slice(2).filter((argument) => argument.startsWith('--target='))
if (!compile('src/main.ts', 'dist/nexcode', targets)) process.exit(1)
const megabytes = (statSync('dist/nexcode').size / 1e6).toFixed(1)
process.stdout.write(`dist/nexcode ${megabytes} MB\n`)
