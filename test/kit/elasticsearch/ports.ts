import { randomInt } from 'node:crypto'
import { createServer } from 'node:net'

// Below the range from which the kernel takes the local ports of outgoing connections (32768 on Linux, 49152
// elsewhere): there, a client that keeps trying a stopped server can be given that very port and connect to itself.
const portMin = 20_000
const portMax = 32_000

/** A port of 127.0.0.1 that nobody listens on just now; whoever uses it must be ready to be too late. */
export async function findFreePort(): Promise<number> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const port = randomInt(portMin, portMax)
    if (await isFree(port)) return port
  }
  throw new Error(`no free port found between ${portMin} and ${portMax}`)
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}
