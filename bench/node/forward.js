// Makes the calls of one run of the forwarder of 2017, with the API client and the Lumberjack transport that it used.
// Usage: node forward.js PARAMS.json; __OW_API_HOST and __OW_API_KEY as in an action.
//
// Two things are made easier for it than it had them, as it would not get through otherwise: the connection is opened before the
// API is asked and waited for, and `window` is as large as what there is to send. It sends one window size a connection and no other,
// so that a server takes exactly so many lines. Like the original it does not end: whoever started it sees when all has arrived.

const { readFileSync } = require('fs')
const openwhisk = require('openwhisk')
const lumberjack = require('lumberjack-protocol')

const OWN_NAME = 'forwarder-2017'

async function main ({ actions, from, logstash, window }) {
  const receiver = lumberjack.client(logstash, { windowSize: window })
  const connected = new Promise(resolve => receiver.once('connect', resolve))
  const { activations } = openwhisk()

  const own = await activations.list({ name: OWN_NAME, limit: 1, docs: true })
  const through = lastStarts(own)
  const found = await Promise.all(actions.map(async name => {
    const since = through.get(name) || from
    console.log(`search activations (${name}) since ${since}`)
    const records = await activations.list({ name, docs: true, since: since + 1 })
    console.log(`found ${records.length} activations (${name}): ${records.map(record => record.activationId).join(', ')}`)
    return records
  }))
  await connected

  const written = []
  for (const record of found.flat()) {
    for (const line of record.logs) {
      written.push(write(receiver, line, record))
    }
  }
  await Promise.all(written)
  for (const records of found.filter(records => records.length > 0)) {
    console.log(`LAST_ACTIVATION ${records[0].name} ${Math.max(...records.map(record => record.start))}`)
  }
  return {}
}

// The state: what the last run has printed.
function lastStarts (records) {
  const lines = records.length > 0 ? records[0].logs : []
  const found = lines.map(line => /LAST_ACTIVATION (\w+) (\d+)/.exec(line)).filter(Boolean)
  return new Map(found.map(([, name, start]) => [name, Number(start)]))
}

// A line counts as sent when the socket has taken it. The transport's own callback says so, but the client hands none on; the original
// put itself in front of the socket, once for each line's text.
const pending = new Map()
let patched = null
function write (receiver, line, record) {
  if (patched !== receiver._socket) {
    patched = receiver._socket
    const send = patched.writeDataFrame.bind(patched)
    patched.writeDataFrame = (data, done) => send(data, error => {
      done(error)
      const settle = pending.get(data.line)
      pending.delete(data.line)
      if (settle) settle(error)
    })
  }
  return new Promise((resolve, reject) => {
    pending.set(line, error => error ? reject(error) : resolve())
    const { activationId: activation, name: action, namespace } = record
    receiver.writeDataFrame({ line, activation, action, namespace })
  })
}

// `rounds` runs one after the other, as in a container that is warm; prints the milliseconds of each, and ends.
async function all (params) {
  if (!params.rounds) return main(params)
  const times = []
  for (let round = 0; round < params.rounds; round++) {
    const began = process.hrtime.bigint()
    await main(params)
    times.push(Number(process.hrtime.bigint() - began) / 1e6)
  }
  console.log(JSON.stringify(times))
  process.exit(0)
}

all(JSON.parse(readFileSync(process.argv[2], 'utf8'))).catch(error => {
  console.error(error)
  process.exit(1)
})
