import { createServer } from 'node:net'
import { answerHead, bulkAnswer } from '../sink/answers.ts'
import { countNewlines } from '../sink/count.ts'
import { RequestReader } from '../sink/request-reader.ts'

/**
 * Where the copy floor sends to, in a process of its own: counts lines and answers with an item for each two of them, as a
 * bulk server does, so that the answers are as long as the agent's. What it is sent is no bulk, and it does not look.
 */
const server = createServer({ noDelay: true }, (socket) => {
  let newlines = 0
  const reader = new RequestReader({
    head: () => (newlines = 0),
    body: (part) => (newlines += countNewlines(part)),
    end() {
      const { pieces, bytes } = bulkAnswer(newlines >>> 1)
      socket.cork()
      socket.write(answerHead('200 OK', bytes))
      for (const piece of pieces) socket.write(piece)
      socket.uncork()
    },
  })
  socket.on('error', () => socket.destroy())
  socket.on('data', (chunk: Buffer) => {
    try {
      reader.feed(chunk)
    } catch {
      socket.destroy()
    }
  })
})
server.listen(0, '127.0.0.1', () => process.stdout.write(`${JSON.stringify(server.address())}\n`))
// The bench holds the other end of this pipe: when the bench is gone, however it went, so is this.
process.stdin.on('close', () => process.exit(0)).resume()
