/** The clock that all processes of a run share: CLOCK_MONOTONIC, which nobody sets while a run lasts. */

const looks = 64

/**
 * Two clocks cannot be read at once. What comes between, on a busy machine another process for milliseconds, makes the
 * difference smaller, and nothing makes it larger: so the largest of some is the right one.
 */
function originUs(): number {
  let largest = -Infinity
  for (let look = 0; look < looks; look++) {
    const [seconds, nanoseconds] = process.hrtime()
    largest = Math.max(largest, seconds * 1e6 + nanoseconds / 1e3 - performance.now() * 1e3)
  }
  return largest
}

const originHereUs = originUs()

/** CLOCK_MONOTONIC in µs: the same in each process of the machine, with fractions. */
export function monotonicUs(): number {
  return originHereUs + performance.now() * 1e3
}

/**
 * What added to CLOCK_MONOTONIC gave the time of day when this process began, µs. Writer and sink take that of the process
 * which starts both: the time in a line is a time of day to whoever reads it, and steps of the wall clock do not matter.
 */
export const wallFromMonotonicUs = Math.round(performance.timeOrigin * 1e3 - originHereUs)
