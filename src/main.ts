#!/usr/bin/env -S bun --no-env-file
import { raiseRequestCapacity } from './cli/request-capacity.ts'
import { forgetDotEnv } from './process/dot-env.ts'

// Before anything reads the environment.
forgetDotEnv()
// Before anything heavy is loaded: it may replace this program by a new start of itself.
raiseRequestCapacity(process.argv.slice(2))

const { runCommand } = await import('./cli/run-command.ts')
await runCommand(process.argv.slice(2))
