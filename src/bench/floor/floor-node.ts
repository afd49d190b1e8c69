import { once } from 'node:events'
import { fstatSync, openSync, readSync } from 'node:fs'
import { connect } from 'node:net'

/** The loop of floor.c in Node, for machines without a compiler. CPU is counted from after its start. */
const pieceBytes = 2 << 20
const answerMsMax = 30_000
const [port = '', path = '', wanted = ''] = process.argv.slice(2)
const bodyBytes = Number(wanted)
const file = openSync(path, 'r')
const fileBytes = fstatSync(file).size
const piece = Buffer.allocUnsafeSlow(pieceBytes)
const socket = connect({ host: '127.0.0.1', port: Number(port), noDelay: true })
socket.setTimeout(answerMsMax, () => socket.destroy(new Error(`no answer in ${answerMsMax} ms`)))
await once(socket, 'connect')
const cpuFrom = process.cpuUsage()
const from = performance.now()
let readBytes = 0
let sentBytes = 0
let requests = 0
let answerBytes = 0

/** Resolves with the length of an answer's body when it is all there; its bytes are looked at no further than the head. */
function answerEnd(): Promise<number> {
  return new Promise((resolve, reject) => {
    let length = 0
    let total = -1
    let have = 0
    let head = ''
    const take = (chunk: Buffer) => {
      have += chunk.length
      if (total < 0) {
        head += chunk.toString('latin1')
        const end = head.indexOf('\r\n\r\n')
        if (end < 0) return
        length = Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1])
        total = end + 4 + length
      }
      if (have < total) return
      socket.off('data', take).off('error', reject)
      resolve(length)
    }
    socket.on('data', take).once('error', reject)
  })
}

while (readBytes < fileBytes) {
  let have = 0
  while (have < pieceBytes) {
    const got = readSync(file, piece, have, pieceBytes - have, null)
    if (got === 0) break
    have += got
  }
  if (have === 0) break
  readBytes += have
  const target = readBytes >= fileBytes ? bodyBytes : Math.floor(bodyBytes * (readBytes / fileBytes))
  const length = target - sentBytes
  const answered = answerEnd()
  socket.cork()
  socket.write(
    `POST /logs/_bulk HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/x-ndjson\r\naccept: application/json\r\ncontent-length: ${length}\r\n\r\n`,
  )
  for (let left = length; left > 0; left -= have)
    socket.write(left < have ? piece.subarray(0, left) : piece.subarray(0, have))
  socket.uncork()
  sentBytes = target
  requests += 1
  answerBytes += await answered
}
const used = process.cpuUsage(cpuFrom)
const wallUs = Math.round((performance.now() - from) * 1000)
const report = { userUs: used.user, systemUs: used.system, wallUs, bodyBytes: sentBytes, requests, answerBytes }
process.stdout.write(`${JSON.stringify(report)}\n`, () => process.exit(0))
