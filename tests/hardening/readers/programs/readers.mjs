// Real servers in JavaScript that answer with what they have read of a request. Arguments: the folder of their packages, and the routes
// as JSON. Prints the ports, as JSON.
import { createRequire } from 'node:module'
import { join } from 'node:path'

const require = createRequire(join(process.argv[2], 'package.json'))
const routes = JSON.parse(process.argv[3])
const express = require('express')
const multer = require('multer')
const busboy = require('busboy')

/** What is no object is nothing that has been read. */
const isObject = (value) => typeof value === 'object' && value !== null && !Array.isArray(value)

function answer(route, request, response, bodies) {
  const { model } = request.params
  response.end(JSON.stringify({ route, model, query: request.query, bodies: bodies.filter(isObject) }))
}

function expressApp() {
  const app = express()
  app.set('query parser', 'extended')
  app.use(express.json(), express.urlencoded({ extended: true }), multer().any())
  for (const route of routes) {
    app.post(route.replace('{model}', ':model'), (request, response) => {
      // As those do who put defaults beneath what has come.
      answer(route, request, response, [request.body, Object.assign({}, request.body)])
    })
  }
  app.use((_error, _request, response, _next) => response.status(400).end('{}'))
  return app
}

function busboyApp() {
  const app = express()
  for (const route of routes) {
    app.post(route.replace('{model}', ':model'), (request, response) => {
      const fields = Object.create(null)
      const parser = busboy({ headers: request.headers })
      parser.on('field', (name, value) => {
        fields[name] = value
      })
      parser.on('file', (_name, stream) => stream.resume())
      parser.on('error', () => response.status(400).end('{}'))
      parser.on('close', () => answer(route, request, response, [fields]))
      request.pipe(parser)
    })
  }
  app.use((_error, _request, response, _next) => response.status(400).end('{}'))
  return app
}

const ports = {}
for (const [name, app] of [
  ['express', expressApp()],
  ['busboy', busboyApp()],
]) {
  const server = app.listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  ports[name] = server.address().port
}
process.stdout.write(`${JSON.stringify(ports)}\n`)
process.stdin.on('end', () => process.exit(0)).resume()
