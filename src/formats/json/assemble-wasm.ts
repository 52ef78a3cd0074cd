/**
 * A function of WebAssembly in its text format (https://webassembly.github.io/spec/core/text/instructions.html): one instruction behind the
 * other.
 */
export interface WasmFunction {
  readonly name: string
  /** The names of its parameters, numbers of 32 bits. Its result is one, too. */
  readonly params: readonly string[]
  /** Its local variables. */
  readonly locals: Readonly<Record<LocalType, readonly string[]>>
  readonly body: string
}

const TYPES = { i32: 0x7f, i64: 0x7e, v128: 0x7b } as const
type LocalType = keyof typeof TYPES
const MAGIC_AND_VERSION = [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0]
const SIMD = 0xfd
/** The type of a block that leaves no value. */
const EMPTY = 0x40
const END = 0x0b

/** The instructions that are used here. The bytes of a parameter follow those that are listed. */
const INSTRUCTIONS: Readonly<Record<string, readonly number[]>> = {
  ...{ block: [0x02, EMPTY], loop: [0x03, EMPTY], if: [0x04, EMPTY], else: [0x05], end: [END] },
  ...{ br: [0x0c], br_if: [0x0d], return: [0x0f] },
  ...{ 'local.get': [0x20], 'local.set': [0x21], 'local.tee': [0x22] },
  // Their alignments, 4 bytes and 1, stand before the offset.
  ...{ 'i32.store': [0x36, 2], 'i32.load8_u': [0x2d, 0], 'i64.load': [0x29, 0], 'v128.load': [SIMD, 0x00, 0] },
  ...{
    'i32.const': [0x41],
    'i32.eqz': [0x45],
    'i32.eq': [0x46],
    'i32.ne': [0x47],
    'i32.lt_u': [0x49],
    'i32.gt_s': [0x4a],
    'i32.ge_u': [0x4f],
  },
  ...{ 'i32.add': [0x6a], 'i32.sub': [0x6b], 'i32.and': [0x71], 'i32.or': [0x72], 'i32.wrap_i64': [0xa7] },
  ...{ 'i64.const': [0x42], 'i64.eqz': [0x50], 'i64.eq': [0x51], 'i64.ctz': [0x7a], 'i64.popcnt': [0x7b] },
  ...{ 'i64.sub': [0x7d], 'i64.and': [0x83], 'i64.or': [0x84], 'i64.xor': [0x85] },
  ...{ 'i64.shl': [0x86], 'i64.shr_s': [0x87], 'i64.shr_u': [0x88], 'i64.extend_i32_u': [0xad] },
  ...{ 'i8x16.splat': [SIMD, 0x0f], 'i8x16.eq': [SIMD, 0x23], 'v128.or': [SIMD, 0x50], 'v128.and': [SIMD, 0x4e] },
  ...{ 'v128.any_true': [SIMD, 0x53], 'i8x16.swizzle': [SIMD, 0x0e], 'i8x16.shr_u': [SIMD, 0x6d] },
  'i8x16.bitmask': [SIMD, 0x64],
}
/** Numbers have a sign in these, and none in other instructions. */
const CONSTANT = /\.const$/

/**
 * Makes a module of one function and one page of memory, 64 KiB; it exports both, the memory as `memory`.
 *
 * Throws for an instruction that is not known here.
 *
 * @example
 * const module = new WebAssembly.Module(assembleWasm({ name: 'one', params: [], locals, body: 'i32.const 1' }))
 */
export function assembleWasm({ name, params, locals, body }: WasmFunction): Uint8Array<ArrayBuffer> {
  const groups = Object.entries(locals) as [LocalType, readonly string[]][]
  const variables = [...params, ...groups.flatMap(([, names]) => names)]
  const declared = groups.map(([type, names]) => [...unsigned(names.length), TYPES[type]])
  const code = [...list(declared), ...instructionsOf(body, variables), END]
  const type = [0x60, ...list(params.map(() => [TYPES.i32])), ...list([[TYPES.i32]])]
  return new Uint8Array([
    ...MAGIC_AND_VERSION,
    ...section(1, [type]),
    ...section(3, [[0]]),
    ...section(5, [[0, 1]]),
    ...section(7, [
      [...text(name), 0, 0],
      [...text('memory'), 2, 0],
    ]),
    ...section(10, [sized(code)]),
  ])
}

function instructionsOf(body: string, variables: readonly string[]): number[] {
  let last = ''
  return body
    .replaceAll(/;;.*/g, '')
    .trim()
    .split(/\s+/)
    .flatMap((word) => {
      const known = INSTRUCTIONS[word]
      if (known !== undefined) {
        last = word
        return known
      }
      const number = word.startsWith('$') ? variables.indexOf(word.slice(1)) : Number(word)
      if (!Number.isInteger(number) || (word.startsWith('$') && number === -1))
        throw new Error(`no instruction: ${word}`)
      return CONSTANT.test(last) ? signed(number) : unsigned(number)
    })
}

function section(id: number, items: readonly (readonly number[])[]): number[] {
  return [id, ...sized(list(items))]
}

function list(items: readonly (readonly number[])[]): number[] {
  return [...unsigned(items.length), ...items.flat()]
}

function sized(bytes: readonly number[]): number[] {
  return [...unsigned(bytes.length), ...bytes]
}

function text(name: string): number[] {
  return sized([...new TextEncoder().encode(name)])
}

/** LEB128: seven bits in a byte, the lowest first; the eighth bit tells that more follow. */
function unsigned(number: number): number[] {
  return number < 0x80 ? [number] : [(number & 0x7f) | 0x80, ...unsigned(number >>> 7)]
}

function signed(number: number): number[] {
  return number >= -0x40 && number < 0x40 ? [number & 0x7f] : [(number & 0x7f) | 0x80, ...signed(number >> 7)]
}
