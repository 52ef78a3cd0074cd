import { gatewayCommand } from './gateway-under-test.ts'

/** What a program's output may be. */
export type OutputKind = 'terminal' | 'socket' | 'pipe'

/** A program whose output nobody reads until `read` is called. */
export interface UnreadProgram {
  readonly child: Bun.Subprocess
  /** Reads all that the program writes from now on, until it ends, and gives it. */
  readonly read: () => Promise<string>
}

/** Opens the two ends, gives the program one, and reads from the other only once a line has come on its own input. */
const HOLDER = `
import os, pty, signal, socket, subprocess, sys
kind, command = sys.argv[1], sys.argv[2:]
if kind == 'terminal':
    mine, its = pty.openpty()
elif kind == 'pipe':
    mine, its = os.pipe()
else:
    ends = socket.socketpair()
    mine, its = ends[0].detach(), ends[1].detach()
child = subprocess.Popen(command, stdout=its, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
os.close(its)
signal.signal(signal.SIGTERM, lambda *_: child.terminate())
if not sys.stdin.readline():
    child.kill()
while True:
    try:
        some = os.read(mine, 65536)
    except OSError:
        break
    if not some:
        break
    sys.stdout.buffer.write(some)
sys.stdout.flush()
sys.exit(child.wait())
`

/** Whether such a program can be started here. */
export const CAN_HOLD_OUTPUT = Bun.which('python3') !== null

/** Starts the program under test with an output that nobody reads. */
export function startUnread(kind: OutputKind, env: Readonly<Record<string, string>>): UnreadProgram {
  const child = Bun.spawn(['python3', '-c', HOLDER, kind, ...gatewayCommand()], {
    env: { PATH: process.env['PATH'] ?? '', ...env },
    stdin: 'pipe',
    stdout: 'pipe',
    stderr: 'inherit',
  })
  return {
    child,
    async read() {
      child.stdin.write('go\n')
      child.stdin.flush()
      const text = new Response(child.stdout).text()
      child.kill('SIGTERM')
      return await text
    },
  }
}
