import { brotliDecompressSync, gunzipSync, inflateRawSync, inflateSync, zstdDecompressSync } from 'node:zlib'

const DECODERS: Readonly<Record<string, readonly ((bytes: Buffer) => Buffer)[]>> = {
  gzip: [gunzipSync],
  'x-gzip': [gunzipSync],
  deflate: [inflateSync, inflateRawSync],
  br: [brotliDecompressSync],
  zstd: [zstdDecompressSync],
}

/** A body in all ways in which it may be decoded; a name may stand for two formats. */
export function decodings(body: Buffer, coding: string | undefined): readonly Buffer[] {
  const decoders = DECODERS[coding?.trim().toLowerCase() ?? ''] ?? []
  return [
    body,
    ...decoders.flatMap((decoder) => {
      try {
        return [decoder(body)]
      } catch {
        return []
      }
    }),
  ]
}
