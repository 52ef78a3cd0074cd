import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type Node, type SourceFile, SyntaxKind } from 'typescript/unstable/ast'
import { API } from 'typescript/unstable/async'

/** A function of an instrumented copy. */
export interface TracedFunction {
  /** Below src/. */
  readonly file: string
  /** Whether one of its parameters is the exchange, by the name of its type. */
  readonly takesExchange: boolean
  /** Whether one of its parameters is a body or a part of one, by the name of its type. */
  readonly takesBody: boolean
}

/** The global function that a traced function calls first; `recorder.ts` defines it. */
const ENTER = 'nexcodeEnter'

const REPOSITORY = new URL('../..', import.meta.url).pathname
const FUNCTIONS: ReadonlySet<SyntaxKind> = new Set([
  ...[SyntaxKind.FunctionDeclaration, SyntaxKind.FunctionExpression, SyntaxKind.ArrowFunction],
  ...[SyntaxKind.MethodDeclaration, SyntaxKind.Constructor, SyntaxKind.GetAccessor, SyntaxKind.SetAccessor],
])
const EXCHANGE = /\b\w*Exchange\b/
const BODY = /\b(?:Uint8Array|ReadableStream|BodyInit|Draft|\w*Body)\b/

/** A node of one of FUNCTIONS, as far as it is read here. */
interface FunctionNode extends Node {
  readonly body?: Node
  readonly parameters: readonly { readonly type?: Node }[]
}

/** A text to put in, at a position of the source. */
interface Insertion {
  readonly at: number
  readonly text: string
}

/**
 * Writes a copy of a checkout's src/ in which each function first tells its number, and resolves with the functions by that number.
 *
 * @param root a checkout of this repository, of any commit
 * @param copy an empty folder; the copy runs from there
 */
export async function instrument(root: string, copy: string): Promise<readonly TracedFunction[]> {
  const api = new API({ cwd: root })
  const functions: TracedFunction[] = []
  try {
    const config = join(root, 'tsconfig.json')
    const program = (await api.updateSnapshot({ openProjects: [config] })).getProject(config)?.program
    for (const path of [...new Bun.Glob('**/*').scanSync(join(root, 'src'))].toSorted()) {
      const source = path.endsWith('.ts') ? await program?.getSourceFile(join(root, 'src', path)) : undefined
      const text = source === undefined ? undefined : instrumented(source, path, functions)
      const to = join(copy, 'src', path)
      mkdirSync(dirname(to), { recursive: true })
      writeFileSync(to, text ?? readFileSync(join(root, 'src', path)))
    }
  } finally {
    await api.close()
  }
  writeFileSync(join(copy, 'package.json'), readFileSync(join(root, 'package.json')))
  const own = join(root, 'node_modules')
  symlinkSync(existsSync(own) ? own : join(REPOSITORY, 'node_modules'), join(copy, 'node_modules'))
  return functions
}

function instrumented(source: SourceFile, file: string, functions: TracedFunction[]): string {
  const insertions: Insertion[] = []
  const visit = (node: Node): void => {
    const { body, parameters } = node as FunctionNode
    // An overload or an abstract method has a head only.
    if (FUNCTIONS.has(node.kind) && body !== undefined) {
      insertions.push(...markersOf(body, source, functions.length))
      functions.push({ file, ...taken(parameters, source) })
    }
    node.forEachChild(visit)
  }
  visit(source)
  let text = source.text
  for (const { at, text: marker } of insertions.toSorted((a, b) => b.at - a.at)) {
    text = text.slice(0, at) + marker + text.slice(at)
  }
  return text
}

/** Puts the call that tells a function's number before all that its body does. */
function markersOf(body: Node, source: SourceFile, id: number): readonly Insertion[] {
  const start = body.getStart(source)
  if (body.kind === SyntaxKind.Block) return [{ at: start + 1, text: `${ENTER}(${id});` }]
  return [
    { at: start, text: `(${ENTER}(${id}),` },
    { at: body.end, text: ')' },
  ]
}

function taken(parameters: FunctionNode['parameters'], source: SourceFile): Omit<TracedFunction, 'file'> {
  const types = parameters.map(({ type }) => (type === undefined ? '' : source.text.slice(type.pos, type.end)))
  return {
    takesExchange: types.some((type) => EXCHANGE.test(type)),
    takesBody: types.some((type) => BODY.test(type)),
  }
}
