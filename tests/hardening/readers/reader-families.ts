import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** A family of real servers: how it is installed, once, into a folder of its own, and how it is run. */
export interface Family {
  readonly name: string
  /** What must be there. */
  readonly needs: readonly string[]
  /** In the order of their doing; a change of them is another folder. */
  readonly install: (folder: string) => readonly (readonly string[])[]
  /** Files beside: their names, and what is in them. */
  readonly files?: Readonly<Record<string, string>>
  /** Files of ours that are built. */
  readonly sources?: readonly string[]
  readonly command: (folder: string) => readonly string[]
}

/** Where our programs are that make servers of them. */
export const PROGRAMS = fileURLToPath(new URL('./programs/', import.meta.url))
/** What servers of models are built on: vLLM, SGLang and LiteLLM; Ollama, LocalAI and new-api; TGI and mistral.rs; llama.cpp. */
export const FAMILIES: readonly Family[] = [
  {
    name: 'python',
    needs: ['python3'],
    install: (folder) => [
      ['python3', '-m', 'venv', folder],
      [
        ...[join(folder, 'bin/pip'), 'install', '--quiet', 'aiohttp==3.14.5', 'fastapi==0.165.0', 'starlette==1.10.0'],
        ...['pydantic==2.14.4', 'uvicorn==0.54.0', 'python-multipart==0.0.34', 'orjson==3.13.0'],
        ...['flask==3.1.3', 'werkzeug==3.1.9', 'django==5.2.19'],
      ],
    ],
    command: (folder) => [join(folder, 'bin/python'), join(PROGRAMS, 'readers.py')],
  },
  {
    name: 'node',
    needs: ['node'],
    files: { 'package.json': '{"private":true}' },
    install: () => [
      ...[['npm', 'install', '--no-audit', '--no-fund', 'express@5.3.0', 'multer@2.5.0', 'busboy@1.6.0', 'qs@6.17.1']],
    ],
    command: (folder) => ['node', join(PROGRAMS, 'readers.mjs'), folder],
  },
  {
    name: 'go',
    needs: ['go'],
    files: {
      'go.mod': [
        'module readers\n\ngo 1.24\n\nrequire (\n\tgithub.com/bytedance/sonic v1.15.5',
        '\tgithub.com/gin-gonic/gin v1.12.0\n\tgithub.com/json-iterator/go v1.1.12\n)\n',
      ].join('\n'),
    },
    sources: ['go/readers.go'],
    install: () => [['go', 'build', '-mod=mod', '-o', 'readers', '.']],
    command: (folder) => [join(folder, 'readers')],
  },
  {
    name: 'rust',
    needs: ['cargo'],
    files: {
      'Cargo.toml': [
        '[package]\nname = "readers"\nversion = "0.0.0"\nedition = "2021"\n\n[[bin]]\nname = "readers"\npath = "main.rs"\n',
        '[dependencies]\nserde = { version = "=1.0.229", features = ["derive"] }\nserde_json = "=1.0.154"\n\n[workspace]\n',
      ].join('\n'),
    },
    sources: ['rust/main.rs'],
    install: () => [['cargo', 'build', '--release', '--quiet']],
    command: (folder) => [join(folder, 'target/release/readers')],
  },
  {
    name: 'c++',
    needs: ['g++', 'python3'],
    sources: ['cpp/readers.cpp'],
    // Its headers are a package of PyPI, too.
    install: (folder) => [
      ['python3', '-m', 'pip', 'install', '--quiet', '--target', join(folder, 'headers'), 'nlohmann-json==3.12.0'],
      [
        ...['g++', '-std=c++17', '-O1', '-pthread', '-I', join(folder, 'headers/nlohmann_json/include')],
        ...['readers.cpp', '-o', 'readers'],
      ],
    ],
    command: (folder) => [join(folder, 'readers')],
  },
]
